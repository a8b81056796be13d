"""Who is asked, in which order, and when nobody else may be."""

from dataclasses import replace

import pytest

from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import DoorError, Sms, SmsResult, SmsState
from ussd_gateway.sms.africastalking import TIMEOUT_S
from ussd_gateway.sms.chooser import Chooser, Line, chooser, send_within_s, turn_within_s
from ussd_gateway.sms.circuit import failures_max, rest_s
from ussd_gateway.sms.plan import Plan, Terms
from ussd_gateway.sms.provider import Crowded, NotCarried, Throttled
from ussd_gateway.sms.smpp.link import Account
from ussd_gateway.sms.smpp.sender import SmppSms

AMINA = Msisdn("+254711000001")
UGANDA = Msisdn("+256772000001")
ANSWERS_WITHIN_S = 0.2
SMS = Sms(AMINA, "DYQ28DNNRC Sent KES 500.00")


class Time:
    """Sleeping is what makes it pass, unless it `stands`."""

    def __init__(self) -> None:
        self.at_s = 1000.0
        self.stands = False

    def now(self) -> float:
        return self.at_s

    def sleep(self, for_s: float) -> None:
        if not self.stands:
            self.at_s += for_s


class Provider:
    """Takes every message, until it is told to have trouble."""

    def __init__(self, name: str, time: Time) -> None:
        self.name = name
        self.time = time
        self.timeout_s = 5.0
        self.trouble: Exception | SmsState | None = None
        self.takes_s = 0.0
        self.asked: list[Sms] = []

    def send(self, sms: Sms) -> SmsResult:
        self.asked.append(sms)
        self.time.at_s += self.takes_s
        if isinstance(self.trouble, Exception):
            raise self.trouble
        state = self.trouble or SmsState.ACCEPTED
        return SmsResult(state, self.name, str(len(self.asked)), state.value)


class Told:
    """What was told of rests, in order."""

    def __init__(self) -> None:
        self.rests: list[tuple[str, float]] = []

    def began(self, provider: str, rest_s: float) -> None:
        self.rests.append((provider, rest_s))

    def ended(self, provider: str) -> None:
        self.rests.append((provider, 0))


class Office:
    """Two providers, the first of which carries numbers of Kenya only."""

    def __init__(self, *, rate_per_s: int = 1000) -> None:
        self.time = Time()
        self.first, self.second = (Provider(name, self.time) for name in ("smpp", "file"))
        terms = {
            "smpp": Terms(rate_per_s, ANSWERS_WITHIN_S, {"+254": "PESA"}),
            "file": Terms(rate_per_s, ANSWERS_WITHIN_S, {"+": "20384"}),
        }
        self.plan = Plan(1, terms, {"+": ("file",), "+254": ("smpp", "file")})
        self.told = Told()
        self.chooser = Chooser(
            self.plan,
            {
                each.name: Line(
                    each.name,
                    each,
                    terms[each.name],
                    rate_per_s=rate_per_s,
                    rests=self.told,
                    now=self.time.now,
                    sleep=self.time.sleep,
                )
                for each in (self.first, self.second)
            },
            self.time.now,
        )

    def send(self, sms: Sms = SMS) -> SmsResult:
        return self.chooser.send(sms)


@pytest.fixture
def office() -> Office:
    return Office()


def test_the_first_of_the_number_is_asked(office: Office) -> None:
    assert office.send().provider == "smpp"
    assert office.send(Sms(UGANDA, "Hello")).provider == "file"
    assert (len(office.first.asked), len(office.second.asked)) == (1, 1)


def test_each_says_from_whom_it_is_as_agreed_with_it(office: Office) -> None:
    office.first.trouble = DoorError("no connection")
    office.send()
    assert [one.sender for one in office.first.asked] == ["PESA"]
    assert [one.sender for one in office.second.asked] == ["20384"]


def test_whoever_sends_may_say_from_whom_it_is(office: Office) -> None:
    office.send(Sms(AMINA, "Hello", sender="JIRANI"))
    assert office.first.asked[0].sender == "JIRANI"


@pytest.mark.parametrize(
    "trouble",
    [DoorError("503"), Throttled("429", after_s=1.0), NotCarried("no route"), Crowded("full")],
)
def test_the_next_is_asked_where_one_surely_did_not_take_it(
    office: Office, trouble: Exception
) -> None:
    office.first.trouble = trouble
    assert office.send().provider == "file"


@pytest.mark.parametrize("state", [SmsState.UNKNOWN, SmsState.REFUSED])
def test_nobody_else_is_asked_after_silence_or_a_refusal(
    office: Office, state: SmsState
) -> None:
    office.first.trouble = state
    assert office.send().state is state
    assert office.second.asked == []


def test_nobody_else_is_asked_after_a_fault_of_ours(office: Office) -> None:
    office.first.trouble = ValueError("a bug")
    with pytest.raises(ValueError, match="a bug"):
        office.send()
    assert office.second.asked == []


def test_where_nobody_takes_it_each_reason_is_told(office: Office) -> None:
    office.first.trouble = DoorError("not bound")
    office.second.trouble = DoorError("the disk is full")
    with pytest.raises(DoorError, match="smpp: not bound; file: the disk is full"):
        office.send()


@pytest.mark.parametrize("trouble", [DoorError("503"), SmsState.UNKNOWN])
def test_one_that_fails_again_and_again_rests_and_is_tried_with_one(
    office: Office, trouble: Exception | SmsState
) -> None:
    office.first.trouble = trouble
    for _ in range(failures_max + 3):
        office.send()
    assert len(office.first.asked) == failures_max
    assert office.send().provider == "file"

    office.time.at_s += rest_s
    office.first.trouble = None
    assert office.send().provider == "smpp"
    assert office.send().provider == "smpp"


@pytest.mark.parametrize(
    "trouble", [NotCarried("no route"), SmsState.REFUSED, Throttled("429", after_s=0.0)]
)
def test_one_that_answers_is_fit_whatever_it_says(
    office: Office, trouble: Exception | SmsState
) -> None:
    office.first.trouble = trouble
    for _ in range(2 * failures_max):
        office.send()
    assert len(office.first.asked) == 2 * failures_max


def test_one_that_has_its_hands_full_is_let_alone_for_one_answer_and_does_not_rest(
    office: Office,
) -> None:
    office.first.trouble = Crowded("its window is full")
    for _ in range(2 * failures_max):
        began_s = office.time.at_s
        assert office.send().provider == "file"
        assert office.time.at_s - began_s < 2 * ANSWERS_WITHIN_S
    assert len(office.first.asked) == 2 * failures_max
    assert office.told.rests == []


def test_full_hands_do_not_hide_that_it_fails(office: Office) -> None:
    """It may be full because it does not answer any more."""
    for _ in range(failures_max):
        office.first.trouble = Crowded("its window is full")
        office.send()
        office.first.trouble = SmsState.UNKNOWN
        office.send()
    assert [name for name, _ in office.told.rests] == ["smpp"]


def test_where_it_cannot_be_tried_now_the_next_one_tries_it(office: Office) -> None:
    office.first.trouble = SmsState.UNKNOWN
    for _ in range(failures_max):
        office.send()
    office.time.at_s += rest_s
    office.first.trouble = Crowded("its window is full")
    assert office.send().provider == "file"

    office.first.trouble = None
    assert office.send().provider == "smpp"


def test_a_last_try_is_not_what_a_provider_is_tried_with(office: Office) -> None:
    office.first.trouble = SmsState.UNKNOWN
    for _ in range(failures_max):
        office.send()
    office.time.at_s += rest_s
    assert office.send(replace(SMS, again=True)).provider == "file"

    assert office.send().provider == "smpp"


def test_while_all_rest_nobody_is_asked_and_it_is_due_again(office: Office) -> None:
    office.second.trouble = DoorError("503")
    for _ in range(failures_max):
        with pytest.raises(DoorError):
            office.send(Sms(UGANDA, "Hello"))
    with pytest.raises(DoorError, match="file: it rests after failures"):
        office.send(Sms(UGANDA, "Hello"))
    assert len(office.second.asked) == failures_max


def test_one_that_asks_for_it_is_left_alone_for_a_while(office: Office) -> None:
    office.first.trouble = Throttled("429", after_s=turn_within_s + 1)
    assert office.send().provider == "file"
    office.first.trouble = None
    assert office.send().provider == "file"
    office.time.at_s += 1
    assert office.send().provider == "smpp"


def test_what_would_wait_too_long_for_its_turn_goes_another_way() -> None:
    office = Office(rate_per_s=1)
    office.time.stands = True  # they are all sent at once, by many threads
    assert [office.send().provider for _ in range(4)] == ["smpp", "smpp", "smpp", "file"]


def test_nobody_is_asked_whose_answer_might_come_too_late(office: Office) -> None:
    office.first.trouble = DoorError("no connection")
    office.first.takes_s = send_within_s - 1
    with pytest.raises(DoorError, match="file: no time left to ask"):
        office.send()
    assert office.second.asked == []


def test_each_rest_is_told_and_that_it_is_over(office: Office) -> None:
    office.first.trouble = SmsState.UNKNOWN
    for _ in range(failures_max):
        office.send()
    office.time.sleep(rest_s)
    office.send()
    assert office.told.rests == [("smpp", rest_s), ("smpp", 2 * rest_s)]

    office.first.trouble = None
    office.time.sleep(2 * rest_s)
    office.send()
    assert office.told.rests[2:] == [("smpp", 0)]


def test_every_worker_has_its_share_of_the_rate() -> None:
    """One of 64 may send one in 32 seconds: the second goes another way, the third nowhere."""
    office = Office(rate_per_s=2)
    plan = Plan(64, office.plan.terms, office.plan.routes)
    sender = chooser(plan, {"smpp": office.first, "file": office.second}, office.told)
    assert [sender.send(SMS).provider for _ in range(2)] == ["smpp", "file"]
    with pytest.raises(DoorError, match="as many as it takes are waiting"):
        sender.send(SMS)


def test_each_provider_answers_within_what_one_send_may_take() -> None:
    assert turn_within_s + sum(TIMEOUT_S) <= send_within_s
    account = Account("127.0.0.1", 2775, "gateway", "demo", tls=False)
    smpp = SmppSms(account, Terms(1, 0.1), report=lambda _: True, texted=lambda _: True)
    assert turn_within_s + smpp.timeout_s <= send_within_s
