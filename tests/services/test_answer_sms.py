"""What is asked by SMS is answered once, to the number that asked, and moves nothing."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date

import pytest

from tests.services.cast import AMINA, HARDWARE, JUMA, NOW, NOW_MS, TODAY, book, kes
from tests.services.choosing import Counted
from tests.services.orders.at_the_desk import HELD, RECORDED
from tests.services.stand_in import InMemoryPayments, World
from ussd_gateway.domain.book import (
    Book,
    LanguageChosen,
    Message,
    Movement,
    OptedIn,
    OptedOut,
    Outcome,
    Priority,
    Work,
)
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.domain.receipt import make
from ussd_gateway.domain.texted import Ask
from ussd_gateway.ports import (
    TIMEOUT,
    UNKNOWN,
    BooksLost,
    IncomingSms,
    OnHold,
    Party,
    Receipted,
    Recorded,
)
from ussd_gateway.services.answer_sms import (
    ANSWERS_A_DAY_MAX,
    STATEMENT_ROWS_MAX,
    STRANGERS_A_DAY_MAX,
    TEMPLATES,
    AnswerSmsService,
    tell_balance,
    tell_statement,
)
from ussd_gateway.services.check_receipt import ASKS_A_DAY_MAX, CheckReceiptService
from ussd_gateway.services.money_back.ask_back import WITHIN_MS, AskBackService

STRANGER = Msisdn("+254711000009")
RECEIPT = make(TODAY, 1, b"a key")
OTHER = make(TODAY, 2, b"a key")
WORDS = {
    "BAL": Ask.BALANCE,
    "STMT": Ask.STATEMENT,
    "CHECK": Ask.CHECK,
    "REVERSE": Ask.REVERSE,
    "STOP": Ask.STOP,
    "START": Ask.START,
    "LANG": Ask.LANGUAGE,
    "HELP": Ask.HELP,
}
SENT = replace(
    RECORDED,
    receipt=RECEIPT,
    paid=kes(500),
    event_at_ms=NOW_MS,
    payee=replace(RECORDED.payee, msisdn=JUMA.msisdn),
)
ASKED = replace(HELD, hold=replace(HELD.hold, kind="asked_back"))
PAID = Receipted(
    receipt=RECEIPT,
    at_ms=NOW_MS,
    amounts=(kes(500),),
    moved=kes(-507),
    other=Party("Juma Otieno", "0711***002"),
    told=True,
    taken_back=kes(0),
)


@dataclass(slots=True)
class InMemoryReceipts:
    """`ports.Receipts`: one payment, of which Amina is the payer."""

    paid: Receipted = PAID
    keys: set[str] = field(default_factory=set)

    def find(self, receipt: str, asker: Msisdn) -> Receipted | None:
        if receipt != self.paid.receipt:
            return None
        if asker == AMINA.msisdn:
            return self.paid
        return replace(self.paid, moved=None, told=False, other=Party("", ""))

    def asked(self, asker: Msisdn, today: date, key: str) -> int:  # noqa: ARG002
        self.keys.add(key)
        return len(self.keys)


# What is told of a payment to whoever has no part in it.
_TO_OTHERS = {
    "asked_paid_to": "asked_amount",
    "asked_reverse": "asked_not_reversed",
}


class Asking:
    """A world in which people text."""

    def __init__(self, rows: Book | None = None) -> None:
        self.world = World(rows or book())
        self.receipts = InMemoryReceipts()
        self.payments = InMemoryPayments()
        self.service = AnswerSmsService(
            self.world.teller,
            CheckReceiptService(self.world.teller, self.receipts),
            AskBackService(self.world.teller, self.payments, Counted()),
            words=WORDS,
            languages=("en", "sw", "fr"),
        )
        self._sent = 0

    def text(
        self, text: str, sender: Msisdn = AMINA.msisdn, number: str | None = None
    ) -> Sequence[Message]:
        """The answers to it."""
        self._sent += 1
        named = number or f"id-{self._sent}"
        before = len(self.world.ledger.messages)
        incoming = IncomingSms(
            provider="africastalking", id=named, sender=sender, to="20384", text=text, at=NOW
        )
        self.service.take(incoming)
        return self.world.ledger.messages[before:]

    def template(self, text: str, sender: Msisdn = AMINA.msisdn) -> str:
        (answer,) = self.text(text, sender)
        assert answer.template in TEMPLATES
        assert answer.to == sender
        return answer.template

    @property
    def works(self) -> Sequence[Work]:
        return self.world.ledger.works


@pytest.mark.parametrize(
    ("text", "template"),
    [
        ("BAL", "asked_balance"),
        ("STMT", "asked_statement"),
        (f"CHECK {RECEIPT}", "asked_paid_to"),
        ("CHECK", "asked_receipt"),
        (f"CHECK {RECEIPT[::-1]}", "asked_receipt"),
        (f"REVERSE {RECEIPT}", "asked_reverse"),
        ("REVERSE", "asked_receipt"),
        ("LANG sw", "asked_language"),
        ("LANG de", "asked_languages"),
        ("LANG", "asked_languages"),
        ("STOP", "asked_stop"),
        ("STOP kusoma", "asked_service"),
        ("START", "asked_start"),
        ("HELP", "asked_help"),
        ("good morning", "asked_help"),
        ("", "asked_help"),
        ("BAL 4826", "asked_pin"),
    ],
)
def test_each_command_has_its_answer_in_the_language_of_whoever_asked(
    text: str, template: str
) -> None:
    for person in (AMINA, JUMA):
        asking = Asking()
        (answer,) = asking.text(text, person.msisdn)
        told = template if person is AMINA else _TO_OTHERS.get(template, template)
        spoken = "sw" if template == "asked_language" else person.language

        assert (answer.to, answer.template, answer.language) == (person.msisdn, told, spoken)
        assert answer.priority is Priority.ANSWER
        assert asking.world.ledger.postings == []


def test_a_balance_is_that_of_the_number_that_asked_and_says_what_is_held() -> None:
    (answer,) = Asking().text("BAL")
    assert answer.params == {"balance": kes(5_000)}

    rows = book()
    rows.accounts[AMINA.wallet_id].debits_pending = 700_00
    (answer,) = Asking(rows).text("BAL")
    assert answer.template == "asked_balance_held"
    assert answer.params == {"balance": kes(5_000), "held": kes(700)}


def test_a_statement_is_of_a_few_rows_and_never_nothing() -> None:
    asking = Asking()
    (answer,) = asking.text("STMT")
    assert answer.params == {"currency": "KES", "rows": "-"}

    asking.world.reads.moved = [Movement(NOW_MS, -507_00, "Juma Otieno")] * 9
    (answer,) = asking.text("STMT")
    rows = str(answer.params["rows"]).split("\n")
    assert rows == ["21/11 -507.00 Juma Otieno"] * STATEMENT_ROWS_MAX


@pytest.mark.parametrize("change", [{"active": False}, {"wrong_tries": 3}])
def test_who_is_barred_is_told_nothing_of_their_account(change: dict[str, int]) -> None:
    locked = book(replace(AMINA, **change))  # type: ignore[arg-type]
    for told in (tell_balance(AMINA, locked), tell_statement(AMINA, {"rows": "-"}, locked)):
        assert (told.template, told.values) == ("asked_barred", {})


def test_a_language_is_chosen_and_told_in_that_language() -> None:
    asking = Asking()
    (answer,) = asking.text("LANG fr")
    assert answer.language == "fr"
    assert asking.world.ledger.people[AMINA.id].language == "fr"
    (decision,) = asking.works
    changes = decision.decide(book()).changes
    assert changes == (LanguageChosen(AMINA.id, "fr"),)

    blocked = Asking(book(replace(AMINA, active=False)))
    assert blocked.template("LANG fr") == "asked_barred"
    assert blocked.world.ledger.people[AMINA.id].language == "en"


@pytest.mark.parametrize("text", ["BAL", "STMT", "LANG sw"])
def test_a_stranger_has_no_account_to_be_told_of(text: str) -> None:
    (answer,) = Asking().text(text, STRANGER)
    assert (answer.to, answer.template) == (STRANGER, "asked_not_registered")
    assert answer.language == "en"


def test_a_business_is_no_stranger_and_is_answered_in_its_language() -> None:
    asking = Asking()
    hardware = replace(HARDWARE, language="fr")
    asking.world.reads.businesses = {hardware.number: hardware}
    for text, template in (("BAL", "asked_help"), (f"CHECK {RECEIPT} 500", "asked_of_others")):
        (answer,) = asking.text(text, hardware.msisdn)
        assert (answer.template, answer.language) == (template, "fr")
    for _ in range(STRANGERS_A_DAY_MAX):
        assert asking.template("HELP", hardware.msisdn) == "asked_help"


def test_a_check_shows_ones_own_payment_under_its_own_time() -> None:
    (answer,) = Asking().text(f"check {RECEIPT}")
    assert answer.params == {
        "receipt": RECEIPT,
        "when": "21/11/26 09:00",
        "amount": kes(500),
        "cost": kes(7),
        "name": "Juma Otieno",
        "number": "0711***002",
    }


def test_of_ones_own_payment_the_amount_is_not_asked_for_and_costs_no_try() -> None:
    asking = Asking()
    assert asking.template(f"check {RECEIPT} 400") == "asked_paid_to"
    assert asking.receipts.keys == set()


def test_a_stranger_to_a_payment_learns_yes_or_no_to_receipt_and_amount() -> None:
    asking = Asking()
    assert asking.template(f"CHECK {RECEIPT}", JUMA.msisdn) == "asked_amount"
    assert asking.template(f"CHECK {OTHER}", JUMA.msisdn) == "asked_amount"
    (yes,) = asking.text(f"CHECK {RECEIPT} KES 500", JUMA.msisdn)
    (no,) = asking.text(f"CHECK {RECEIPT} 4826", JUMA.msisdn)

    assert yes.template == "asked_of_others"
    assert yes.params == {"receipt": RECEIPT, "when": "21/11/26 09:00", "amount": kes(500)}
    # Whatever was typed as an amount is not kept: it may have been a PIN.
    assert (no.template, no.params) == ("asked_not_confirmed", {"receipt": RECEIPT})


def test_who_was_told_of_a_payment_is_no_stranger_to_it() -> None:
    asking = Asking()
    asking.receipts.paid = replace(PAID, moved=None, told=True)
    assert asking.template(f"CHECK {RECEIPT} 500") == "asked_confirmed"


def test_guesses_of_others_payments_are_counted_and_soon_not_answered() -> None:
    asking = Asking()
    told = [
        asking.template(f"CHECK {RECEIPT} 501", JUMA.msisdn) for _ in range(ASKS_A_DAY_MAX + 1)
    ]
    assert told == ["asked_not_confirmed"] * ASKS_A_DAY_MAX + ["asked_too_often"]


def test_what_was_sent_to_a_person_is_opened_and_all_that_is_kept_is_the_receipt() -> None:
    asking = Asking()
    asking.payments.recorded = SENT
    (answer,) = asking.text(f"REVERSE {RECEIPT}", number="mistaken")

    assert answer.template == "asked_reverse_open"
    assert answer.params == {
        "receipt": RECEIPT,
        "amount": kes(500),
        "name": "Juma Otieno",
        "number": "0711***002",
        "until": "22/11/26 09:00",
    }
    assert asking.world.ledger.stored("sms:africastalking:mistaken") == Outcome(
        "asked_reverse_open", {"original": RECEIPT}
    )
    assert asking.template(f"REVERSE {RECEIPT}", JUMA.msisdn) == "asked_not_reversed"


@pytest.mark.parametrize(
    ("sent", "holds", "template"),
    [
        (replace(SENT, event_at_ms=NOW_MS - WITHIN_MS), (), "asked_reverse_open"),
        (replace(SENT, event_at_ms=NOW_MS - WITHIN_MS - 1), (), "asked_reverse_late"),
        (replace(SENT, kind="pay_bill"), (), "asked_reverse"),
        (SENT, (ASKED,), "asked_reverse_again"),
    ],
    ids=["at the end of its day", "a day is over", "a bill", "asked"],
)
def test_what_cannot_be_opened_is_told_with_who_else_to_ask(
    sent: Recorded, holds: tuple[OnHold, ...], template: str
) -> None:
    asking = Asking()
    asking.payments.recorded, asking.payments.holds = sent, holds
    assert asking.template(f"REVERSE {RECEIPT}") == template


def test_a_payment_that_was_taken_back_already_is_told_as_such() -> None:
    asking = Asking()
    asking.receipts.paid = replace(PAID, taken_back=kes(500))
    (answer,) = asking.text(f"REVERSE {RECEIPT}")
    assert (answer.template, answer.params["taken_back"]) == ("asked_taken_back", kes(500))
    assert asking.template(f"REVERSE {OTHER}") == "asked_not_reversed"


def test_stop_ends_notices_of_the_code_that_was_texted_and_start_brings_them_back() -> None:
    asking = Asking()
    asking.text("STOP", STRANGER)
    asking.text("START", STRANGER)
    asking.service.opted_out(STRANGER, "PESA")

    decided = [work.decide(book()) for work in asking.works]
    assert [decision.changes for decision in decided] == [
        (OptedOut(STRANGER, "20384"),),
        (OptedIn(STRANGER),),
        (OptedOut(STRANGER, "PESA"),),
    ]
    assert decided[2].messages == ()


def test_one_that_comes_again_is_answered_once() -> None:
    asking = Asking()
    assert len(asking.text("BAL", number="ATXid_1")) == 1
    assert asking.text("BAL", number="ATXid_1") == []
    assert {work.key for work in asking.works} == {"sms:africastalking:ATXid_1"}


@pytest.mark.parametrize("outcome", [TIMEOUT, UNKNOWN])
def test_one_that_the_books_did_not_take_is_to_come_again(outcome: str) -> None:
    asking = Asking()
    asking.world.ledger.trouble_at["sms:africastalking:ATXid_1"] = Outcome(outcome, {})
    with pytest.raises(BooksLost):
        asking.text("BAL", number="ATXid_1")
    assert len(asking.text("BAL", number="ATXid_1")) == 1


def test_an_id_that_comes_with_another_command_is_not_answered_again() -> None:
    asking = Asking()
    asking.text("BAL", number="ATXid_1")
    assert asking.text("STMT", number="ATXid_1") == []


def test_who_asks_without_an_end_is_told_so_once_and_then_nothing() -> None:
    asking = Asking()
    for _ in range(ANSWERS_A_DAY_MAX):
        assert asking.template("BAL") == "asked_balance"
    assert asking.template("BAL") == "asked_too_often"
    works = len(asking.works)
    for _ in range(3):
        assert asking.text("BAL") == []
    assert len(asking.works) == works, "what is not answered leaves nothing behind"

    assert asking.template("BAL", JUMA.msisdn) == "asked_balance"
    told = [asking.template("HELP", STRANGER) for _ in range(STRANGERS_A_DAY_MAX + 1)]
    assert told == ["asked_help"] * STRANGERS_A_DAY_MAX + ["asked_too_often"]
    assert asking.text("HELP", STRANGER) == []
    asking.world.clock.wait(24 * 3_600 + 1)
    assert asking.template("BAL") == "asked_balance"


def test_a_pin_is_in_no_command_no_answer_and_no_repr() -> None:
    asking = Asking()
    incoming = IncomingSms(
        provider="p", id="1", sender=AMINA.msisdn, to="20384", text="pin 4826", at=NOW
    )
    asking.service.take(incoming)
    (answer,) = asking.world.ledger.messages
    assert answer.params == {}
    assert "4826" not in f"{incoming} {answer}"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("pin 4826", "pin 7391"),
        (f"CHECK {RECEIPT} 4826", f"CHECK {RECEIPT} 7391"),
        ("CHECK ABCD4826", "CHECK ABCD7391"),
        ("STOP kusoma", "STOP habari"),
    ],
)
def test_nothing_that_is_kept_depends_on_what_may_be_a_pin(one: str, other: str) -> None:
    """A digest of four digits is soon guessed."""
    kept = []
    for words in (one, other):
        asking = Asking()
        answers = asking.text(words, JUMA.msisdn)
        (work,) = asking.works
        kept.append((work.key, work.content, work.decide(book()).values, answers))
    assert kept[0] == kept[1]
