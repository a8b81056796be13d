"""A simulated SMSC for the tests of this folder, over real TCP."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ussd_gateway.ports import DeliveryReport
from ussd_gateway.simulators.inbox import Inbox
from ussd_gateway.simulators.sms_troubles import Troubles
from ussd_gateway.simulators.smsc import Smsc
from ussd_gateway.sms.plan import Terms
from ussd_gateway.sms.smpp.incoming import Texted
from ussd_gateway.sms.smpp.link import Account
from ussd_gateway.sms.smpp.sender import SmppSms

SYSTEM_ID, PASSWORD = "gateway", "demo"
TERMS = Terms(rate_per_s=100, answers_within_s=0.2, window=20)


class Centre:
    """An SMSC, its phones, and the ways to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.inbox = Inbox(folder / "simulator.sqlite")
        self.troubles = Troubles(os.urandom)
        self.smsc: Smsc | None = None

    def start(self, *, port: int = 0, decimal_receipts: bool = False) -> Smsc:
        self.smsc = Smsc(
            self.inbox,
            system_id=SYSTEM_ID,
            password=PASSWORD,
            octets=os.urandom,
            now=lambda: datetime.now(UTC),
            troubles=self.troubles,
            port=port,
            report_delay_s=0.05,
            decimal_receipts=decimal_receipts,
        )
        self.smsc.start()
        return self.smsc

    def stop(self) -> None:
        if self.smsc is not None:
            self.smsc.close()
        self.smsc = None

    @contextmanager
    def bound(
        self,
        report: Callable[[DeliveryReport], bool] = lambda _: True,
        *,
        decimal_ids: bool = False,
        texted: Callable[[Texted], bool] = lambda _: True,
    ) -> Iterator[SmppSms]:
        assert self.smsc is not None
        account = Account("127.0.0.1", self.smsc.port, SYSTEM_ID, PASSWORD, tls=False)
        terms = Terms(100, 0.2, window=20, decimal_ids=decimal_ids)
        with SmppSms(account, terms, report=report, texted=texted) as sender:
            yield sender


@pytest.fixture
def centre(tmp_path: Path) -> Iterator[Centre]:
    made = Centre(tmp_path)
    with ExitStack() as after:
        after.callback(made.inbox.close)
        after.callback(made.stop)
        yield made
