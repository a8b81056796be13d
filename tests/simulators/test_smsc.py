"""The simulated SMSC, driven by smpplib itself."""

import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from smpplib import consts, exceptions, smpp
from smpplib.client import Client

from ussd_gateway.domain.msisdn import Msisdn
from ussd_gateway.simulators.inbox import Inbox
from ussd_gateway.simulators.pdus import Malformed, Status, Submitted
from ussd_gateway.simulators.sms_troubles import AnswerTrouble, Plan, ReportTrouble, Troubles
from ussd_gateway.simulators.smsc import Smsc, sessions_max

AMINA = Msisdn("+254711000001")


@pytest.fixture
def inbox(tmp_path: Path) -> Iterator[Inbox]:
    made = Inbox(tmp_path / "simulator.sqlite")
    yield made
    made.close()


@pytest.fixture
def troubles() -> Troubles:
    return Troubles(os.urandom)


@pytest.fixture
def smsc(inbox: Inbox, troubles: Troubles) -> Iterator[Smsc]:
    made = Smsc(
        inbox,
        system_id="gateway",
        password="demo",
        octets=os.urandom,
        now=lambda: datetime(2026, 11, 21, 9, 5, tzinfo=UTC),
        troubles=troubles,
        report_delay_s=0.05,
    )
    made.start()
    yield made
    made.close()


class Bound:
    """A client that is bound, and what it was told."""

    def __init__(self, smsc: Smsc, client: Client) -> None:
        self.smsc = smsc
        self.client = client
        self.taken: list[Any] = []
        self.receipts: list[bytes] = []
        self.refuses = 0  # so many of the next receipts
        client.set_message_sent_handler(self._answered)
        client.set_message_received_handler(self._received)
        client.set_error_pdu_handler(self._answered)

    def submit(self, text: bytes = b"Hello", **its: Any) -> Any:
        """The answer to it; receipts that come before it are taken too."""
        before = len(self.taken)
        self.client.send_message(
            **{
                "source_addr_ton": consts.SMPP_TON_ALNUM,
                "source_addr": "PESA",
                "dest_addr_ton": consts.SMPP_TON_INTL,
                "dest_addr_npi": consts.SMPP_NPI_ISDN,
                "destination_addr": AMINA.removeprefix("+"),
                "short_message": text,
                "registered_delivery": 1,
                **its,
            }
        )
        while len(self.taken) == before:
            self.client.read_once(auto_send_enquire_link=False)
        return self.taken[-1]

    def hear(self, count: int) -> list[bytes]:
        while len(self.receipts) < count:
            self.client.read_once(auto_send_enquire_link=False)
        return self.receipts

    def _answered(self, pdu: Any) -> None:
        self.taken.append(pdu)

    def _received(self, pdu: Any) -> int | None:
        if self.refuses:
            self.refuses -= 1
            return int(consts.SMPP_ESME_RX_T_APPN)
        self.receipts.append(pdu.short_message)
        return None


@contextmanager
def bound(
    smsc: Smsc, system_id: str = "gateway", password: str = "demo", timeout_s: float = 5
) -> Iterator[Bound]:
    client = Client("127.0.0.1", smsc.port, timeout=timeout_s, allow_unknown_opt_params=True)
    client.connect()
    try:
        client.bind_transceiver(system_id=system_id, password=password)
        yield Bound(smsc, client)
        client.unbind()
    finally:
        client.disconnect()


def test_a_message_is_taken_and_shown_on_its_phone(smsc: Smsc, inbox: Inbox) -> None:
    with bound(smsc) as line:
        answer = line.submit(b"Habari")
    (message,) = inbox.messages(AMINA)
    assert (message.sender, message.text) == ("PESA", "Habari")
    assert answer.message_id.decode() == message.provider_id


def test_a_receipt_is_as_the_specification_has_it(smsc: Smsc) -> None:
    with bound(smsc) as line:
        name = line.submit().message_id.decode()
        first, last = line.hear(2)
    head = f"id:{name} sub:001 dlvrd:".encode()
    dates = b" submit date:2611210905 done date:2611210905"
    assert first.startswith(head + b"000" + dates + b" stat:ACCEPTD err:000")
    assert last.startswith(head + b"001" + dates + b" stat:DELIVRD err:000")


def test_who_asks_for_no_receipt_gets_none(smsc: Smsc) -> None:
    with bound(smsc) as line:
        line.submit(registered_delivery=0)
        line.client.timeout = 0.3
        time.sleep(0.2)
        line.client.poll()
        assert line.receipts == []


def test_a_long_text_comes_in_its_parameter(smsc: Smsc, inbox: Inbox) -> None:
    with bound(smsc) as line:
        line.submit(b"", message_payload=b"x" * 500)
    assert [message.text for message in inbox.messages(AMINA)] == ["x" * 500]


@pytest.mark.parametrize(
    "its",
    [
        {"destination_addr": "254711"},
        {"destination_addr": "254202222222"},
        {"destination_addr": "0711000001", "dest_addr_ton": 2},
    ],
)
def test_a_number_that_cannot_be_reached_is_refused(smsc: Smsc, its: dict[str, Any]) -> None:
    with bound(smsc) as line:
        assert line.submit(**its).status == Status.INVALID_DESTINATION


@pytest.mark.parametrize(
    ("system_id", "password", "status"),
    [
        ("stranger", "demo", Status.INVALID_SYSTEM_ID),
        ("gateway", "no", Status.INVALID_PASSWORD),
    ],
)
def test_a_stranger_is_not_let_in(
    smsc: Smsc, system_id: str, password: str, status: Status
) -> None:
    with (
        pytest.raises(exceptions.PDUError) as raised,
        bound(smsc, system_id, password),
    ):
        pass
    assert raised.value.args[1] == status


def test_nothing_is_taken_before_a_bind(smsc: Smsc, inbox: Inbox) -> None:
    client = Client("127.0.0.1", smsc.port, timeout=5, allow_unknown_opt_params=True)
    client.connect()
    client.state = consts.SMPP_CLIENT_STATE_BOUND_TRX  # as it is not
    client.send_message(destination_addr="254711000001", short_message=b"Hello")
    assert client.read_pdu().status == Status.NOT_BOUND
    client.state = consts.SMPP_CLIENT_STATE_OPEN
    client.disconnect()
    assert inbox.messages(AMINA) == []


def test_a_second_bind_of_a_session_is_refused_and_the_first_holds(smsc: Smsc) -> None:
    with bound(smsc) as line:
        line.client.state = consts.SMPP_CLIENT_STATE_OPEN
        with pytest.raises(exceptions.PDUError) as raised:
            line.client.bind_transceiver(system_id="gateway", password="demo")
        assert raised.value.args[1] == Status.ALREADY_BOUND
        line.client.state = consts.SMPP_CLIENT_STATE_BOUND_TRX
        assert line.submit().status == Status.OK


def test_whoever_asks_whether_it_is_there_is_told(smsc: Smsc) -> None:
    with bound(smsc) as line:
        line.client.send_pdu(smpp.make_pdu("enquire_link", client=line.client))
        assert line.client.read_pdu().command == "enquire_link_resp"
        line.client.send_pdu(smpp.make_pdu("query_sm", client=line.client, message_id="7"))
        nack = line.client.read_pdu()
        assert (nack.command, nack.status) == ("generic_nack", Status.INVALID_COMMAND)


@pytest.mark.parametrize(
    ("trouble", "status"),
    [
        (AnswerTrouble.ERROR, Status.SYSTEM_ERROR),
        (AnswerTrouble.THROTTLED, Status.THROTTLED),
        (AnswerTrouble.REFUSED, Status.SUBMIT_FAILED),
    ],
)
def test_troubles_are_an_smscs_own(
    smsc: Smsc, inbox: Inbox, troubles: Troubles, trouble: AnswerTrouble, status: Status
) -> None:
    troubles.play(Plan({trouble: 1.0}), requests=1)
    with bound(smsc) as line:
        assert line.submit().status == status
        assert inbox.messages(AMINA) == []
        assert line.submit().status == Status.OK


@pytest.mark.parametrize(
    ("trouble", "delivered"),
    [(AnswerTrouble.SILENT, 0), (AnswerTrouble.SILENT_AFTER_TAKING, 1)],
)
def test_silence_is_before_or_after_it_is_taken(
    smsc: Smsc, inbox: Inbox, troubles: Troubles, trouble: AnswerTrouble, delivered: int
) -> None:
    troubles.play(Plan({trouble: 1.0}, {ReportTrouble.MISSING: 1.0}))
    with bound(smsc, timeout_s=0.3) as line:
        with pytest.raises(socket.timeout):
            line.submit()
        assert len(inbox.messages(AMINA)) == delivered


def test_a_receipt_that_is_refused_comes_again(smsc: Smsc) -> None:
    with bound(smsc) as line:
        line.refuses = 1
        line.submit()
        assert len(line.hear(2)) == 2
        assert line.refuses == 0


def test_receipts_go_to_any_session_of_the_account(smsc: Smsc) -> None:
    with bound(smsc) as one, bound(smsc) as other:
        one.submit()
        one.hear(1)
        other.hear(1)


def test_what_is_no_smpp_is_cut_off(smsc: Smsc) -> None:
    with socket.create_connection(("127.0.0.1", smsc.port), 5) as line:
        line.sendall(b"GET / HTTP/1.1\r\n\r\n")
        with suppress(ConnectionResetError):
            assert line.recv(1) == b""
    with bound(smsc) as other:
        assert other.submit().status == Status.OK


def test_more_sessions_than_it_holds_are_turned_away(smsc: Smsc) -> None:
    lines = [socket.create_connection(("127.0.0.1", smsc.port), 5) for _ in range(sessions_max)]
    with socket.create_connection(("127.0.0.1", smsc.port), 5) as one_more:
        one_more.settimeout(5)
        assert one_more.recv(1) == b""
    for each in lines:
        each.close()


def test_a_submit_that_is_cut_short_is_told_from_a_whole_one() -> None:
    with pytest.raises(Malformed):
        Submitted.read(b"\0\5\0PESA\0\1\1254711000001\0\0\0\0\0\0\1\0\0\0\5Hell")
    with pytest.raises(Malformed):
        Submitted.read(b"\0\5\0" + b"P" * 30)
