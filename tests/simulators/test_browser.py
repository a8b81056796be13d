"""The two phones in a real browser, against a gateway that stands in for ours."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Locator, Page, expect, sync_playwright

from .stand_in import HOME, SENT, StandIn

CHROMIUM = Path("/usr/bin/chromium")
# Without the later ones it asks the internet for updates at every start.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

pytestmark = pytest.mark.skipif(
    not CHROMIUM.exists(), reason=f"needs Debian's chromium at {CHROMIUM}"
)


@pytest.fixture(scope="module")
def open_page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium.new_page(viewport={"width": 1280, "height": 900})
        chromium.close()


@pytest.fixture
def page(open_page: Page, simulator_url: str) -> Iterator[Page]:
    troubles: list[str] = []
    open_page.on("pageerror", lambda error: troubles.append(str(error)))
    open_page.on(
        "console",
        lambda line: troubles.append(line.text) if "Security Policy" in line.text else None,
    )
    open_page.set_viewport_size({"width": 1280, "height": 900})
    open_page.goto(simulator_url)
    yield open_page
    open_page.goto("about:blank")
    assert troubles == []


@pytest.fixture
def left(page: Page) -> Locator:
    return page.get_by_role("region", name="Left phone")


@pytest.fixture
def right(page: Page) -> Locator:
    return page.get_by_role("region", name="Right phone")


def press(phone: Locator, keys: str) -> None:
    for key in keys:
        phone.get_by_role("button", name=key, exact=True).click()


def call(phone: Locator) -> None:
    phone.get_by_role("button", name="Call or send").click()


def test_money_is_sent_with_the_keypad_and_both_phones_get_their_sms(
    gateway: StandIn, simulator_url: str, left: Locator, right: Locator
) -> None:
    call(left)
    expect(left.get_by_role("status")).to_have_text(HOME)
    for hop, typed in enumerate(("1", "0711000002", "500", "4826"), start=2):
        press(left, typed)
        call(left)
        expect(left.get_by_text(f"{hop} hops")).to_be_visible()
    expect(left.get_by_role("status")).to_have_text(SENT)
    assert gateway.callbacks[-1]["text"] == "1*0711000002*500*4826"

    requests.post(
        f"{simulator_url}/version1/messaging",
        data={
            "username": "sandbox",
            "to": "+254711000001,+254711000002",
            "message": SENT,
            "from": "PESA",
        },
        headers={"apiKey": "demo"},
        timeout=5,
    )
    for phone in (left, right):
        messages = phone.get_by_role("list", name="Messages, newest first")
        expect(messages.get_by_role("listitem")).to_contain_text(SENT)
        expect(messages).to_contain_text(f"1 segment · {len(SENT)} septets")


def test_a_keyboard_is_enough(gateway: StandIn, page: Page, left: Locator) -> None:
    field = left.get_by_label("Number to dial, or your reply")
    field.press("Enter")
    expect(left.get_by_role("status")).to_have_text(HOME)
    expect(field).to_be_focused()
    page.keyboard.type("1")
    page.keyboard.press("Enter")
    expect(left.get_by_role("status")).to_have_text("Enter phone number")
    with page.expect_response("**/hang_up"):
        page.keyboard.press("Escape")
    expect(field).to_have_value("*384#")

    assert [event["status"] for event in gateway.events] == ["Incomplete"]


def test_what_is_typed_before_the_simulator_answers_is_dialled(
    page: Page, simulator_url: str, left: Locator
) -> None:
    page.goto("about:blank")
    page.route("**/state", lambda asked: asked.abort())
    page.goto(simulator_url)
    field = left.get_by_label("Number to dial, or your reply")
    field.fill("*500#")
    page.unroute("**/state")
    for _ in range(3):  # of two phones: one of them is drawn before it is asked for again
        with page.expect_response("**/state"):
            pass
    expect(field).to_have_value("*500#")
    call(left)

    expect(left.get_by_role("status")).to_contain_text("External application down")


def test_each_phone_has_a_session_of_its_own(
    gateway: StandIn, left: Locator, right: Locator
) -> None:
    for phone in (left, right):
        call(phone)
        expect(phone.get_by_role("status")).to_have_text(HOME)

    assert [sent["phoneNumber"] for sent in gateway.callbacks] == [
        "+254711000001",
        "+254711000002",
    ]
    assert len({sent["sessionId"] for sent in gateway.callbacks}) == 2


def test_the_screen_is_counted_in_septets(left: Locator) -> None:
    call(left)

    expect(left.locator(".count")).to_contain_text(f"{len(HOME)} of 160 septets")
    expect(left.locator(".count")).to_contain_text("GSM-7")


def test_a_repeated_callback_shows_whether_the_answer_was_identical(left: Locator) -> None:
    repeat = left.get_by_role("button", name="Repeat callback")
    expect(repeat).to_be_disabled()
    call(left)
    repeat.click()
    expect(left.get_by_text("Identical answer")).to_be_visible()
    left.get_by_role("button", name="Hang up").first.click()
    left.get_by_label("Number to dial, or your reply").fill("*503#")
    call(left)
    repeat.click()
    expect(left.get_by_text("Another answer: 1")).to_be_visible()


def test_a_gateway_that_fails_is_shown_as_the_network_shows_it(left: Locator) -> None:
    left.get_by_label("Number to dial, or your reply").fill("*500#")
    call(left)

    expect(left.get_by_role("status")).to_contain_text("External application down")
    expect(left.get_by_role("alert")).to_have_text("HTTP status 500")


def test_a_person_can_hang_up_while_the_answer_is_awaited(
    gateway: StandIn, page: Page, left: Locator
) -> None:
    field = left.get_by_label("Number to dial, or your reply")
    field.fill("*504#")
    call(left)
    expect(left.get_by_text("Running")).to_be_visible()
    with page.expect_response("**/hang_up"):
        left.get_by_role("button", name="Hang up").first.click()
    expect(field).to_have_value("*384#")
    gateway.go_on.set()
    expect(left.get_by_text("Running")).to_be_hidden()

    assert [event["status"] for event in gateway.events] == ["Incomplete"]


def test_the_route_of_a_phone_is_chosen_and_stays(page: Page, left: Locator) -> None:
    route = left.get_by_label("Route")
    expect(route).to_have_value("africastalking")
    route.select_option("hubtel")
    call(left)
    expect(left.get_by_role("alert")).to_have_text("HTTP status 404")
    page.reload()
    expect(route).to_have_value("hubtel")


def test_any_number_can_be_typed_and_a_reload_keeps_it(
    gateway: StandIn, page: Page, right: Locator
) -> None:
    right.get_by_label("Whose phone").select_option("Another number…")
    number = right.get_by_label("Another number", exact=True)
    number.fill("nonsense")
    number.press("Enter")
    expect(right.get_by_text("Not a phone number")).to_be_visible()
    number.fill("0711000009")
    number.press("Enter")
    expect(right.locator(".msisdn")).to_have_text("+254711000009")
    call(right)
    expect(right.get_by_role("status")).to_have_text(HOME)
    page.reload()
    expect(right.get_by_role("status")).to_have_text(HOME)

    assert [sent["phoneNumber"] for sent in gateway.callbacks] == ["+254711000009"]


def test_the_mood_of_the_carrier_is_chosen_and_shown(page: Page, simulator_url: str) -> None:
    carrier = page.get_by_role("group", name="Carrier")
    expect(carrier.get_by_label("answers")).to_be_checked()
    for words, mood in (
        ("charges, then is silent", "silent after charging"),
        ("is silent", "silent"),
        ("refuses", "refuses"),
    ):
        with page.expect_response("**/carrier/mood"):
            carrier.get_by_text(words, exact=True).click()
        told = requests.get(f"{simulator_url}/carrier/mood", timeout=5).json()
        assert told == {"mood": mood}
    page.reload()
    expect(carrier.get_by_label("refuses")).to_be_checked()


def test_the_trouble_of_the_sms_provider_is_chosen_and_shown(
    page: Page, simulator_url: str
) -> None:
    provider = page.get_by_role("group", name="SMS")
    expect(provider.get_by_label("works")).to_be_checked()
    for words, trouble in (
        ("is slow", "slow"),
        ("turns down", "throttled"),
        ("is silent", "silent"),
        ("sends, then is silent", "silent after taking"),
        ("says no", "refused"),
    ):
        with page.expect_response("**/sms/troubles"):
            provider.get_by_text(words, exact=True).click()
        told = requests.get(f"{simulator_url}/sms/troubles", timeout=5).json()
        assert (told["answers"], told["reports"]) == ({trouble: 1}, {})
    page.reload()
    expect(provider.get_by_label("says no")).to_be_checked()

    with page.expect_response("**/sms/troubles"):
        provider.get_by_label("says no").press("ArrowLeft")
    expect(provider.get_by_label("turns down")).to_be_checked()
    with page.expect_response("**/sms/troubles"):
        provider.get_by_text("works").click()
    told = requests.get(f"{simulator_url}/sms/troubles", timeout=5).json()
    assert (told["answers"], told["reports"]) == ({}, {})


@pytest.mark.parametrize(
    ("plan", "shown"),
    [
        ({"answers": {"slow": 0.5}}, None),
        ({"answers": {"slow": 1}, "reports": {"late": 1}}, None),
        ({"reports": {"doubled": 1}}, None),
        ({"answers": {"slow": 1}, "next": 3}, None),
        ({"answers": {"slow": 1}, "next": 0}, "works"),
        ({"answers": {"slow": 0}}, "works"),
        ({}, "works"),
    ],
)
def test_no_trouble_is_shown_as_chosen_that_the_page_cannot_choose(
    page: Page, simulator_url: str, plan: dict[str, object], shown: str | None
) -> None:
    requests.post(f"{simulator_url}/sms/troubles", json=plan, timeout=5).raise_for_status()
    with page.expect_response("**/sms/troubles"):
        page.reload()
    provider = page.get_by_role("group", name="SMS")
    expect(provider).to_be_enabled()

    chosen = provider.get_by_role("radio", checked=True)
    expect(chosen).to_have_count(1 if shown else 0)
    if shown:
        expect(provider.get_by_label(shown)).to_be_checked()


def test_an_agents_phone_suggests_the_agents_code(right: Locator) -> None:
    right.get_by_label("Whose phone").select_option("+254722000001")

    expect(right.get_by_label("Number to dial, or your reply")).to_have_value("*385#")


@pytest.mark.parametrize("width", [1280, 400])
def test_nothing_is_cut_off_at_the_side(page: Page, left: Locator, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 860})
    call(left)

    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_an_sms_is_sent_from_the_page(gateway: StandIn, left: Locator) -> None:
    words = left.get_by_label("Text 20384")
    words.fill("BAL")
    words.press("Enter")
    expect(left.get_by_text("✓ Sent")).to_be_visible()
    expect(words).to_have_value("")
    assert [sent["text"] for sent in gateway.texts] == ["BAL"]

    gateway.texts_refused = 1
    words.fill("HELP")
    left.get_by_role("button", name="Send", exact=True).click()
    expect(left.get_by_text("✗ HTTP status 503")).to_be_visible()
