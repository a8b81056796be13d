"""Whole turns on a real Valkey: callbacks as an aggregator sends them, and what holds then."""

import time
from dataclasses import replace

import pytest
import redis
from structlog.testing import capture_logs

from tests.ussd.stand_in import (
    AT,
    JUMA,
    NOBODY,
    Bank,
    StillClock,
)
from tests.ussd.turning import (
    CANARY,
    COMMIT,
    DIAL_AGAIN,
    PROGRAM,
    TO_PIN,
    WITHOUT_SENDING,
    Phone,
    Shelf,
    at_once,
    at_pin,
    turn_of,
)
from ussd_gateway.ports import (
    Knock,
    Loaded,
    Reply,
    Saved,
    Secret,
    SessionId,
    Sessions,
    SessionsLost,
)
from ussd_gateway.store.sessions import client as store
from ussd_gateway.store.sessions.client import RedisSessions
from ussd_gateway.ussd.turn import Turn, acting, keeping

# --- the way of a session --------------------------------------------------------------------


def test_amina_sends_juma_five_hundred(turn: Turn, bank: Bank) -> None:
    phone = at_pin(turn)
    assert phone.types("4826") == Reply(
        "RECEIPT001 Sent KES 500.00 to Juma Otieno. Fee KES 7.00. Balance KES 4,493.00.",
        ends=True,
    )
    assert bank.sends == 1


def test_a_hop_asks_redis_twice(turn: Turn, server: redis.Redis) -> None:
    """Once to load, once to save: for a repeat, once."""

    def calls() -> int:
        stats = server.info("commandstats")
        return sum(
            stats[f"cmdstat_{name}"]["calls"]
            for name in ("eval", "evalsha")
            if f"cmdstat_{name}" in stats
        )

    Phone(turn).dials()
    before = calls()
    phone = at_pin(turn)
    phone.types("4826")
    assert calls() - before == 2 * (1 + len(TO_PIN) + 1)
    phone.repeats()
    assert calls() - before == 2 * (1 + len(TO_PIN) + 1) + 1


def test_the_key_names_the_visit_the_state_and_the_hop(turn: Turn, bank: Bank) -> None:
    at_pin(turn).types("4826")
    quote, send = bank.calls
    visit, state, hop = quote.key.split(":")
    assert (state, hop) == ("send_quote", "4")
    assert send.key == f"{visit}:send_pin:5"


def test_every_hop_repeated_gets_the_same_reply(turn: Turn, bank: Bank) -> None:
    phone = Phone(turn)
    replies = [(phone.dials(), phone.repeats(), phone.repeats())]
    replies += [
        (phone.types(text), phone.repeats(), phone.repeats())
        for text in (*TO_PIN, "0001", "0", "600", "4826")
    ]
    assert all(first == second == third for first, second, third in replies)
    assert bank.sends == 2
    assert replies[-1][0].ends


def test_a_session_that_ended_says_its_last_word_to_all_that_follows(
    turn: Turn, bank: Bank
) -> None:
    phone = at_pin(turn)
    last = phone.types("4826")
    assert phone.repeats() == last
    assert phone.types("1") == last
    assert phone.types("4826", "4826") == last
    assert phone.repeats() == last
    assert bank.sends == 1


def test_an_empty_input_is_an_input_once_something_was_typed(turn: Turn) -> None:
    phone = Phone(turn)
    phone.dials()
    phone.types("1")
    assert phone.sends("1*").text.startswith("Not a phone number.")


def test_a_number_that_is_not_registered_is_told_so(turn: Turn) -> None:
    reply = Phone(turn, NOBODY).dials()
    assert not reply.ends
    assert reply.text.startswith("Welcome to Pesa. You are not registered yet.")
    assert Phone(turn, NOBODY).dials("1*0711000002*500") != Reply(COMMIT, ends=False)


def test_a_code_that_is_not_served_is_told_so(turn: Turn) -> None:
    phone = Phone(turn, JUMA)
    assert turn.answer(replace(phone.request, service_code="*999#")) == Reply(
        "Namba hii haitumiki. Hukutozwa.", ends=True
    )


def test_a_session_has_so_many_hops_and_no_more(turn: Turn) -> None:
    phone = Phone(turn)
    phone.dials()
    for _ in range(PROGRAM.hops_max - 1):
        assert phone.types("9").text.startswith("Not an option.")
    assert phone.types("9") == Reply("This session is too long. Please dial again.", ends=True)


# --- twins -----------------------------------------------------------------------------------


def test_twenty_callbacks_of_the_pin_at_once_are_one_transfer_and_one_reply(
    turn: Turn, bank: Bank
) -> None:
    bank.before_send = lambda: time.sleep(0.05)
    phone = at_pin(turn)
    phone.text += "*4826"
    replies = at_once(20, phone.repeats)
    assert len(set(replies)) == 1
    assert replies[0].text.startswith("RECEIPT001 Sent KES 500.00")
    assert bank.sends == 1
    assert sum(call.secret is not None for call in bank.calls) == 1


def test_twenty_first_callbacks_at_once_are_one_visit(turn: Turn, bank: Bank) -> None:
    phone = Phone(turn)
    phone.text = "1*0711000002*500"
    replies = at_once(20, phone.repeats)
    assert set(replies) == {Reply(COMMIT, ends=False)}
    assert len(bank.calls) == 1


def test_two_processes_answer_a_session_as_one(bank: Bank, valkey_url: str) -> None:
    turns = [turn_of(bank, RedisSessions(valkey_url)) for _ in range(2)]
    phone = at_pin(turns[0])
    phone.text += "*4826"
    bank.before_send = lambda: time.sleep(0.05)
    turn_about = iter(range(10))

    def knock() -> Reply:
        return turns[next(turn_about) % 2].answer(phone.request)

    assert len(set(at_once(10, knock))) == 1
    assert bank.sends == 1


def test_the_twin_of_a_killed_process_does_the_hop_again_under_the_same_key(
    turn: Turn, bank: Bank, server: redis.Redis
) -> None:
    phone = at_pin(turn)
    done = bank.actions["send_money"]

    class Killed(BaseException):
        pass

    def killed_after_commit() -> None:
        bank.before_send = lambda: None
        done.run(bank.calls[-1])
        raise Killed

    bank.before_send = killed_after_commit
    with pytest.raises(Killed):
        phone.types("4826")
    server.hset(phone.key, "until", 1)

    assert phone.repeats().text.startswith("RECEIPT001 Sent KES 500.00")
    assert bank.sends == 1


def test_a_twin_that_is_never_answered_tells_what_the_books_know(
    bank: Bank, sessions: RedisSessions, server: redis.Redis
) -> None:
    turn = turn_of(bank, sessions, answer_within_s=2)
    phone = at_pin(turn)
    lapses = round(time.time() * 1000) + 60_000
    server.hset(phone.key, mapping={"holder": "another", "until": lapses})
    assert phone.types("4826").text == (
        "We are still checking. Wait for the SMS; do not send again."
    )
    key = bank.calls[0].key.replace("send_quote:4", "send_pin:5")
    bank.actions["send_money"].run(replace(bank.calls[0], key=key, secret=Secret("4826")))
    assert phone.repeats().text.startswith("RECEIPT001 Sent KES 500.00")


# --- what does not follow --------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "1*0711000002*500*4826*1",
        "1*0711000002*600*4826",
        "2*0711000002*500*4826",
        "1*0711000002*5004826",
        "1*0711000002*501",
        "1*0711000002",
        "",
    ],
)
def test_a_text_that_cannot_follow_ends_politely_and_moves_nothing(
    turn: Turn, bank: Bank, text: str
) -> None:
    phone = at_pin(turn)
    with capture_logs() as logged:
        assert phone.sends(text) == DIAL_AGAIN
        assert phone.sends(text) == DIAL_AGAIN
    assert bank.sends == 0
    assert logged[0]["event"] == "turn.anomaly"
    assert "0711000002*" not in repr(logged)


def test_a_callback_from_before_leaves_the_session_as_it_is(turn: Turn) -> None:
    phone = at_pin(turn)
    now = phone.text
    assert phone.sends("1*0711000002") == DIAL_AGAIN
    phone.text = now
    assert phone.repeats() == Reply(COMMIT, ends=False)
    assert phone.types("4826").text.startswith("RECEIPT001")


def test_another_phone_learns_nothing_of_a_session(turn: Turn) -> None:
    phone = at_pin(turn)
    phone.types("4826")
    stranger = Phone(turn, JUMA, session=phone.session)
    for text in (phone.text, f"{phone.text}*1", ""):
        assert stranger.sends(text).text == "Tafadhali piga tena. Hukutozwa."


def test_an_anomaly_after_the_money_tells_the_truth(turn: Turn) -> None:
    phone = at_pin(turn)
    last = phone.types("4826")
    assert phone.sends("1") == last


# --- versions of the pack --------------------------------------------------------------------


def test_a_session_goes_on_in_the_version_it_began_in(
    bank: Bank, sessions: RedisSessions
) -> None:
    shelf = Shelf(PROGRAM)
    turn = turn_of(bank, sessions, packs=shelf)
    phone = Phone(turn)
    phone.dials()
    shelf.programs = (WITHOUT_SENDING, PROGRAM)

    assert phone.types(*TO_PIN) == Reply(COMMIT, ends=False)
    assert phone.types("4826").text.startswith("RECEIPT001 Sent KES 500.00")
    assert "Send money" not in Phone(turn).dials().text


def test_a_session_whose_version_is_not_to_be_found_goes_on_at_the_entry_of_its_successor(
    turn: Turn, bank: Bank, sessions: RedisSessions
) -> None:
    phone = at_pin(turn)
    edited = turn_of(bank, sessions, packs=Shelf(replace(PROGRAM, digest="edited")))
    moved = edited.answer(replace(phone.request, text=f"{phone.text}*4826"))
    assert moved.text.startswith("The menu has changed.\nPesa\n1. Send money")
    assert not moved.ends
    assert bank.sends == 0


def test_what_was_answered_is_repeated_whatever_became_of_its_version(
    bank: Bank, sessions: RedisSessions
) -> None:
    shelf = Shelf(PROGRAM)
    turn = turn_of(bank, sessions, packs=shelf)
    phone = at_pin(turn)
    paid = phone.types("4826")
    shelf.programs, shelf.lost = (WITHOUT_SENDING,), True

    assert phone.repeats() == paid
    assert phone.types("1") == paid


def test_the_truth_of_an_anomaly_is_told_in_the_version_of_its_session(
    bank: Bank, sessions: RedisSessions
) -> None:
    shelf = Shelf(PROGRAM)
    turn = turn_of(bank, sessions, packs=shelf)
    phone = at_pin(turn)
    paid = phone.types("4826")
    shelf.programs = (WITHOUT_SENDING, PROGRAM)

    assert phone.sends("1") == paid


def test_while_its_version_cannot_be_asked_for_nothing_moves(
    turn: Turn, bank: Bank, sessions: RedisSessions
) -> None:
    phone = at_pin(turn)
    shelf = Shelf(WITHOUT_SENDING)
    shelf.lost = True
    edited = turn_of(bank, sessions, packs=shelf)
    assert edited.answer(replace(phone.request, text=f"{phone.text}*4826")) == DIAL_AGAIN
    assert bank.sends == 0


# --- rows ------------------------------------------------------------------------------------


def test_a_row_that_cannot_be_read_is_a_lost_session(
    turn: Turn, bank: Bank, server: redis.Redis
) -> None:
    phone = at_pin(turn)
    server.hset(phone.key, "row", b"\x93not a row")
    assert phone.repeats() == DIAL_AGAIN
    assert phone.types("4826") == DIAL_AGAIN
    assert bank.sends == 0


# --- dialled strings -------------------------------------------------------------------------


def test_a_dialled_string_lands_on_the_commit_screen(turn: Turn) -> None:
    phone = Phone(turn)
    assert phone.dials("1*0711000002*500") == Reply(COMMIT, ends=False)
    assert phone.types("4826").text.startswith("RECEIPT001 Sent KES 500.00")


def test_what_is_dialled_is_fed_as_if_it_was_typed(turn: Turn) -> None:
    assert Phone(turn).dials("5").text.startswith("My account\n1. Balance\n")
    phone = Phone(turn)
    assert phone.dials("1*0711000002").text == "Enter amount"
    assert phone.types("0").text == "Enter phone number"


@pytest.mark.parametrize(
    "inputs",
    [
        ("5",),
        ("5", "0"),
        ("5", "0", "1"),
        ("1", "0711000002", "0", "00", "5"),
        (*TO_PIN[:2], "5"),
    ],
)
def test_one_dialled_string_shows_what_as_many_hops_would(
    turn: Turn, inputs: tuple[str, ...]
) -> None:
    typing = Phone(turn)
    typing.dials()
    assert Phone(turn).dials("*".join(inputs)) == typing.types(*inputs)


def test_dialling_stops_at_bad_input_and_drops_the_rest(turn: Turn, bank: Bank) -> None:
    phone = Phone(turn)
    assert phone.dials("1*none*500*4826").text == (
        "Not a phone number. Try again.\nEnter phone number"
    )
    assert phone.types("0711000002").text == "Enter amount"
    assert bank.calls == []


@pytest.mark.parametrize("text", ["1*0711000002*500*4826", "5*1*4826", "1*0711000002*500*0"])
def test_a_pin_is_never_taken_from_a_dialled_string(turn: Turn, bank: Bank, text: str) -> None:
    phone = Phone(turn)
    reply = phone.dials(text)
    assert reply.ends
    assert reply.text.endswith("Never put your PIN in the code you dial.")
    assert phone.repeats() == reply
    assert all(call.secret is None for call in bank.calls)


# --- when Redis is lost ----------------------------------------------------------------------


def test_a_lost_session_whose_money_moved_tells_the_truth(
    turn: Turn, server: redis.Redis, bank: Bank
) -> None:
    phone = at_pin(turn)
    last = phone.types("4826")
    server.delete(phone.key)
    assert phone.repeats() == last
    assert phone.types("1") == last
    assert bank.sends == 1


def test_a_lost_session_before_its_pin_is_never_fed_the_pin(
    turn: Turn, server: redis.Redis, bank: Bank
) -> None:
    phone = at_pin(turn)
    server.delete(phone.key)
    assert phone.types("4826").text.startswith("Dial again, unless an SMS says")
    assert bank.sends == 0


def test_a_lost_session_in_mid_menu_goes_on_as_if_it_was_dialled(
    turn: Turn, server: redis.Redis
) -> None:
    phone = Phone(turn)
    phone.dials()
    phone.types("1", "0711000002")
    server.delete(phone.key)
    assert phone.types("500") == Reply(COMMIT, ends=False)


def test_without_a_session_store_the_truth_is_told_or_that_nothing_was_charged(
    turn: Turn, bank: Bank
) -> None:
    nowhere = turn_of(bank, RedisSessions("redis://127.0.0.1:1"))
    phone = at_pin(turn)
    with capture_logs() as logged:
        assert nowhere.answer(phone.request) == DIAL_AGAIN
    assert logged[0]["event"] == "sessions.lost"
    last = phone.types("4826")
    assert nowhere.answer(phone.request) == last


class LosesSaves:
    """Sessions on a store that goes away between load and save."""

    def __init__(self, store: Sessions, *, raises: bool) -> None:
        self._store = store
        self._raises = raises

    def load(
        self, route: str, session_id: SessionId, *, knock: Knock, phone: str, holder: str
    ) -> Loaded:
        return self._store.load(route, session_id, knock=knock, phone=phone, holder=holder)

    def save(self, *_: object, **__: object) -> Saved:
        if self._raises:
            raise SessionsLost("gone")
        return Saved.NOT_OURS


@pytest.mark.parametrize("raises", [True, False])
def test_the_true_screen_is_shown_whether_or_not_it_could_be_kept(
    turn: Turn,
    bank: Bank,
    sessions: RedisSessions,
    raises: bool,
) -> None:
    phone = at_pin(turn)
    losing = turn_of(bank, LosesSaves(sessions, raises=raises))
    with capture_logs() as logged:
        reply = losing.answer(replace(phone.request, text=f"{phone.text}*4826"))
    assert reply.text.startswith("RECEIPT001 Sent KES 500.00")
    assert logged[0]["event"] == ("sessions.lost" if raises else "turn.unsaved")


# --- PINs ------------------------------------------------------------------------------------


def test_two_pins_leave_the_same_row_byte_for_byte(
    sessions: RedisSessions, server: redis.Redis
) -> None:
    dumps = []
    for pin, wrong in (("4826", "0001"), ("9135", "7264")):
        turn = turn_of(Bank(pin=pin), sessions, clock=StillClock())
        phone = Phone(turn, session="same")
        phone.dials()
        rows = []
        for text in (*TO_PIN, wrong, "0", "500", pin, "1"):
            phone.types(text)
            rows.append(server.hgetall(phone.key))
        dumps.append(rows)
        server.delete(phone.key)
    assert dumps[0] == dumps[1]


def test_a_pin_is_found_nowhere(turn: Turn, bank: Bank, server: redis.Redis) -> None:
    with capture_logs() as logged:
        phone = at_pin(turn)
        replies = [phone.types(CANARY), phone.types(f"{CANARY[:4]} {CANARY[4:]}")]
        replies += [phone.types("4826"), phone.types(CANARY), phone.repeats()]
        for dialled in (f"1*0711000002*500*{CANARY}", f"5*1*{CANARY}", f"1*x*{CANARY}"):
            replies.append(Phone(turn).dials(dialled))
        odd = at_pin(turn)
        replies += [odd.sends(f"{odd.text}*{CANARY}*1"), odd.sends(CANARY)]
        replies.append(Phone(turn, NOBODY).dials(CANARY))
        assert CANARY not in repr(phone.request)

    kept = [server.hgetall(key) for key in server.scan_iter("ussd:at:*")]
    assert CANARY not in repr(kept)
    assert CANARY not in repr(logged)
    assert CANARY not in repr(replies)
    assert CANARY not in repr(bank.calls)


def test_a_reply_is_logged_with_a_masked_number_and_no_text(turn: Turn) -> None:
    with capture_logs() as logged:
        Phone(turn, session="logged").dials("1")
    (entry,) = logged
    assert entry.pop("ms") >= 0
    assert entry == {
        "event": "turn.replied",
        "log_level": "info",
        "route": "at",
        "session": "logged",
        "msisdn": "0711***001",
        "hop": 1,
        "screen": "send_to",
        "ends": False,
    }


# --- time ------------------------------------------------------------------------------------


def test_each_wait_is_shorter_than_the_one_around_it() -> None:
    lease_s = store.lease_ms / 1000
    assert acting.hop_s_max < lease_s < keeping.twin_waits_s_max
    assert keeping.twin_waits_s_max < AT.answer_within_s - acting.answer_margin_s
    assert store.connect_timeout_s + store.answer_timeout_s < lease_s


def test_an_action_is_told_how_long_it_may_take(turn: Turn, bank: Bank) -> None:
    at_pin(turn).types("4826")
    assert [call.within_s for call in bank.calls] == [3, 5]


def test_an_action_never_takes_longer_than_the_route_waits(
    bank: Bank, sessions: RedisSessions
) -> None:
    turn = turn_of(bank, sessions, answer_within_s=3)
    at_pin(turn).types("4826")
    assert all(call.within_s <= 2 for call in bank.calls)


def test_without_time_left_an_action_is_not_begun(bank: Bank, sessions: RedisSessions) -> None:
    turn = turn_of(bank, sessions, answer_within_s=1)
    phone = Phone(turn)
    phone.dials()
    reply = phone.types(*TO_PIN)
    assert reply.text == "The service is busy. Please dial again later. Nothing was charged."
    assert bank.calls == []


def test_the_end_of_a_session_is_logged(turn: Turn) -> None:
    with capture_logs() as logged:
        turn.ended("at", SessionId("S1"), status="Incomplete", hops=3, duration_ms=21_000)
    assert logged == [
        {
            "event": "session.ended",
            "log_level": "info",
            "route": "at",
            "session": "S1",
            "status": "Incomplete",
            "hops": 3,
            "duration_ms": 21_000,
        }
    ]
