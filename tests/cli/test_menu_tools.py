"""What operators look at their packs with, before and after anybody dials them."""

import json
import shutil
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
import redis
from msgspec.structs import replace

from tests.cli.office import Office
from tests.ussd.stand_in import WallClock, customer
from ussd_gateway.app import clock, market, unbound_packs
from ussd_gateway.cli.stage.playing import staged
from ussd_gateway.cli.stage.traces import columns
from ussd_gateway.ports import Request, SessionId
from ussd_gateway.settings import Settings
from ussd_gateway.simulators.transcripts import Transcript, parse
from ussd_gateway.store.database import connect
from ussd_gateway.store.menus.counts import SqlCounts
from ussd_gateway.store.menus.recordings import SqlRecordings
from ussd_gateway.ussd import engine as engine_of
from ussd_gateway.ussd.events import Session
from ussd_gateway.ussd.turn import recording, row
from ussd_gateway.ussd.turn.heard import Heard
from ussd_gateway.ussd.turn.row import Row
from ussd_gateway.ussd.versions import digest_of

CHEBET = "+254722333444"


def live_digest(office: Office) -> str:
    return digest_of(office.file.read_bytes())


# --- test


def test_the_operators_own_tests_are_played_on_their_files(office: Office) -> None:
    shutil.copytree("menus/tests", office.folder / "menus" / "tests", dirs_exist_ok=True)
    said = office.menu("test")

    assert said.code == 0, said.stdout
    names = sorted(path.name for path in Path("menus/tests").glob("*.txt"))
    assert [line.split()[0] for line in said.lines] == ["ok"] * len(names)
    assert [line.rpartition("/")[2] for line in said.lines] == names


def test_a_test_that_reads_otherwise_is_told(office: Office) -> None:
    office.edits("en: Enter phone number", "en: To whom")
    said = office.menu("test", "menus/tests/send_money.txt")

    assert said.code == 1
    assert "  - | CON Enter phone number\n  + | CON To whom\n" in said.stdout
    assert said.lines[-1] == "differs   menus/tests/send_money.txt"


def test_a_test_that_should_read_otherwise_is_rewritten(office: Office) -> None:
    office.edits("Send money, sw", "Send cash, sw")
    test = office.folder / "menus" / "tests" / "send_money.txt"
    test.parent.mkdir(exist_ok=True)
    shutil.copy("menus/tests/send_money.txt", test)
    said = office.menu("test", "--update", str(test))
    assert said.code == 0, said.stdout
    assert "  + | 1. Send cash" in said.stdout
    assert said.lines[-1] == "rewritten menus/tests/send_money.txt"
    assert office.menu("test", str(test)).lines == ["ok        menus/tests/send_money.txt"]


def test_a_test_that_ends_otherwise_is_left_to_a_person(office: Office) -> None:
    """Two keys have changed places: what the test walks is something else now."""
    office.edits('{key: "2", text: {en: Withdraw', '{key: "8", text: {en: Withdraw')
    office.edits('{key: "3", text: {en: Pay', '{key: "2", text: {en: Pay')
    office.edits('{key: "8", text: {en: Withdraw', '{key: "3", text: {en: Withdraw')
    test = office.folder / "menus" / "tests" / "buy_goods.txt"
    test.parent.mkdir(exist_ok=True)
    shutil.copy("menus/tests/buy_goods.txt", test)
    before = test.read_bytes()
    said = office.menu("test", "--update", str(test))
    assert said.code == 1
    assert "menus/tests/buy_goods.txt: left as it is: it ends otherwise now." in said.stdout
    assert said.lines[-1] == "differs   menus/tests/buy_goods.txt"
    assert test.read_bytes() == before


def test_lint_compares_with_what_people_know(office: Office) -> None:
    office.edits('{key: "2", text: {en: Withdraw', '{key: "8", text: {en: Withdraw')
    office.edits('{key: "3", text: {en: Pay', '{key: "2", text: {en: Pay')
    said = office.menu("lint")
    assert said.code == 0
    assert "W33 home: 2 is now Pay" in said.stdout
    assert office.menu("lint", "--strict").code == 1


def test_the_actions_are_told_as_menus_write_them(office: Office) -> None:
    said = office.menu("actions", "content.offered", "send_money.quote")
    assert said.lines[:3] == [
        "content.offered  (read: in a `list`)",
        "  rows: item (id), name (text(20)), price (money)",
        "  outcomes: empty, timeout",
    ]
    assert said.lines[3:5] == [
        "send_money.quote  (read: in a `call`)",
        "  with: to (msisdn), amount (money)",
    ]
    every = office.menu("actions").stdout
    assert "send_money  (money, for a PIN: in a `secret`)" in every
    told = office.menu("actions", "send")
    assert told.code == 1
    assert "no such action: send" in told.stderr


def test_no_tests_are_no_failure(office: Office) -> None:
    shutil.rmtree(office.folder / "menus" / "tests", ignore_errors=True)
    said = office.menu("test")

    assert said.code == 0
    assert "no tests there" in said.stdout


# --- preview


def test_a_screen_is_shown_as_the_phone_shows_it(office: Office) -> None:
    said = office.menu("preview", "customer", "--screen", "send_pin", "--lang", "sw")

    assert said.lines == [
        "send_pin",
        "╭─ sw ───────────────────────────╮",
        "│ Tuma KES 500.00 kwa Juma       │",
        "│ Otieno 0711000002              │",
        "│ Ada KES 7.00 Jumla KES 507.00  │",
        "│ Weka PIN                       │",
        "╰────────────────────────────────╯",
        " 81/160",
        "",
    ]


def test_every_screen_is_shown_at_its_worst(office: Office) -> None:
    said = office.menu("preview", "agent", "--worst-case")

    assert said.code == 0
    assert "│ Deposit KES 9,999,999.99 to    │" in said.stdout
    assert "notice resume" in said.stdout
    assert "TOO LONG" not in said.stdout


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("nobody",), "no such file or pack"),
        (("customer", "--screen", "send_pni"), "did you mean send_pin?"),
        (("customer", "--lang", "de"), "no such language"),
        (("customer", "--route", "pigeon"), "no such route"),
        (("customer@ffff",), "no such version"),
    ],
)
def test_what_is_not_there_is_told(office: Office, words: tuple[str, ...], told: str) -> None:
    said = office.menu("preview", *words)

    assert said.code == 1
    assert told in said.stderr


# --- graph


def test_a_pack_is_drawn(office: Office) -> None:
    out = office.folder / "customer.svg"
    assert office.menu("graph", "customer", "--svg", "--out", str(out)).code == 0
    text = out.read_text("utf-8")

    assert ET.fromstring(text).tag.endswith("svg")
    assert ">send_pin<" in text
    said = office.menu("graph", "customer", "--mermaid", "--lang", "fr")
    assert said.stdout.startswith("flowchart LR\n")
    assert '|"1. Envoyer"|' in said.stdout


def test_a_drawing_says_how_many_came(office: Office) -> None:
    engine = connect(f"sqlite:///{office.folder / 'gateway.sqlite'}")
    settings = Settings()
    day = market(settings).business_date(int(clock(settings).now().timestamp() * 1000))
    SqlCounts(engine).add(day, {("customer", live_digest(office), "home"): (40, 30, 2, 9000)})
    engine.dispose()
    said = office.menu("graph", "customer", "--mermaid", "--counts")

    assert "home<br>40 came, 25% left, 2 wrong" in said.stdout


def test_a_drawing_is_asked_for_in_one_form(office: Office) -> None:
    assert office.menu("graph", "customer").code == 2
    assert office.menu("graph", "customer", "--svg", "--mermaid").code == 2


# --- diff


def test_a_file_is_compared_with_what_is_live(office: Office) -> None:
    assert office.menu("diff", "customer").lines[1:] == ["The same, octet by octet."]
    before = live_digest(office)
    office.edits("en: Enter phone number", "en: To whom")
    said = office.menu("diff", "customer")

    assert said.lines[0].startswith(f"customer@{before}")
    assert "states changed: send_to" in said.stdout
    assert "Sessions in flight in customer@" in said.stdout
    assert said.lines[-6:] == [
        "",
        "send_to (en)",
        "╭─ before ───────────────────────╮  ╭─ after ────────────────────────╮",
        "│ Enter phone number             │  │ To whom                        │",
        "╰────────────────────────────────╯  ╰────────────────────────────────╯",
        " 18/160                              7/160",
    ]


def test_sessions_that_are_open_in_the_older_one_are_counted(
    office: Office, valkey_url: str
) -> None:
    url = f"{valkey_url}?db=8"
    redis.from_url(url).flushdb()
    digest = live_digest(office)
    now_ms = int(WallClock().now().timestamp() * 1000)
    session = Session("home", "en", {}, (), 0)
    opens(url, "one", digest, now_ms, session)
    opens(url, "two", digest, now_ms, session)
    opens(url, "ended", digest, now_ms, None)
    opens(url, "idle", digest, now_ms - 181_000, session)
    opens(url, "newer", "0" * 16, now_ms, session)
    office.comments("the next")
    said = office.does("menu", "diff", "customer", REDIS_URL=url)

    assert f"Sessions in flight in customer@{digest}: 2" in said.lines
    away = office.does("menu", "diff", "customer", REDIS_URL="redis://127.0.0.1:1")
    assert "not known: Redis does not answer" in away.stdout


def opens(url: str, name: str, digest: str, at_ms: int, session: Session | None) -> None:
    kept = Row("customer", digest, "test", name, "v", at_ms, Heard(0, (), b""), "", session)
    redis.from_url(url).hset(f"ussd:test:{name}", "row", row.pack(kept))


def test_any_two_are_compared(office: Office) -> None:
    other = office.folder / "other.yaml"
    shutil.copy(office.file, other)
    office.edits("fr: Mon compte}, go: account", "fr: Mon compte}, go: pay")
    said = office.menu("diff", str(other), "customer")

    assert said.code == 0
    assert "  home: key 5 led to account, and leads to pay" in said.lines


# --- explore


@pytest.mark.parametrize("pack", ["customer", "agent"])
def test_every_way_through_the_shipped_packs_is_well(office: Office, pack: str) -> None:
    said = office.menu("explore", pack)

    assert said.code == 0, said.stdout
    assert said.lines[-1].startswith("Every state and every END is reached")


def test_a_state_that_nothing_leads_to_is_named(office: Office) -> None:
    lonely = "  lonely:\n    end: {text: {en: Bye, sw: Kwaheri, fr: Salut}}\n"
    office.edits("states:\n  start:", f"states:\n{lonely}  start:")
    said = office.menu("explore", "customer")

    assert said.code == 1
    assert "never reached: lonely" in said.lines


# --- schema


def test_the_schema_is_printed(office: Office) -> None:
    schema = json.loads(office.menu("schema").stdout)

    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


# --- i18n


def test_texts_go_out_and_come_back(office: Office) -> None:
    before = office.file.read_bytes()
    po = office.folder / "sw.po"
    assert office.menu("i18n", "export", "customer", "--lang", "sw", "--out", str(po)).code == 0
    assert "#. send_pin: at worst 140 of 160 septets of a screen in en" in po.read_text("utf-8")
    said = office.menu("i18n", "import", "customer", str(po))
    assert said.stdout == "menus/customer.yaml: nothing has changed\n"

    po.write_text(po.read_text("utf-8").replace('"Tuma pesa"', '"Tuma hela"'), "utf-8")
    said = office.menu("i18n", "import", "customer", str(po))

    assert said.code == 0, said.stderr
    after = office.file.read_bytes()
    assert after == before.replace(b"sw: Tuma pesa", b"sw: Tuma hela")


def test_a_translation_that_is_too_long_stays_out(office: Office) -> None:
    before = office.file.read_bytes()
    po = office.folder / "sw.po"
    office.menu("i18n", "export", "customer", "--lang", "sw", "--out", str(po))
    long = f'"Weka namba ya simu {"ya mtu " * 25}"'
    po.write_text(po.read_text("utf-8").replace('"Weka namba ya simu"', long), "utf-8")
    said = office.menu("i18n", "import", "customer", str(po))

    assert said.code == 1
    assert "E11 send_to in sw" in said.stdout
    assert office.file.read_bytes() == before


def test_what_was_published_is_not_written_to(office: Office) -> None:
    po = office.folder / "sw.po"
    office.menu("i18n", "export", "customer@live", "--lang", "sw", "--out", str(po))
    said = office.menu("i18n", "import", "customer@live", str(po))

    assert said.code == 1
    assert "stays as it is" in said.stderr


# --- record


def does(office: Office, *typed: str) -> None:
    """What a gateway passes on of somebody nobody of the cast is: dials, and types this."""
    engine = connect(f"sqlite:///{office.folder / 'gateway.sqlite'}")
    recordings = SqlRecordings(engine, WallClock())
    program = unbound_packs(Settings(menus_dir=office.folder / "menus"))["customer"]
    chebet = customer(CHEBET, "Chebet Kiplagat", "sw")
    hop = Request("test", SessionId("s1"), chebet.msisdn, "*384#", "63902", "")
    recording.dials(recordings, program, hop, chebet)
    session = engine_of.begin(program, chebet)
    for state, text in zip(("home", "send_to", "send_amount", "send_pin"), typed, strict=True):
        here = replace(session, state=state)
        recording.enters(recordings, program, hop, here, text)
    engine.dispose()


def test_a_recorded_phone_becomes_a_test_that_is_played(office: Office) -> None:
    office.signs_in("njeri")
    said = office.menu("record", CHEBET, "--for", "10m")
    assert said.code == 0, said.stderr
    does(office, "1", "0733555666", "100", "4071")
    shown = office.menu("record", CHEBET, "--show")

    assert shown.lines == [
        "# Recorded on a live phone: PINs, names and numbers are those of the demo cast.",
        "Amina speaks sw",
        "Amina dials *384#",
        "Amina enters 1",
        "Amina enters 0711000002",
        "Amina enters 100",
        "Amina enters <PIN>",
        "Amina hangs up",
        "sms",
        "ledger",
        "never stored <PIN>",
    ]
    transcript = parse(shown.stdout, file="recorded.txt")
    assert isinstance(transcript, Transcript)
    with staged(office.folder / "menus") as stage:
        played = stage.play(transcript)
    assert " Umetuma KES 100.00 kwa Juma Otieno. " in played.text


def test_nothing_of_the_person_is_in_the_database(office: Office) -> None:
    office.signs_in("njeri")
    office.menu("record", CHEBET)
    does(office, "1", "0733555666", "100", "4071")
    engine = connect(f"sqlite:///{office.folder / 'gateway.sqlite'}")
    kept = [text for place, text in columns(engine) if place.startswith("table menu_recorded")]
    engine.dispose()

    assert len(kept) > 5
    for secret in ("4071", "733555666", "722333444", "Chebet", "Kiplagat"):
        assert not any(secret in text for text in kept), secret


def test_only_staff_record_and_for_a_while(office: Office) -> None:
    assert "nobody is signed in here" in office.menu("record", CHEBET).stderr
    office.signs_in("njeri")

    assert "never recorded" in office.menu("record", CHEBET, "--show").stderr
    assert "+254711000001" in office.menu("record", "722").stderr
    for lasts in ("2h", "0s", "soon", ""):
        assert office.menu("record", CHEBET, "--for", lasts).code == 2, lasts
