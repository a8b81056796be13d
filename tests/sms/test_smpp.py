"""Messages and receipts through a simulated SMSC, and through one that misbehaves."""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace

import pytest

from tests.embedded.processes import eventually
from tests.sms.conftest import PASSWORD, SYSTEM_ID, TERMS, Centre
from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.ports import DeliveryReport, DoorError, Sms, SmsResult, SmsState
from ussd_gateway.simulators.pdus import Command, Pdu, Status, cstring, read_pdu, texted
from ussd_gateway.simulators.sms_troubles import AnswerTrouble, Plan, ReportTrouble, slow_s
from ussd_gateway.sms.chooser import Line
from ussd_gateway.sms.circuit import failures_max
from ussd_gateway.sms.plan import Terms
from ussd_gateway.sms.provider import Crowded, NotCarried, Throttled
from ussd_gateway.sms.smpp.client import pdu_octets_max
from ussd_gateway.sms.smpp.link import Account, Link
from ussd_gateway.sms.smpp.sender import SmppSms

AMINA = Msisdn("+254711000001")
NOBODY = Msisdn("+254700000001")
QUEUE_FULL = 0x14  # ESME_RMSGQFUL
SMS = Sms(AMINA, "DYQ28DNNRC Sent KES 500.00", sender="PESA")


_HELLO = {
    "source_addr": "PESA",
    "dest_addr_ton": 1,
    "dest_addr_npi": 1,
    "destination_addr": AMINA.removeprefix("+"),
    "registered_delivery": 1,
    "short_message": b"Hello",
}


def _incoming(source: str = "254711000001") -> bytes:
    return texted(source, "20384", b"BAL")


class Kept:
    """Keeps reports; the first `refusals` of them it cannot."""

    def __init__(self, refusals: int = 0) -> None:
        self.reports: list[DeliveryReport] = []
        self.refused = 0
        self._refusals = refusals

    def __call__(self, report: DeliveryReport) -> bool:
        if self.refused < self._refusals:
            self.refused += 1
            return False
        self.reports.append(report)
        return True

    def ends(self) -> list[DeliveryReport]:
        return [one for one in self.reports if one.final]


# --- messages


def test_a_message_that_is_taken_has_an_id_and_reaches_the_phone(centre: Centre) -> None:
    centre.start()
    with centre.bound() as sender:
        result = sender.send(SMS)

    (message,) = centre.inbox.messages(AMINA)
    assert (message.sender, message.text) == ("PESA", SMS.text)
    assert result == SmsResult(SmsState.ACCEPTED, "smpp", message.provider_id, "accepted")


@pytest.mark.parametrize("sender", ["PESA", "20384", "+254711000009", None])
def test_it_says_from_whom_the_message_is(centre: Centre, sender: str | None) -> None:
    centre.start()
    with centre.bound() as smpp:
        smpp.send(Sms(AMINA, "Hello", sender=sender))
    (message,) = centre.inbox.messages(AMINA)
    assert message.sender == (sender or "SMSC").removeprefix("+")


@pytest.mark.parametrize(
    "text",
    [
        "@£$¥èéùìòÇ Øø ÅåΔ_ΦΓΛΩΠΨΣΘΞ ÆæßÉ ¤ § ¿ äöñüà ^{}\\[~]|€",
        "x" * 160,
        "€" * 80,
        "x" * 161,
        "€" * 400,
        "ሰላም",
        "ሰ" * 70,
        "ሰ" * 71 + "😀",
    ],
    ids=["gsm", "160", "80 of 2", "161", "400 of 2", "ucs2", "70", "71 and a pair"],
)
def test_a_text_arrives_as_it_was_sent(centre: Centre, text: str) -> None:
    centre.start()
    with centre.bound() as sender:
        assert sender.send(Sms(AMINA, text)).state is SmsState.ACCEPTED
    assert [message.text for message in centre.inbox.messages(AMINA)] == [text]


def test_a_number_that_nobody_can_have_is_refused(centre: Centre) -> None:
    centre.start()
    with centre.bound() as sender:
        result = sender.send(Sms(Msisdn("+254711"), "Hello"))
    assert result == SmsResult(
        SmsState.REFUSED, "smpp", None, "0xb Invalid Destination Address"
    )


@pytest.mark.parametrize(
    ("trouble", "says"),
    [
        (AnswerTrouble.ERROR, "0x8 System Error"),
        (AnswerTrouble.THROTTLED, "0x58 Throttling error"),
        (AnswerTrouble.REFUSED, "0x45 submit_sm or submit_multi failed"),
    ],
)
def test_what_is_answered_with_an_error_was_not_taken(
    centre: Centre, trouble: AnswerTrouble, says: str
) -> None:
    centre.start()
    centre.troubles.play(Plan({trouble: 1.0}))
    with centre.bound() as sender, pytest.raises(DoorError, match=says) as raised:
        sender.send(SMS)
    assert isinstance(raised.value, Throttled) is (trouble is AnswerTrouble.THROTTLED)
    assert centre.inbox.messages(AMINA) == []


def test_many_at_once_have_each_its_own_answer(centre: Centre) -> None:
    centre.start()
    with centre.bound() as sender, ThreadPoolExecutor(20) as pool:
        texts = [f"message {number}" for number in range(200)]
        results = list(pool.map(lambda text: sender.send(Sms(AMINA, text)), texts))
    ids = {message.provider_id: message.text for message in centre.inbox.messages(AMINA)}
    assert [ids[one.provider_id or ""] for one in results] == texts


def test_a_line_that_is_cut_leaves_what_was_submitted_unknown(centre: Centre) -> None:
    smsc = centre.start()
    centre.troubles.play(Plan({AnswerTrouble.SILENT_AFTER_TAKING: 1.0}))
    with centre.bound() as sender, ThreadPoolExecutor(1) as pool:
        sending = pool.submit(sender.send, SMS)
        assert eventually(lambda: len(centre.inbox.messages(AMINA)) == 1)
        smsc.cut()
        assert sending.result(2) == SmsResult(SmsState.UNKNOWN, "smpp", None, "no answer")


def test_after_a_cut_it_binds_again_by_itself(centre: Centre) -> None:
    smsc = centre.start()
    with centre.bound() as sender:
        smsc.cut()
        assert eventually(lambda: _taken(sender))
    assert len(centre.inbox.messages(AMINA)) == 1


def test_while_nobody_listens_nothing_goes_out_and_then_it_does(centre: Centre) -> None:
    port = centre.start().port
    with centre.bound() as sender:
        centre.stop()
        assert eventually(lambda: not _taken(sender))
        centre.start(port=port)
        assert eventually(lambda: _taken(sender))
    assert len(centre.inbox.messages(AMINA)) == 1


@pytest.mark.parametrize(
    ("system_id", "password"), [("stranger", PASSWORD), (SYSTEM_ID, "wrong")]
)
def test_an_account_that_is_not_let_in_sends_nothing(
    centre: Centre, system_id: str, password: str
) -> None:
    smsc = centre.start()
    sender = SmppSms(
        account(smsc.port, system_id, password), TERMS, report=Kept(), texted=lambda _: True
    )
    with sender, pytest.raises(DoorError, match="not bound"):
        sender.send(SMS)


def test_it_leaves_politely(centre: Centre) -> None:
    smsc = centre.start()
    with centre.bound():
        assert eventually(lambda: smsc.bound == 1)
    assert eventually(lambda: smsc.bound == 0)


def test_nothing_that_is_secret_is_in_a_repr() -> None:
    assert PASSWORD not in repr(Account("127.0.0.1", 1, SYSTEM_ID, PASSWORD, tls=True))
    assert SMS.text not in repr(SMS)


# --- receipts


def test_a_receipt_tells_what_became_of_the_message(centre: Centre) -> None:
    centre.start()
    kept = Kept()
    with centre.bound(kept) as sender:
        taken = sender.send(SMS)
        assert eventually(lambda: bool(kept.ends()))
    assert [(one.status, one.final) for one in kept.reports] == [
        ("ACCEPTD", False),
        ("DELIVRD", True),
    ]
    assert kept.ends() == [
        DeliveryReport(
            provider="smpp",
            provider_id=taken.provider_id or "",
            msisdn=AMINA,
            status="DELIVRD",
            final=True,
            delivered=True,
            reason="",
        )
    ]


def test_of_a_number_that_nobody_has_the_receipt_says_so(centre: Centre) -> None:
    centre.start()
    kept = Kept()
    with centre.bound(kept) as sender:
        sender.send(Sms(NOBODY, "Hello"))
        assert eventually(lambda: bool(kept.ends()))
    (end,) = kept.ends()
    assert (end.delivered, end.reason) == (
        False,
        "the network could not deliver it (its code 027)",
    )


def test_ids_in_hex_and_receipts_in_decimals_are_brought_together(centre: Centre) -> None:
    centre.start(decimal_receipts=True)
    kept = Kept()
    with centre.bound(kept, decimal_ids=True) as sender:
        taken = sender.send(SMS)
        assert eventually(lambda: bool(kept.ends()))
    assert kept.ends()[0].provider_id == taken.provider_id


def test_a_receipt_that_could_not_be_kept_comes_again(centre: Centre) -> None:
    centre.start()
    kept = Kept(refusals=1)
    with centre.bound(kept) as sender:
        sender.send(SMS)
        assert eventually(lambda: len(kept.reports) == 2)
    assert kept.refused == 1


def test_a_receipt_that_breaks_us_comes_again_and_stops_no_other(centre: Centre) -> None:
    centre.start()
    kept = Kept()
    broken: list[DeliveryReport] = []

    def report(found: DeliveryReport) -> bool:
        if not broken:
            broken.append(found)
            raise ValueError("a bug")
        return kept(found)

    with centre.bound(report) as sender:
        sender.send(SMS)
        assert eventually(lambda: len(kept.reports) == 2)


def test_receipts_wait_until_somebody_is_bound(centre: Centre) -> None:
    smsc = centre.start()
    centre.troubles.play(Plan(reports={ReportTrouble.NONE: 1.0}))
    kept = Kept()
    with centre.bound(kept) as sender:
        sender.send(SMS)
        smsc.cut()
    with centre.bound(kept):
        assert eventually(lambda: bool(kept.ends()))


@pytest.mark.parametrize(
    ("trouble", "statuses"),
    [
        (ReportTrouble.DOUBLED, ["ACCEPTD", "ACCEPTD", "DELIVRD", "DELIVRD"]),
        (ReportTrouble.REORDERED, ["DELIVRD", "ACCEPTD"]),
        (ReportTrouble.FAILED, ["ACCEPTD", "UNDELIV"]),
    ],
)
def test_receipts_are_told_as_they_come(
    centre: Centre, trouble: ReportTrouble, statuses: list[str]
) -> None:
    centre.start()
    centre.troubles.play(Plan(reports={trouble: 1.0}))
    kept = Kept()
    with centre.bound(kept) as sender:
        sender.send(SMS)
        assert eventually(lambda: len(kept.reports) == len(statuses))
    assert [one.status for one in kept.reports] == statuses


def test_a_receipt_may_be_there_before_the_answer(centre: Centre) -> None:
    centre.start()
    centre.troubles.play(Plan(reports={ReportTrouble.EARLY: 1.0}))
    kept = Kept()
    with centre.bound(kept) as sender, ThreadPoolExecutor(1) as pool:
        sending = pool.submit(sender.send, SMS)
        assert eventually(lambda: bool(kept.ends()))
        assert not sending.done()
        assert kept.ends()[0].provider_id == sending.result(5).provider_id


# --- an SMSC that misbehaves


def test_a_line_that_is_silent_is_asked_and_then_given_up() -> None:
    heard: list[int] = []
    left = threading.Event()

    def answer(line: socket.socket) -> None:
        while (pdu := read_pdu(line)) is not None:
            heard.append(pdu.command)
            if len(heard) == 1:
                line.sendall(pdu.answered().octets)
        left.set()

    with listening(answer) as port:
        link = Link(
            account(port),
            window=1,
            receipt=lambda _: 0,
            texted=lambda _: 0,
            answer_s=1.5,
            silence_s=0.5,
        )
        link.start()
        assert left.wait(10)
        with pytest.raises(DoorError, match="not bound"):
            link.submit(**_HELLO)
        link.stop()
    assert heard == [Command.ENQUIRE_LINK, Command.ENQUIRE_LINK]


def test_an_answer_that_comes_too_late_is_of_nobody(centre: Centre) -> None:
    """What was submitted meanwhile is unknown, and the next one has its own answer."""
    smsc = centre.start()
    centre.troubles.play(Plan({AnswerTrouble.SLOW: 1.0}), requests=1)
    link = Link(
        account(smsc.port),
        window=1,
        receipt=lambda _: 0,
        texted=lambda _: 0,
        answer_s=slow_s - 1,
    )
    link.start()
    assert link.submit(**_HELLO) is None
    time.sleep(1.5)
    answer = link.submit(**_HELLO)
    link.stop()

    ids = [message.provider_id.encode() for message in centre.inbox.messages(AMINA)]
    assert answer is not None
    assert [answer.message_id] == ids[1:]


def test_more_than_its_window_wait_and_are_then_not_sent() -> None:
    def answer(line: socket.socket) -> None:
        line.recv(1024)
        line.recv(1)

    with listening(answer) as port, ThreadPoolExecutor(1) as pool:
        link = Link(
            account(port), window=1, receipt=lambda _: 0, texted=lambda _: 0, answer_s=4
        )
        link.start()
        first = pool.submit(link.submit, **_HELLO)
        time.sleep(0.1)
        with pytest.raises(Crowded, match="its window is full"):
            link.submit(**_HELLO)
        assert first.result(9) is None
        link.stop()


@pytest.mark.parametrize("status", [Status.THROTTLED, QUEUE_FULL])
def test_an_smsc_that_asks_us_to_slow_down_does_not_rest(status: int) -> None:
    def answer(line: socket.socket) -> None:
        while (pdu := read_pdu(line)) is not None:
            line.sendall(pdu.answered(status).octets)

    with misbehaving(answer) as smpp:
        rests = Unrested()
        line = Line("smpp", smpp, TERMS, rate_per_s=100, rests=rests, sleep=lambda _: None)
        for _ in range(failures_max + 1):
            with pytest.raises(Throttled):
                line.send(SMS)


def test_a_window_that_is_full_is_no_failure_of_the_smsc() -> None:
    """More than are failures in a row wait behind one that is slow, and then it is fit."""
    done = threading.Event()

    def answer(line: socket.socket) -> None:
        slow = read_pdu(line)
        assert slow is not None
        done.wait(10)
        line.sendall(slow.answered(body=cstring("1")).octets)
        while (pdu := read_pdu(line)) is not None:
            line.sendall(pdu.answered(body=cstring("2")).octets)

    terms = replace(TERMS, window=1)
    crowd = failures_max + 1
    with misbehaving(answer, terms) as smpp, ThreadPoolExecutor(1 + crowd) as pool:
        line = Line("smpp", smpp, terms, rate_per_s=100, rests=Unrested())
        slow = pool.submit(line.send, SMS)
        time.sleep(0.1)
        others = [pool.submit(line.send, SMS) for _ in range(crowd)]
        assert [type(other.exception(10)) for other in others] == [Crowded] * crowd
        done.set()
        assert slow.result(10).provider_id == "1"
        assert line.send(SMS).provider_id == "2"


@pytest.mark.parametrize(
    "octets",
    [
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        struct.pack(">LLLL", pdu_octets_max + 1, Command.DELIVER_SM, 0, 1),
        struct.pack(">LLLL", 3, Command.DELIVER_SM, 0, 1),
        Pdu(Command.UNBIND, 9).octets,
    ],
    ids=["http", "long", "short", "unbind"],
)
def test_what_is_no_smpp_loses_the_link_and_what_was_submitted_is_unknown(
    octets: bytes,
) -> None:
    def answer(line: socket.socket) -> None:
        assert read_pdu(line) is not None
        line.sendall(octets)
        line.recv(1)

    with misbehaving(answer) as sender:
        assert sender.send(SMS).state is SmsState.UNKNOWN


@pytest.mark.parametrize(
    ("theirs", "response"),
    [
        (Pdu(Command.ENQUIRE_LINK, 7), Pdu(0x80000015, 7)),
        (Pdu(0x0000_0ABC, 7), Pdu(0x80000000, 7, status=Status.INVALID_COMMAND)),
        (Pdu(Command.DELIVER_SM, 7, body=_incoming() + b"\x04"), Pdu(0x80000000, 7, status=3)),
    ],
    ids=["enquire_link", "unknown", "cut short"],
)
def test_theirs_is_answered_and_the_link_goes_on(theirs: Pdu, response: Pdu) -> None:
    answers: list[Pdu | None] = []

    def answer(line: socket.socket) -> None:
        submitted = read_pdu(line)
        assert submitted is not None
        line.sendall(theirs.octets)
        answers.append(read_pdu(line))
        line.sendall(submitted.answered(body=cstring("1")).octets)

    with misbehaving(answer) as sender:
        assert sender.send(SMS).provider_id == "1"
    assert answers == [response]


@pytest.mark.parametrize(
    ("status", "trouble"),
    [
        (Status.INVALID_COMMAND, DoorError),
        (Status.OK, DoorError),
        (Status.THROTTLED, Throttled),
    ],
)
def test_a_submit_that_is_not_understood_was_not_taken(
    status: Status, trouble: type[DoorError]
) -> None:
    def answer(line: socket.socket) -> None:
        submitted = read_pdu(line)
        assert submitted is not None
        line.sendall(Pdu(Command.GENERIC_NACK, submitted.sequence, status).octets)
        line.recv(1)

    with misbehaving(answer) as sender, pytest.raises(trouble):
        sender.send(SMS)


def test_a_sender_that_is_not_registered_is_trouble_of_its_own_numbers_only() -> None:
    def answer(line: socket.socket) -> None:
        submitted = read_pdu(line)
        assert submitted is not None
        line.sendall(submitted.answered(0x0A).octets)
        line.recv(1)

    with misbehaving(answer) as sender, pytest.raises(NotCarried, match="0xa"):
        sender.send(SMS)


@pytest.mark.parametrize("source", ["SAFARICOM", "20385", ""])
def test_what_comes_from_no_phone_is_refused_for_good(source: str) -> None:
    answers: list[Pdu | None] = []

    def answer(line: socket.socket) -> None:
        line.sendall(Pdu(Command.DELIVER_SM, 7, body=_incoming(source)).octets)
        answers.append(read_pdu(line))

    with misbehaving(answer):
        assert eventually(lambda: bool(answers))
    assert answers == [Pdu(0x80000005, 7, status=0x65, body=b"\0")]


@pytest.mark.parametrize("message_id", [b"", b"\0"])
def test_a_message_that_is_taken_without_an_id_is_taken(message_id: bytes) -> None:
    def answer(line: socket.socket) -> None:
        submitted = read_pdu(line)
        assert submitted is not None
        line.sendall(submitted.answered(body=message_id).octets)
        line.recv(1)

    with misbehaving(answer) as sender:
        result = sender.send(SMS)
    assert (result.state, result.provider_id) == (SmsState.ACCEPTED, None)


class Unrested:
    """Whoever is told here that a provider rests takes it for a fault."""

    def began(self, provider: str, rest_s: float) -> None:
        raise AssertionError(f"{provider} rests for {rest_s} s")

    def ended(self, provider: str) -> None:
        raise AssertionError(f"{provider} is back")


@contextmanager
def misbehaving(
    answer: Callable[[socket.socket], None], terms: Terms = TERMS
) -> Iterator[SmppSms]:
    """A sender that is bound to an SMSC which goes on as `answer` says."""
    with (
        listening(answer) as port,
        SmppSms(account(port), terms, report=Kept(), texted=lambda _: True) as sender,
    ):
        yield sender


@contextmanager
def listening(answer: Callable[[socket.socket], None]) -> Iterator[int]:
    """The port of an SMSC that lets one in, and goes on as `answer` says."""

    def serve(server: socket.socket) -> None:
        with suppress(OSError), server.accept()[0] as line:
            line.settimeout(5)
            bind = read_pdu(line)
            assert bind is not None
            line.sendall(bind.answered(body=cstring("smsc")).octets)
            answer(line)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,), daemon=True)
        thread.start()
        yield int(server.getsockname()[1])
        thread.join(5)


def account(port: int, system_id: str = SYSTEM_ID, password: str = PASSWORD) -> Account:
    return Account("127.0.0.1", port, system_id, password, tls=False)


def _taken(sender: SmppSms) -> bool:
    try:
        return sender.send(SMS).state is SmsState.ACCEPTED
    except DoorError:
        return False
