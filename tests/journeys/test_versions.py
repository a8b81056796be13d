"""Menus that change while people are in them: an open session keeps the version it began with,
the next one sees the new version within two seconds, and nobody ever sees a broken one."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path

import pytest

from tests.world import Line
from ussd_gateway import app
from ussd_gateway.cli.stage.world import GatewayWorld, opened
from ussd_gateway.settings import Settings

SHIPPED = Path("menus/customer.yaml").read_text("utf-8")
TO_PIN = ("1", "0711000002", "500")
PIN = "4826"
taken_up_within_s = 2.0
hop_s = 0.02

TITLE = "text: {en: Pesa,"
NUMBER = "en: Enter phone number"

_numbers = count(1)


def changed() -> str:
    """Another title on the first screen, and another question for the number."""
    return _edited(SHIPPED, TITLE, "text: {en: Pesa two,").replace(NUMBER, "en: Who to?")


def renamed() -> str:
    """`changed`, and the screen that asks for the PIN of a payment has another name: the one
    that sessions stand at is removed."""
    return changed().replace("send_pin", "send_secret")


def titled(number: int) -> str:
    return _edited(SHIPPED, TITLE, f"text: {{en: Pesa {number},")


def _edited(source: str, old: str, new: str) -> str:
    assert source.count(old) == 1, old
    return source.replace(old, new)


class Office:
    """Where operators edit, publish and roll back."""

    def __init__(self, settings: Settings, world: GatewayWorld) -> None:
        self._settings = settings
        self._versions = world.gateway.versions
        self._file = settings.menus_dir / "customer.yaml"

    def publishes(self, source: str) -> str:
        self._file.write_text(source, "utf-8")
        (moved,) = app.publish(self._settings, self._versions, author="njeri")
        return moved.digest

    def rolls_back(self) -> None:
        app.roll_back(self._settings, self._versions, "customer", to=None, author="odhiambo")

    def poisons(self, source: bytes) -> None:
        """As another release would have published it, or somebody by hand."""
        seq = self._versions.live()["customer"].seq
        self._versions.publish("customer", "0" * 16, source, after=seq, author="nobody")


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    """With a folder of menus that can be edited."""
    folder = tmp_path / "menus"
    for path in Path("menus").rglob("*.*"):
        copy = folder / path.relative_to("menus")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    return settings.model_copy(update={"menus_dir": folder})


@pytest.fixture
def world(settings: Settings) -> Iterator[GatewayWorld]:
    with opened(settings) as world:
        yield world


@pytest.fixture
def office(settings: Settings, world: GatewayWorld) -> Office:
    return Office(settings, world)


def sees(world: GatewayWorld, title: str) -> bool:
    """Whether somebody who dials sees the title, now or soon."""
    give_up_at = time.monotonic() + taken_up_within_s
    while time.monotonic() < give_up_at:
        new = Line(world, f"new-{next(_numbers)}")
        if new.sends().splitlines()[0] == f"CON {title}":
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("next_version", [changed, renamed])
def test_an_open_session_ends_on_the_version_it_began_with(
    world: GatewayWorld, office: Office, next_version: Callable[[], str]
) -> None:
    paying, choosing = Line(world, "paying"), Line(world, "choosing")
    paying.walks(*TO_PIN)
    choosing.sends()
    office.publishes(next_version())

    assert sees(world, "Pesa two")
    assert choosing.sends("1") == "CON Enter phone number"
    assert "Sent KES 500.00 to Juma Otieno" in paying.sends(*TO_PIN, PIN)
    assert Line(world, "another").walks("1") == "CON Who to?"


def test_a_session_goes_on_in_a_process_that_never_saw_its_version_live(
    settings: Settings, world: GatewayWorld, office: Office
) -> None:
    line = Line(world, "moved")
    line.walks(*TO_PIN)
    office.publishes(renamed())
    kept = world.client.dump("ussd:africastalking:moved")
    assert kept is not None

    with opened(settings) as other:
        other.client.restore("ussd:africastalking:moved", 0, kept)
        assert "Sent KES 500.00" in Line(other, "moved").sends(*TO_PIN, PIN)


def test_after_a_rollback_the_next_session_sees_the_version_before(
    world: GatewayWorld, office: Office
) -> None:
    office.publishes(changed())
    assert sees(world, "Pesa two")
    open_line = Line(world, "open")
    open_line.sends()
    office.rolls_back()

    assert sees(world, "Pesa")
    assert open_line.sends("1") == "CON Who to?"


@pytest.mark.parametrize("poison", [b"\x00 no menu at all", SHIPPED.encode()])
def test_a_poison_version_leaves_the_last_good_one(
    settings: Settings, world: GatewayWorld, office: Office, poison: bytes
) -> None:
    office.publishes(changed())
    assert sees(world, "Pesa two")
    office.poisons(poison)
    time.sleep(taken_up_within_s)
    assert sees(world, "Pesa two")

    # Nor does a process need luck in the moment at which it starts.
    settings.menus_dir.joinpath("customer.yaml").write_text(changed(), "utf-8")
    served = app.gateway(settings, clock=world.clock, random=app.random(settings))
    served.close()
    office.rolls_back()
    assert sees(world, "Pesa two")


def test_none_of_200_sessions_fails_while_versions_come_and_go(
    world: GatewayWorld, office: Office
) -> None:
    def walk(number: int) -> list[str]:
        line, answers = Line(world, f"walk-{number}"), []
        for typed in range(len(TO_PIN) + 1):
            answers.append(line.sends(*TO_PIN[:typed]))
            time.sleep(hop_s)
        return answers

    with ThreadPoolExecutor(8) as pool:
        walks = [pool.submit(walk, number) for number in range(200)]
        for number in range(1, 6):
            office.publishes(titled(number) if number % 2 else changed())
            time.sleep(0.4)
        office.rolls_back()
        walked = [walk.result() for walk in walks]

    titles = {answers[0].splitlines()[0] for answers in walked}
    assert len(titles) > 1
    for first, second, *_, last in walked:
        asks = "CON Who to?" if first.startswith("CON Pesa two") else "CON Enter phone number"
        assert second.startswith(asks)
        assert last.startswith("CON Send KES 500.00 to Juma Otieno")


def test_a_pack_that_nobody_published_is_told_with_what_to_do(
    settings: Settings, world: GatewayWorld, tmp_path: Path
) -> None:
    empty = settings.model_copy(update={"database_url": f"sqlite:///{tmp_path / 'empty'}"})
    app.upgrade(empty)

    with pytest.raises(app.Faulty, match="run `ussd-gateway menu publish`"):
        app.check_served(empty)
    with pytest.raises(app.Faulty, match="run `ussd-gateway menu publish`"):
        app.gateway(empty, clock=world.clock, random=app.random(settings))
