"""`menus/providers.yaml`, with the accounts of the environment."""

from ussd_gateway.app.files import Faulty, read
from ussd_gateway.settings import NEW_SMPP, Settings
from ussd_gateway.sms.plan import FILE, SMPP, Plan, load_plan


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


def _has_account(settings: Settings) -> bool:
    return None not in (
        settings.smpp_host,
        settings.smpp_port,
        settings.smpp_system_id,
        settings.smpp_password,
    )
