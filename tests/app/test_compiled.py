"""Packs are compiled once a process for the same octets and terms, and bound to nothing."""

from collections.abc import Callable
from dataclasses import replace

from ussd_gateway.app.compiled import load_messages, load_pack, offered
from ussd_gateway.app.services import TEMPLATES
from ussd_gateway.app.wiring import unbound_actions
from ussd_gateway.domain.money import Money
from ussd_gateway.files.faults import Fault
from ussd_gateway.ports import Answer, Call, VarType
from ussd_gateway.settings import Settings
from ussd_gateway.ussd.menu import Program

SETTINGS = Settings()
SHIPPED = (SETTINGS.menus_dir / "customer.yaml").read_bytes()
ACTIONS = unbound_actions(SETTINGS)
MAX = Money(9_999_999_99, "KES")


def load(
    source: bytes = SHIPPED, file: str = "menus/customer.yaml", **given: VarType
) -> Program | list[Fault]:
    """With actions that are another gateway's each time, of which sending gives this, too."""
    actions = {name: replace(one, run=_runs()) for name, one in ACTIONS.items()}
    sending = actions["send_money"]
    actions["send_money"] = replace(sending, gives={**sending.gives, **given})
    return load_pack(source, file=file, actions=offered(actions), money_max=MAX, routes=())


def test_another_gateway_of_the_process_gets_the_same_program() -> None:
    assert isinstance(load(), Program)
    assert load() is load()


def test_other_octets_terms_or_names_are_compiled_for_themselves() -> None:
    others = [load(), load(SHIPPED + b"# more\n"), load(file="other"), load(more=VarType("id"))]
    assert len({id(one) for one in others}) == len(others)


def test_faults_carry_the_name_that_was_given_each_time() -> None:
    for file in ("one.yaml", "another.yaml", "one.yaml"):
        faults = load(b"schema: 2\n", file)
        assert isinstance(faults, list)
        assert {fault.file for fault in faults} == {file}
        faults.clear()  # the caller's own


def test_what_runs_is_not_held_on_to() -> None:
    known = offered({name: replace(one, run=_runs()) for name, one in ACTIONS.items()})
    assert known == offered(ACTIONS)
    assert len({one.run for one in known.actions.values()}) == 1


def test_texts_are_compiled_once_too() -> None:
    source = (SETTINGS.menus_dir / "sms.yaml").read_bytes()
    first, second = (
        load_messages(source, file="menus/sms.yaml", templates=TEMPLATES, money_max=MAX)
        for _ in range(2)
    )
    assert first is second


def _runs() -> Callable[[Call], Answer]:
    """Another each time."""

    def run(_call: Call) -> Answer:
        raise AssertionError

    return run
