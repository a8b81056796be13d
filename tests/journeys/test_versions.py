"""Menus that change while people are in them: an open session keeps the version it began with,
the next one sees the new version within two seconds, and nobody ever sees a broken one."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from pathlib import Path
from threading import Event

import pytest

from tests.world import AMINA, GRACE, Line
from ussd_gateway import app
from ussd_gateway.cli.stage.world import GatewayWorld, opened
from ussd_gateway.settings import Settings
from ussd_gateway.store.menus.rollout import Numbers, Rollout, Share, Through
from ussd_gateway.store.staff import Member, Role

SHIPPED = Path("menus/customer.yaml").read_text("utf-8")
TO_PIN = ("1", "0711000002", "500")
PIN = "4826"
GRACE_PIN = "5937"
taken_up_within_s = 2.0

TITLE = "text: {en: Pesa,"
NUMBER = "en: Enter phone number"

WANJIRU = "+254722000001"
NJERI = Member("njeri", Role.MAKER, "installation", 0, disabled=False)
ODHIAMBO = Member("odhiambo", Role.CHECKER, "installation", 0, disabled=False)

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


def forgetful(source: str) -> str:
    """Without the question whether to go on: the phone has many sessions at once."""
    return _edited(source, ", resume: {window: 5m, mode: ask}", "")


def _edited(source: str, old: str, new: str) -> str:
    assert source.count(old) == 1, old
    return source.replace(old, new)


class Office:
    """Where operators edit, publish and roll back."""

    def __init__(self, settings: Settings, world: GatewayWorld) -> None:
        self._settings = settings
        self._engine = world.gateway.engine
        self._versions = world.gateway.versions
        self._stops = app.stops(settings, self._engine)
        self._file = settings.menus_dir / "customer.yaml"

    def publishes(self, source: str) -> str:
        self._file.write_text(source, "utf-8")
        (moved,) = app.publish(self._settings, self._versions, author="njeri")
        return moved.digest

    def rolls_back(self) -> None:
        app.roll_back(self._settings, self._versions, "customer", to=None, author="odhiambo")

    def proposes(self, source: str, rollout: Rollout) -> str:
        """What a checker approves for some, to begin with."""
        self._file.write_text(source, "utf-8")
        proposals = app.proposals(self._settings, self._engine)
        (review,) = app.propose(
            self._settings,
            self._versions,
            proposals,
            by=NJERI,
            note=None,
            trial=lambda: app.Trial((), ()),
        )
        app.approve(
            self._settings,
            self._versions,
            proposals,
            review.number,
            by=ODHIAMBO,
            rollout=rollout,
        )
        return review.digest

    def rolls_out(self, rollout: Rollout | None) -> None:
        app.roll_out(self._settings, self._versions, "customer", rollout, by=ODHIAMBO)

    def retires(self, digest: str) -> None:
        app.retire(self._settings, self._versions, "customer", digest, by=ODHIAMBO)

    def stops(self, action: str) -> None:
        app.stop_action(self._settings, self._stops, action, author="njeri")

    def starts(self, action: str) -> None:
        app.start_action(self._stops, action, author="njeri")

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


def dials(world: GatewayWorld, msisdn: str = AMINA) -> str:
    """The title that a new session of this phone shows."""
    return Line(world, f"new-{next(_numbers)}", msisdn).sends().splitlines()[0]


def sees(world: GatewayWorld, title: str, msisdn: str = AMINA) -> bool:
    """Whether somebody who dials sees the title, now or soon."""
    give_up_at = time.monotonic() + taken_up_within_s
    while time.monotonic() < give_up_at:
        if dials(world, msisdn) == f"CON {title}":
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


def test_a_version_is_for_the_numbers_it_names_and_then_for_all(
    world: GatewayWorld, office: Office
) -> None:
    office.proposes(changed(), Numbers(frozenset({AMINA})))
    assert sees(world, "Pesa two")
    assert (dials(world, GRACE), dials(world, WANJIRU)) == ("CON Pesa", "CON Pesa")
    office.rolls_out(Through(frozenset({"hubtel"})))
    assert sees(world, "Pesa")
    office.rolls_out(Through(frozenset({"africastalking"})))
    assert sees(world, "Pesa two", GRACE)
    office.rolls_out(None)
    assert sees(world, "Pesa two", WANJIRU)


def test_whoever_is_in_a_share_stays_in_when_it_is_widened(
    world: GatewayWorld, office: Office
) -> None:
    phones = [AMINA, WANJIRU, GRACE]
    digest = office.proposes(changed(), Share(1))
    for percent in (40, 80):
        office.rolls_out(Share(percent))
        time.sleep(taken_up_within_s)
        share = Share(percent)
        for phone in phones:
            included = share.includes(digest, msisdn=phone, route="africastalking")
            assert dials(world, phone) == ("CON Pesa two" if included else "CON Pesa")


def test_a_session_of_a_retired_version_goes_on_in_what_took_its_place(
    world: GatewayWorld, office: Office
) -> None:
    old = office.publishes(titled(1))
    assert sees(world, "Pesa 1")
    line = Line(world, "staying")
    line.sends()
    assert line.sends("1") == "CON Enter phone number"
    office.publishes(changed())
    assert sees(world, "Pesa two")
    assert line.sends("1", "0711000002") == "CON Enter amount"

    office.retires(old)
    time.sleep(taken_up_within_s)
    moved = line.sends("1", "0711000002", "500")
    assert moved.splitlines()[:2] == ["CON The menu has changed.", "Pesa two"]


def test_an_action_that_is_disabled_runs_no_more_and_then_again(
    world: GatewayWorld, office: Office
) -> None:
    line = Line(world, "paying")
    line.walks(*TO_PIN)
    office.stops("send_money")
    time.sleep(taken_up_within_s)
    refused = line.sends(*TO_PIN, PIN)
    assert "Sent" not in refused

    office.starts("send_money")
    time.sleep(taken_up_within_s)
    again = Line(world, "again")
    again.walks(*TO_PIN)
    assert "Sent KES 500.00 to Juma Otieno" in again.sends(*TO_PIN, PIN)


def test_two_processes_take_a_version_up_within_two_seconds(
    settings: Settings, world: GatewayWorld, office: Office
) -> None:
    with opened(settings) as other:
        assert (dials(world), dials(other)) == ("CON Pesa", "CON Pesa")
        office.publishes(changed())
        published_at = time.monotonic()
        assert sees(world, "Pesa two")
        assert sees(other, "Pesa two")
        assert time.monotonic() - published_at < taken_up_within_s
        office.rolls_back()
        assert sees(other, "Pesa")
        assert sees(world, "Pesa")


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


def numbered(number: int) -> str:
    """A version whose screens all bear its number; of every second, the one that asks for the
    PIN has another name."""
    source = forgetful(titled(number)).replace(NUMBER, f"en: Number {number}?")
    source = source.replace("en: Enter amount,", f"en: Amount {number}?,")
    return source.replace("send_pin", "send_secret") if number % 2 else source


def test_none_of_1000_sessions_fails_over_ten_publishes(
    settings: Settings, world: GatewayWorld, office: Office
) -> None:
    sessions = 1_000 if settings.database_url.startswith("sqlite") else 300
    office.publishes(numbered(0))
    assert sees(world, "Pesa 0")
    begun: set[int] = set()
    done = Event()

    def pays(number: int) -> list[str]:
        line = Line(world, f"pays-{number}", GRACE)
        answers = [line.sends()]
        begun.add(number)
        typed = ("1", "0711000002", "10", GRACE_PIN)
        return answers + [line.sends(*typed[:hop]) for hop in range(1, len(typed) + 1)]

    def publishes() -> None:
        """Ten of them, spread over the sessions; and one is taken back."""
        for number in range(1, 11):
            while len(begun) < sessions * number // 12 and not done.is_set():
                time.sleep(0.01)
            office.publishes(numbered(number))
        office.rolls_back()

    with ThreadPoolExecutor(9) as pool:
        publishing = pool.submit(publishes)
        try:
            paid = [each.result() for each in [pool.submit(pays, n) for n in range(sessions)]]
        finally:
            done.set()
        publishing.result()

    versions = set()
    for home, number, amount, commit, end in paid:
        version = home.splitlines()[0].removeprefix("CON Pesa ")
        versions.add(version)
        assert number == f"CON Number {version}?"
        assert amount == f"CON Amount {version}?"
        assert commit.startswith("CON Send KES 10.00 to Juma Otieno 0711000002\n")
        assert " Sent KES 10.00 to Juma Otieno. " in end
    assert len(versions) > 3
    assert len({end.split()[1] for *_, end in paid}) == sessions


def test_a_pack_that_nobody_published_is_told_with_what_to_do(
    settings: Settings, world: GatewayWorld, tmp_path: Path
) -> None:
    empty = settings.model_copy(update={"database_url": f"sqlite:///{tmp_path / 'empty'}"})
    app.upgrade(empty)

    with pytest.raises(app.Faulty, match="run `ussd-gateway menu publish`"):
        app.check_served(empty)
    with pytest.raises(app.Faulty, match="run `ussd-gateway menu publish`"):
        app.gateway(empty, clock=world.clock, random=app.random(settings))
