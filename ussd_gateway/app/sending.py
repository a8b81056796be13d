"""What carries our SMS, and what comes back on the lines that it keeps."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager

import structlog
from sqlalchemy.exc import SQLAlchemyError

from ussd_gateway.app.answering import answering
from ussd_gateway.app.providers import sms_plan
from ussd_gateway.ports import DeliveryReport
from ussd_gateway.settings import Settings
from ussd_gateway.sms.africastalking import AfricasTalkingSms
from ussd_gateway.sms.chooser import Chooser, chooser
from ussd_gateway.sms.file import FileSms
from ussd_gateway.sms.plan import AFRICAS_TALKING, FILE, SMPP
from ussd_gateway.sms.provider import Provider
from ussd_gateway.sms.smpp.link import Account
from ussd_gateway.sms.smpp.sender import SmppSms
from ussd_gateway.store.resting import RedisRests

log = structlog.get_logger()

WRITTEN_TO = "sms.jsonl"


@contextmanager
def sms_sender(
    settings: Settings, *, report: Callable[[DeliveryReport], object]
) -> Iterator[Chooser]:
    """What sends, while it lasts. `report` keeps what providers say on lines of their own of
    messages that they took; what people text to us there is answered, by a ledger writer of
    its own. Raises Faulty."""
    plan = sms_plan(settings)
    with ExitStack() as lines:
        providers: dict[str, Provider] = {}
        if AFRICAS_TALKING in plan.routed:
            providers[AFRICAS_TALKING] = AfricasTalkingSms(
                username=settings.at_username,
                api_key=settings.at_api_key,
                base_url=settings.at_base_url,
            )
        if SMPP in plan.routed:
            link = SmppSms(
                _account(settings),
                plan.terms[SMPP],
                report=_keeping(report),
                texted=lines.enter_context(answering(settings)),
            )
            providers[SMPP] = lines.enter_context(link)
        if FILE in plan.routed:
            providers[FILE] = FileSms(settings.data_dir / WRITTEN_TO)
        rests = lines.enter_context(closing(RedisRests(settings.redis_url)))
        yield chooser(plan, providers, rests)


def _account(settings: Settings) -> Account:
    assert settings.smpp_host, "checked with the plan"
    assert settings.smpp_port, "checked with the plan"
    return Account(
        settings.smpp_host,
        settings.smpp_port,
        settings.smpp_system_id or "",
        settings.smpp_password or "",
        settings.smpp_tls,
    )


def _keeping(report: Callable[[DeliveryReport], object]) -> Callable[[DeliveryReport], bool]:
    def keep(found: DeliveryReport) -> bool:
        try:
            report(found)
        except SQLAlchemyError as error:
            log.warning("sms.report_not_kept", error=type(error).__name__)
            return False
        return True

    return keep
