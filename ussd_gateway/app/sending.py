"""Who carries our SMS: `menus/providers.yaml` and the accounts of the environment, together."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import structlog
from sqlalchemy.exc import SQLAlchemyError

from ussd_gateway.app.files import Faulty, read
from ussd_gateway.ports import DeliveryReport
from ussd_gateway.settings import NEW_SMPP, Settings
from ussd_gateway.sms.africastalking import AfricasTalkingSms
from ussd_gateway.sms.chooser import Chooser, chooser
from ussd_gateway.sms.file import FileSms
from ussd_gateway.sms.plan import AFRICAS_TALKING, FILE, SMPP, Plan, load_plan
from ussd_gateway.sms.provider import Provider
from ussd_gateway.sms.smpp.link import Account
from ussd_gateway.sms.smpp.sender import SmppSms

log = structlog.get_logger()

WRITTEN_TO = "sms.jsonl"


def sms_plan(settings: Settings) -> Plan:
    """Who carries what, how many at once and in flight. Raises Faulty."""
    file = "menus/providers.yaml"
    found = load_plan(read(settings.menus_dir / "providers.yaml"), file=file)
    if isinstance(found, list):
        raise Faulty(tuple(map(str, found)))
    if SMPP in found.routed and not _has_account(settings):
        raise Faulty((f"{file} leads to {SMPP}, and its account is not there; {NEW_SMPP}",))
    if FILE in found.routed and settings.production:
        raise Faulty((f"{file} leads to {FILE}: nobody would get their SMS; name a provider",))
    return found


@contextmanager
def sms_sender(
    settings: Settings, *, report: Callable[[DeliveryReport], object]
) -> Iterator[Chooser]:
    """What sends, while it lasts. `report` keeps what providers say on lines of their own of
    messages that they took. Raises Faulty."""
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
            link = SmppSms(_account(settings), plan.terms[SMPP], report=_keeping(report))
            providers[SMPP] = lines.enter_context(link)
        if FILE in plan.routed:
            providers[FILE] = FileSms(settings.data_dir / WRITTEN_TO)
        yield chooser(plan, providers)


def _has_account(settings: Settings) -> bool:
    return None not in (
        settings.smpp_host,
        settings.smpp_port,
        settings.smpp_system_id,
        settings.smpp_password,
    )


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
