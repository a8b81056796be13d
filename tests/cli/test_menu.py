"""Staff edit, propose, approve, roll out and roll back: what each says, and what is live."""

import re
import shutil
from pathlib import Path

import pytest

from tests.cli.office import Office
from tests.ussd.stand_in import WallClock
from ussd_gateway.settings import Settings
from ussd_gateway.store.database import connect
from ussd_gateway.store.menus.versions import SqlVersions

SHIPPED = Path("menus/customer.yaml").read_text("utf-8")
TITLE = "text: {en: Pesa,"


def approved(office: Office, *words: str) -> str:
    """What is in the file now, proposed by njeri and approved by odhiambo; its name."""
    office.signs_in("njeri")
    number = office.proposes("customer")
    office.signs_in("odhiambo")
    said = office.menu("approve", str(number), *words)
    assert said.code == 0, said.stdout + said.stderr
    return said.stdout.split()[1]


def test_the_last_way_back_is_not_taken_in_silence(office: Office) -> None:
    first = office.live()
    office.edits(TITLE, "text: {en: Pesa two,")
    approved(office)
    said = office.menu("retire", "customer", first)
    assert said.lines[-1] == "customer: there is no version left to roll back to"
    assert "they are retired" in office.menu("rollback", "customer").stderr


# --- propose and approve


def test_whoever_is_not_signed_in_is_told_how_to(office: Office) -> None:
    for words in (
        ("publish",),
        ("approve", "1"),
        ("rollout", "customer"),
        ("rollback", "customer"),
        ("retire", "customer", "0"),
        ("disable", "send_money"),
        ("enable", "send_money"),
    ):
        said = office.menu(*words)
        assert said.code == 1
        assert "nobody is signed in here" in said.stderr
        assert "`ussd-gateway staff sign-in NAME`" in said.stderr


def test_a_proposal_says_what_has_changed_and_changes_nothing(office: Office) -> None:
    before = office.live()
    office.edits(TITLE, "text: {en: Pesa two,")
    office.edits("idle: 180s", "idle: 170s")
    office.signs_in("njeri")
    said = office.menu("publish", "--note", "a try")

    assert said.code == 0, said.stderr
    first, by, *report = said.lines
    assert re.fullmatch(rf"customer: [0-9a-f]{{16}} is proposal 1, against {before}", first)
    assert re.fullmatch(r"  by njeri, [-0-9]{10} [:0-9]{8} UTC  a try", by)
    assert report == [
        "  states changed: home",
        "  changed beside: session",
        '  home.menu.text (en): "Pesa" -> "Pesa two"',
        "  lint: no errors, warnings: 0",
        "  tests: none there",
        "  a checker makes it live: `ussd-gateway menu approve 1`",
    ]
    assert office.live() == before
    assert office.menu("proposals", "1").stdout == said.stdout
    assert re.fullmatch(
        r"   1  customer   [0-9a-f]{16}  .* UTC  njeri  a try\n",
        office.menu("proposals").stdout,
    )


def test_a_proposal_warns_of_what_people_know_by_heart(office: Office) -> None:
    office.edits('{key: "4", text: {en: Buy airtime', '{key: "6", text: {en: Buy airtime')
    office.edits('{key: "5", text: {en: My account', '{key: "4", text: {en: My account')
    office.signs_in("njeri")
    said = office.menu("publish")

    assert "  home: airtime_amount is under 6 now, was under 4" in said.lines
    assert "  home: account is under 4 now, was under 5" in said.lines
    assert re.search(
        r"^    menus/customer\.yaml:\d+: W33 home: 4 is now My account: people know "
        r"it as Buy airtime",
        said.stdout,
        re.MULTILINE,
    )


def test_a_proposal_is_compared_with_every_version_that_people_have(office: Office) -> None:
    office.edits('{key: "4", text: {en: Buy airtime', '{key: "6", text: {en: Buy airtime')
    office.edits('{key: "5", text: {en: My account', '{key: "4", text: {en: My account')
    approved(office, "--percent", "10")
    office.comments("As those 10 % have it, and nobody else.")
    office.signs_in("njeri")
    said = office.menu("publish")

    assert "  no more than comments and layout changed" in said.lines
    assert "W33 home: 4 is now My account" in said.stdout


def test_another_one_approves(office: Office) -> None:
    before = office.live()
    office.edits(TITLE, "text: {en: Pesa two,")
    office.signs_in("njeri")
    number = str(office.proposes())

    own = office.menu("approve", number)
    assert (own.code, own.stdout) == (1, "")
    assert own.stderr == f"{number}: njeri has written it: somebody else approves it\n"

    office.signs_in("odhiambo")
    said = office.menu("approve", number)
    assert said.code == 0, said.stderr
    assert said.lines == [
        f"customer: {office.live()} is live, in the place of {before}",
        "  states changed: home",
        '  home.menu.text (en): "Pesa" -> "Pesa two"',
    ]
    assert "njeri, odhiambo" in office.menu("versions").stdout
    assert office.menu("proposals").stdout == "Nothing waits for approval.\n"
    assert f"{number}: odhiambo has approved it" in office.menu("approve", number).stderr


def test_a_checker_does_not_publish(office: Office) -> None:
    office.comments("by a checker")
    office.signs_in("odhiambo")
    said = office.menu("publish")
    assert said.code == 1
    assert said.stderr == "odhiambo is a checker: makers publish; sign in as one of them\n"


def test_a_maker_approves_nothing_that_others_wrote_either(office: Office) -> None:
    office.comments("by njeri")
    office.signs_in("njeri")
    number = office.proposes()
    office.staff("add", "wambui", "--role", "maker", typed="wambui-demo\n")
    # What njeri adds is a maker as she is: nobody who could approve her work.
    assert office.staff("add", "njeri2", "--role", "checker", typed="njeri-demo\n").code == 1
    assert office.menu("approve", str(number)).code == 1


def test_of_two_proposals_the_second_is_overtaken(office: Office) -> None:
    office.signs_in("njeri")
    office.comments("one")
    first = office.proposes()
    office.comments("two")
    second = office.proposes()
    office.signs_in("odhiambo")
    assert office.menu("approve", str(first)).code == 0

    late = office.menu("approve", str(second))
    assert late.code == 1
    assert late.stderr.startswith(f"{second}: overtaken: customer has moved since")
    assert office.menu("proposals").stdout == "Nothing waits for approval.\n"
    assert "  overtaken: " in office.menu("proposals", str(second)).stdout
    # What is proposed again is compared with what is live now.
    office.signs_in("njeri")
    again = office.menu("publish")
    assert f"against {office.live()}" in again.stdout


def test_what_is_proposed_already_and_what_is_live_are_not_proposed_again(
    office: Office,
) -> None:
    office.signs_in("njeri")
    nothing = office.menu("publish", "customer")
    assert nothing.stdout == "Nothing has changed: what is in menus/ was published last.\n"
    office.comments("one")
    number = office.proposes()
    again = office.menu("publish")
    assert again.code == 1
    assert f"`ussd-gateway menu approve {number}`" in again.stderr


def test_a_comment_is_a_version_too(office: Office) -> None:
    office.comments("Read by njeri.")
    office.signs_in("njeri")
    assert office.menu("publish").lines[2] == "  no more than comments and layout changed"


def test_what_does_not_load_is_refused_with_file_and_line(office: Office) -> None:
    before = office.live()
    office.edits(TITLE, "tekst: {en: Pesa,")
    line = 1 + SHIPPED[: SHIPPED.index(TITLE)].count("\n")
    office.signs_in("njeri")
    said = office.menu("publish")

    assert said.code == 1
    assert any(fault.startswith(f"menus/customer.yaml:{line}: E") for fault in said.lines)
    assert office.live() == before
    assert office.menu("proposals").stdout == "Nothing waits for approval.\n"


# --- the operators' own tests

PLAYED = """\
Amina dials *384#
  | CON {title}
  | ...
"""


def test_a_proposal_passes_the_operators_tests_first(office: Office) -> None:
    tests = office.folder / "menus" / "tests"
    tests.mkdir()
    (tests / "home.txt").write_text(PLAYED.format(title="Pesa"))
    office.signs_in("njeri")
    office.edits(TITLE, "text: {en: Pesa two,")

    refused = office.menu("publish")
    assert refused.code == 1
    assert refused.lines[0] == "menus/tests/home.txt:1: Amina dials *384#"
    assert "  + | CON Pesa two" in refused.lines
    assert office.menu("proposals").stdout == "Nothing waits for approval.\n"

    (tests / "home.txt").write_text(PLAYED.format(title="Pesa two"))
    said = office.menu("publish")
    assert "  tests: 1 played, all as written" in said.lines


# --- for some people first


def test_a_version_is_for_some_before_it_is_for_all(office: Office) -> None:
    before = office.live()
    office.comments("two")
    after = approved(office, "--percent", "10")
    assert (office.live("some"), office.live()) == (after, before)
    assert "for 10 %" in office.menu("versions").stdout

    wider = office.menu("rollout", "customer", "--percent", "50", "--note", "no complaints")
    assert wider.stdout == f"customer: {after} is live for 50 %\n"
    numbers = ("--number", "0711000002", "--number", "+254711000001")
    assert "for 0711***001 and 1 more" in office.menu("rollout", "customer", *numbers).stdout
    route = office.menu("rollout", "customer", "--route", "africastalking")
    assert "for route africastalking" in route.stdout
    everybody = office.menu("rollout", "customer")
    assert everybody.stdout == f"customer: {after} is live for everybody\n"
    assert office.live() == after
    assert "live for everybody" in office.menu("rollout", "customer").stderr


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (("--number", "12"), "not a phone number: 12"),
        (("--route", "pigeon"), "no such route: pigeon; routes that are: "),
        (("--percent", "10", "--route", "africastalking"), "give one of them"),
    ],
)
def test_whom_a_version_is_for_is_one_thing_that_is_there(
    office: Office, words: tuple[str, ...], reason: str
) -> None:
    office.comments("two")
    office.signs_in("njeri")
    number = office.proposes()
    office.signs_in("odhiambo")
    said = office.menu("approve", str(number), *words)
    assert said.code == 1
    assert reason in said.stderr
    assert office.menu("proposals").stdout.startswith(f"{number:>4}  customer")


def test_a_maker_does_not_widen_what_a_checker_gave_to_some(office: Office) -> None:
    office.comments("two")
    approved(office, "--percent", "1")
    office.signs_in("njeri")
    said = office.menu("rollout", "customer")
    assert said.stderr == "njeri is a maker: checkers roll out; sign in as one of them\n"


def test_rolling_back_what_is_for_some_leaves_the_one_before(office: Office) -> None:
    before = office.live()
    office.comments("two")
    approved(office, "--percent", "50")
    said = office.menu("rollback", "customer")
    assert said.code == 0, said.stderr
    assert office.live() == before
    assert re.search(r"^  some ", office.menu("versions").stdout, re.MULTILINE) is None


def test_a_maker_does_not_roll_back_to_what_was_for_some_only(office: Office) -> None:
    before = office.live()
    office.comments("two")
    trial = approved(office, "--percent", "1")
    office.signs_in("njeri")
    for _ in range(2):
        refused = office.menu("rollback", "customer", "--to", trial)
        assert refused.code == 1
        assert f"{trial} was never live for everybody" in refused.stderr
        # And once more when it is no longer the last.
        office.menu("rollback", "customer")
    assert office.live() == before


def test_rolling_back_goes_past_what_was_for_some_only(office: Office) -> None:
    before = office.live()
    office.comments("two")
    approved(office, "--percent", "1")
    office.comments("three")
    approved(office)

    assert office.menu("rollback", "customer").code == 0
    assert office.live() == before


def test_what_was_for_everybody_and_is_now_for_some_is_rolled_back_to(office: Office) -> None:
    source, before = office.file.read_bytes(), office.live()
    office.comments("two")
    approved(office, "--percent", "10")
    office.file.write_bytes(source)
    assert approved(office, "--percent", "20") == before

    said = office.menu("rollback", "customer")
    assert said.code == 0, said.stderr
    assert office.live() == before
    assert re.search(r"^  some ", office.menu("versions").stdout, re.MULTILINE) is None


# --- back, and out of use


def test_rolling_back_goes_to_the_one_before_and_again_further(office: Office) -> None:
    live = [office.live()]
    for number in ("two", "three"):
        office.comments(number)
        live.append(approved(office))

    back = office.menu("rollback", "customer", "--note", "typo")
    assert back.code == 0, back.stderr
    assert back.lines[0] == f"customer: {live[1]} is live, in the place of {live[2]}"
    assert back.lines[-1] == "The file menus/customer.yaml is left as it is."

    assert office.menu("rollback", "customer").code == 0
    assert office.live() == live[0]
    refused = office.menu("rollback", "customer")
    assert refused.code == 1
    assert "no version before it is left" in refused.stderr

    forward = office.menu("rollback", "customer", "--to", live[2][:6])
    assert forward.code == 0, forward.stderr
    assert office.live() == live[2]
    shown = office.menu("versions", "customer").lines
    assert [line[10:36].split() for line in shown[1:7]] == [
        [live[2], "rollback"],
        [live[0], "rollback"],
        [live[1], "rollback"],
        [live[2], "publish"],
        [live[1], "publish"],
        [live[0], "publish"],
    ]
    assert shown[3].split()[-3:] == ["UTC", "odhiambo", "typo"]


def test_a_rollback_names_what_it_cannot_do(office: Office) -> None:
    office.signs_in("njeri")
    refused = {
        ("customer", "--to", office.live()): "is live already",
        ("customer", "--to", "zz"): "no version begins with zz; see `menu versions customer`",
        ("pesa",): "pesa: never published; packs that were: ",
    }
    for words, reason in refused.items():
        said = office.menu("rollback", *words)
        assert said.code == 1
        assert said.stdout == ""
        assert reason in said.stderr


def test_a_retired_version_is_out_of_use_for_good(office: Office) -> None:
    old = office.live()
    office.comments("two")
    source = office.file.read_bytes()
    new = approved(office)
    said = office.menu("retire", "customer", old[:8], "--note", "has a hole")
    assert said.code == 0, said.stderr
    assert re.search(rf"^  retired {old}  ", office.menu("versions").stdout, re.MULTILINE)

    assert "is retired already" in office.menu("retire", "customer", old).stderr
    assert "sessions begin in" in office.menu("retire", "customer", new).stderr
    assert "is retired" in office.menu("rollback", "customer", "--to", old).stderr
    assert "no version before it is left" in office.menu("rollback", "customer").stderr
    office.file.write_text(SHIPPED, "utf-8")
    office.signs_in("njeri")
    assert "is retired: change the file" in office.menu("publish").stderr
    assert office.file.read_bytes() != source


@pytest.mark.parametrize("words", [(), ("--percent", "99")], ids=["everybody", "some"])
def test_what_was_retired_since_it_was_proposed_is_not_approved(
    office: Office, words: tuple[str, ...]
) -> None:
    source, old = office.file.read_bytes(), office.live()
    office.comments("two")
    new = approved(office)
    office.file.write_bytes(source)
    office.signs_in("njeri")
    number = str(office.proposes())
    office.signs_in("odhiambo")
    assert office.menu("retire", "customer", old).code == 0

    assert office.menu("proposals").stdout == "Nothing waits for approval.\n"
    refused = office.menu("approve", number, *words)
    assert refused.code == 1
    assert refused.stderr.startswith(f"{number}: {old} is retired: its author changes the file")
    assert office.live() == new


def test_an_action_is_disabled_at_once_by_anybody_of_the_staff(office: Office) -> None:
    office.signs_in("njeri")
    said = office.menu("disable", "send_money", "--note", "somebody tries PINs")
    assert said.stdout == "send_money is disabled: within 2 seconds no menu asks for it\n"
    assert re.search(
        r"^disabled: send_money  .* UTC  njeri  somebody tries PINs$",
        office.menu("versions").stdout,
        re.MULTILINE,
    )
    assert "disabled: send_money" in office.does("doctor").stdout
    assert "is disabled already" in office.menu("disable", "send_money").stderr
    strange = office.menu("disable", "send_mony")
    assert strange.stderr == "send_mony: no such action; did you mean send_money?\n"

    assert office.menu("enable", "send_money").stdout == "send_money is enabled\n"
    assert "disabled" not in office.menu("versions").stdout
    assert "actions that are: none" in office.menu("enable", "send_money").stderr


# --- what does not load, and what is not there


def test_a_version_that_this_program_cannot_load_is_told_of_and_not_rolled_back_to(
    office: Office,
) -> None:
    before = office.live()
    # As if an action had gone since: the first version names one that no program has.
    _poison(office, SHIPPED.replace("do: send_money\n", "do: send_more\n").encode())

    shown = office.menu("versions", "customer").stdout
    assert re.search(r"^  broken  1{16}  ", shown, re.MULTILINE)
    assert re.search(r"^  broken  0{16}  ", shown, re.MULTILINE)
    assert office.live() == before
    assert re.search(r"^    customer@0{16}:\d+: E\d+ .*send_more", shown, re.MULTILINE)
    doctor = office.does("doctor").stdout
    assert f"customer {before}" in doctor
    assert "customer 1111111111111111 does not load here" in doctor

    office.signs_in("njeri")
    said = office.menu("rollback", "customer", "--to", "0" * 16)
    assert said.code == 1
    assert re.search(r"^customer@0{16}:\d+: E\d+ .*send_more", said.stdout, re.MULTILINE)
    assert office.menu("rollback", "customer", "--to", before).code == 0


def test_packs_that_are_not_there_are_told_with_those_that_are(office: Office) -> None:
    office.signs_in("njeri")
    assert "pesa: not there; packs that are: " in office.menu("publish", "pesa").stderr
    assert "packs that were: agent, customer" in office.menu("versions", "pesa").stderr
    assert office.menu("publish", "--note", "").code == 2


def test_a_file_that_was_edited_and_not_published_is_told_of(office: Office) -> None:
    told = (
        "menus/customer.yaml is not what was published last: "
        "`ussd-gateway menu publish customer` proposes it"
    )
    assert told not in office.menu("versions").stdout
    office.comments("Another.")

    assert told in office.menu("versions").stdout
    doctor = office.does("doctor")
    assert doctor.code == 1
    assert "not live: customer.yaml\n              Run `ussd-gateway menu publish`." in (
        doctor.stdout
    )


# --- the installation


def test_seeding_publishes_what_never_was_and_leaves_the_rest(office: Office) -> None:
    before = office.live()
    office.comments("Another.")

    assert office.does("db", "seed").stdout == ""
    assert office.live() == before


def test_an_empty_database_is_given_the_menus_there_are_and_no_other_is(
    tmp_path: Path,
) -> None:
    office = Office(tmp_path)
    shutil.copytree("menus", tmp_path / "menus")
    said = office.does("db", "upgrade")
    assert said.code == 0, said.stdout
    assert re.search(
        r"^customer: [0-9a-f]{16} is live, the first of its pack$", said.stdout, re.MULTILINE
    )
    assert "installation" in office.menu("versions").stdout

    office.comments("Another.")
    assert office.does("db", "upgrade").stdout == ""


def test_the_server_does_not_start_without_a_published_pack(tmp_path: Path) -> None:
    office = Office(tmp_path)
    shutil.copytree("menus", tmp_path / "menus")
    office.edits(TITLE, "tekst: {en: Pesa,")
    upgraded = office.does("db", "upgrade")
    assert upgraded.code == 1
    assert "menus/customer.yaml:" in upgraded.stdout

    from tests.cli.test_cli import run

    done = run("serve", **office.environ)
    assert done.returncode == 2
    assert "customer: no version is published that this program can load" in done.stderr


def test_books_of_before_there_were_versions_are_told_with_what_to_do(tmp_path: Path) -> None:
    said = Office(tmp_path).menu("versions")
    assert said.code == 2
    assert "db upgrade" in said.stderr


def _poison(office: Office, source: bytes) -> None:
    """Two versions that no program loads; the second is live."""
    engine = connect(Settings(data_dir=office.folder).database_url)
    versions = SqlVersions(engine, WallClock())
    seq = versions.live()["customer"].seq
    versions.publish("customer", "0" * 16, source, after=seq, author="nobody")
    versions.publish("customer", "1" * 16, b"none", after=seq + 1, author="nobody")
    engine.dispose()
