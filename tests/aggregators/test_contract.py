"""One suite for every route: what comes becomes a Request, and a Reply what it waits for."""

import json
from dataclasses import replace

import pytest

from tests.aggregators.samples import ROUTES, SAMPLES, SHIPPED, Sample, sample
from ussd_gateway.aggregators.wire import Asked, Ended, Malformed, Sent
from ussd_gateway.ports import Reply, Request, SessionId

HOME = "Pesa\n1. Send money\n2. Withdraw cash"
ASK_NUMBER = "Enter phone number"
SORRY = "Nobody is registered under 0711000009."

SESSIONS = {
    "africastalking": "ATUid_0f3c9e",
    "hubtel": "8d440a43a98b4614b9df22b79c8190b8",
    "nalo": "16590115252429751",
    "arkesel": "dd9e2a1c-4f5b",
    "wigal": "1593171830",
    "beem": "4574",
    "moolre": "8e1b02",
    "infobip": "2a1f9c",
}
NETWORKS = {
    "africastalking": "63902",
    "hubtel": "mtn",
    "nalo": "MTN",
    "arkesel": "MTN",
    "wigal": "MTN",
    "beem": "vodacom",
    "moolre": "3",
    "infobip": "11",
}
# What names the first and the second hop, where anything does.
HOPS = {
    "hubtel": ("1", "2"),
    "wigal": ("1593171830-1", "1593171830-2"),
    "beem": ("0", "1"),
}
# Where the code is sent, by those that send it.
CODES = {
    "africastalking": "serviceCode",
    "hubtel": "ServiceCode",
    "moolre": "extension",
    "infobip": "shortCode",
}
MARKED = [route for route in ROUTES if route != "africastalking"]
TELLING = ["africastalking", "hubtel", "wigal", "beem", "infobip"]


def asked(route: str, sent: Sent) -> Request:
    found = SHIPPED.wires[route].read(sent)
    assert isinstance(found, Asked), found
    return found.request


def answered(route: str, each: Sample, reply: Reply) -> None:
    wire = SHIPPED.wires[route]
    found = wire.read(each.sent)
    assert isinstance(found, Asked), found
    written = wire.write(found, reply)
    assert written.content_type == each.content_type
    assert as_read(written.body.decode()) == as_read(each.answer)


def as_read(body: str) -> object:
    return json.loads(body) if body.startswith("{") else body


def test_there_are_samples_of_every_route() -> None:
    assert sorted(path.name for path in SAMPLES.iterdir()) == sorted(ROUTES)


@pytest.mark.parametrize("route", ROUTES)
def test_the_first_hop_begins_a_session_with_nothing_behind_its_code(route: str) -> None:
    each = sample(route, "first")
    request = asked(route, each.sent)

    assert request == Request(
        route=route,
        session_id=SessionId(SESSIONS[route]),
        msisdn=request.msisdn,
        service_code="*384#",
        network=NETWORKS[route],
        text="",
        begins=True if route in MARKED else None,
        hop_id=HOPS.get(route, ("", ""))[0],
    )
    assert request.msisdn == "+254711000001"
    answered(route, each, Reply(HOME, ends=False))


@pytest.mark.parametrize("route", ROUTES)
def test_a_later_hop_goes_on_with_what_was_typed(route: str) -> None:
    each = sample(route, "later")
    first, request = asked(route, sample(route, "first").sent), asked(route, each.sent)

    begins = False if route in MARKED else None
    hop_id = HOPS.get(route, ("", ""))[1]
    # Some send no code with it: it is the one that the session began with.
    code = first.service_code if route in CODES else ""
    expected = replace(first, text="1", begins=begins, hop_id=hop_id, service_code=code)
    assert request == expected
    answered(route, each, Reply(ASK_NUMBER, ends=False))


@pytest.mark.parametrize("route", [route for route in CODES if route in MARKED])
@pytest.mark.parametrize("left", [None, ""])
def test_a_later_hop_may_leave_the_code_away_and_none_is_put_in_its_place(
    route: str, left: str | None
) -> None:
    later = sample(route, "later").with_fields(**{CODES[route]: left})
    assert asked(route, later).service_code == ""


@pytest.mark.parametrize("route", ROUTES)
def test_a_later_input_comes_alone_or_behind_all_before_it(route: str) -> None:
    text = asked(route, sample(route, "closes").sent).text
    accumulates = SHIPPED.wires[route].route.accumulates

    assert text == ("1*0711000009" if accumulates else "0711000009")


@pytest.mark.parametrize("route", ROUTES)
def test_a_reply_that_ends_the_session_says_so(route: str) -> None:
    answered(route, sample(route, "closes"), Reply(SORRY, ends=True))


@pytest.mark.parametrize("route", [route for route in ROUTES if route != "beem"])
def test_a_dialled_string_gives_what_stands_behind_its_code(route: str) -> None:
    each = sample(route, "dialled")
    request = asked(route, each.sent)

    assert (request.service_code, request.text) == ("*384#", "1*0711000002")
    answered(route, each, Reply("Enter amount", ends=False))


def test_beem_keeps_what_was_dialled_to_itself() -> None:
    assert asked("beem", sample("beem", "dialled").sent).text == ""


@pytest.mark.parametrize("route", ROUTES)
def test_a_callback_that_comes_again_is_the_same_request(route: str) -> None:
    each = sample(route, "later")
    assert asked(route, each.sent) == asked(route, each.sent)


@pytest.mark.parametrize("route", ROUTES)
def test_what_was_typed_is_in_no_repr(route: str) -> None:
    each = sample(route, "closes")
    assert "0711000009" not in repr(SHIPPED.wires[route].read(each.sent))
    assert "0711000009" not in repr(each.sent)


@pytest.mark.parametrize("route", TELLING)
def test_the_end_of_a_session_is_told_and_answered(route: str) -> None:
    each = sample(route, "ended")
    found = SHIPPED.wires[route].read(each.sent)

    assert isinstance(found, Ended)
    assert found.session_id == SESSIONS[route]
    assert found.answer.content_type == each.content_type
    assert as_read(found.answer.body.decode()) == as_read(each.answer)


@pytest.mark.parametrize(
    ("route", "word", "status"),
    [
        ("hubtel", {"Type": "Release"}, "Release"),
        ("hubtel", {"Type": "Timeout"}, "Timeout"),
        ("wigal", {"mode": "END"}, "END"),
        ("beem", {"command": "terminate"}, "terminate"),
    ],
)
def test_a_hop_may_be_an_end_by_its_mark_alone(
    route: str, word: dict[str, object], status: str
) -> None:
    found = SHIPPED.wires[route].read(sample(route, "later").with_fields(**word))
    assert isinstance(found, Ended)
    assert found.status == status


WRONG: list[tuple[str, dict[str, object], str]] = [
    ("africastalking", {"sessionId": None}, "sessionId"),
    ("africastalking", {"sessionId": ""}, "sessionId"),
    ("africastalking", {"sessionId": "a b"}, "sessionId"),
    ("africastalking", {"sessionId": "x" * 101}, "sessionId"),
    ("africastalking", {"phoneNumber": None}, "phoneNumber"),
    ("africastalking", {"phoneNumber": ""}, "phoneNumber"),
    ("africastalking", {"phoneNumber": "0711000001x"}, "phoneNumber"),
    ("africastalking", {"serviceCode": None}, "serviceCode"),
    ("africastalking", {"serviceCode": ""}, "serviceCode"),
    ("africastalking", {"serviceCode": "drop table"}, "serviceCode"),
    ("africastalking", {"networkCode": "Safaricom"}, "networkCode"),
    ("africastalking", {"text": None}, "text"),
    ("africastalking", {"text": "1" * 501}, "text"),
    ("hubtel", {"SessionId": None}, "SessionId"),
    ("hubtel", {"Mobile": "0241234567"}, "Mobile"),
    ("hubtel", {"ServiceCode": "n383he9jioe923232347423"}, "ServiceCode"),
    ("hubtel", {"Operator": "<mtn>"}, "Operator"),
    ("hubtel", {"Message": None}, "Message"),
    ("hubtel", {"Message": 4826}, "Message"),
    ("hubtel", {"Type": None}, "Type"),
    ("hubtel", {"Type": "AddToCart"}, "Type"),
    ("hubtel", {"Sequence": None}, "Sequence"),
    ("nalo", {"SESSIONID": None}, "SESSIONID"),
    ("nalo", {"MSISDN": None}, "MSISDN"),
    ("nalo", {"USERDATA": None}, "USERDATA"),
    ("nalo", {"MSGTYPE": "perhaps"}, "MSGTYPE"),
    ("arkesel", {"sessionID": ""}, "sessionID"),
    ("arkesel", {"msisdn": "x"}, "msisdn"),
    ("arkesel", {"userData": None}, "userData"),
    ("arkesel", {"newSession": None}, "newSession"),
    ("wigal", {"sessionid": None}, "sessionid"),
    ("wigal", {"msisdn": None}, "msisdn"),
    ("wigal", {"userdata": None}, "userdata"),
    ("wigal", {"mode": "PAUSE"}, "mode"),
    ("wigal", {"trafficid": None}, "trafficid"),
    ("wigal", {"username": "a|b"}, "username"),
    ("wigal", {"other": "a^b"}, "other"),
    ("beem", {"session_id": None}, "session_id"),
    ("beem", {"msisdn": None}, "msisdn"),
    ("beem", {"command": "pause"}, "command"),
    ("beem", {"payload__request_id": None}, "payload.request_id"),
    ("beem", {"payload__response": None}, "payload.response"),
    ("beem", {"payload": "4826"}, "payload.request_id, payload.response"),
    ("moolre", {"sessionid": None}, "sessionid"),
    ("moolre", {"msisdn": None}, "msisdn"),
    ("moolre", {"message": None}, "message"),
    ("moolre", {"new": None}, "new"),
    ("moolre", {"network": "MTN"}, "network"),
    ("infobip", {"msisdn": None}, "msisdn"),
    ("infobip", {"text": None}, "text"),
    ("infobip", {"shortCode": "none"}, "shortCode"),
]


@pytest.mark.parametrize(("route", "change", "names"), WRONG)
def test_a_malformed_field_is_named_and_its_value_is_not(
    route: str, change: dict[str, object], names: str
) -> None:
    found = SHIPPED.wires[route].read(sample(route, "later").with_fields(**change))

    assert isinstance(found, Malformed), found
    assert str(found) == f"missing or malformed: {names}"


@pytest.mark.parametrize("route", ["hubtel", "moolre"])
def test_a_first_hop_names_its_code(route: str) -> None:
    sent = sample(route, "first").with_fields(**{CODES[route]: None})
    assert SHIPPED.wires[route].read(sent) == Malformed((CODES[route],))


@pytest.mark.parametrize("route", ROUTES)
def test_without_anything_every_field_that_is_needed_is_named(route: str) -> None:
    wire = SHIPPED.wires[route]
    later = sample(route, "later").sent
    nothing = replace(later, query=b"", body=b"{}" if later.body.startswith(b"{") else b"")
    found = wire.read(nothing)

    assert isinstance(found, Malformed)
    assert len(found.fields) >= (2 if route == "infobip" else 3)


@pytest.mark.parametrize("route", ROUTES)
def test_another_path_is_no_callback(route: str) -> None:
    later = sample(route, "later").sent
    for path in ("nothing", f"{later.path}/more", f"more/{later.path}"):
        assert SHIPPED.wires[route].read(replace(later, path=path)) is None


@pytest.mark.parametrize(
    "route", [r for r in ROUTES if sample(r, "first").sent.body[:1] == b"{"]
)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"1",
        b'"x"',
        b"null",
        b"{",
        b"\xff",
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b'{"a": {"b": -1e999}}',
        b'{"a": 1, "a": 2}',
        b'{"a.b": 1, "a": {"b": 2}}',
        b'{"a": "\\ud800"}',
        b'{"": 1}',
        b"[" * 9_000,
        b'{"a":' * 2_000 + b"1" + b"}" * 2_000,
        b'{"a": ' + b"9" * 5_000 + b"}",
        b"{%s}" % b",".join(b'"f%d": 1' % n for n in range(40)),
    ],
)
def test_json_that_is_no_callback_is_malformed(route: str, body: bytes) -> None:
    found = SHIPPED.wires[route].read(replace(sample(route, "first").sent, body=body))
    assert found == Malformed(("body",))


def test_a_plus_that_came_as_a_space_is_a_plus() -> None:
    later = sample("africastalking", "later")
    request = asked("africastalking", later.with_fields(phoneNumber=" 254711000001"))
    assert request.msisdn == "+254711000001"


def test_marks_are_read_however_they_are_written() -> None:
    for route, word in (
        ("hubtel", {"Type": "initiation"}),
        ("wigal", {"mode": "start"}),
        ("nalo", {"MSGTYPE": "True"}),
    ):
        assert asked(route, sample(route, "first").with_fields(**word)).begins


@pytest.mark.parametrize("route", ["hubtel", "nalo", "arkesel", "wigal", "infobip"])
@pytest.mark.parametrize(
    ("dialled", "behind"),
    [
        ("", ""),
        ("*384#", ""),
        ("384", ""),
        ("*384*1", "1"),
        ("*384*1*2*#", "1*2*"),
        ("*384*1*384#", "1*384"),
    ],
)
def test_what_was_dialled_is_read_with_its_signs_or_without(
    route: str, dialled: str, behind: str
) -> None:
    sent = _dialled(route, dialled)
    assert (asked(route, sent).service_code, asked(route, sent).text) == ("*384#", behind)


@pytest.mark.parametrize("route", ["nalo", "arkesel", "wigal"])
def test_where_only_what_was_dialled_names_the_code_any_of_ours_is_served(route: str) -> None:
    request = asked(route, _dialled(route, "*385*1*0711000002#"))
    assert (request.service_code, request.text) == ("*385#", "1*0711000002")


@pytest.mark.parametrize("route", ["hubtel", "nalo", "arkesel", "wigal", "infobip"])
@pytest.mark.parametrize("dialled", ["*3845#", "*386#", "*38#", "*1*384#"])
def test_what_was_dialled_of_another_code_is_none_of_ours(route: str, dialled: str) -> None:
    request = asked(route, _dialled(route, dialled))
    assert (request.service_code, request.text) == ("", "")


@pytest.mark.parametrize("route", ["hubtel", "nalo", "arkesel", "wigal", "infobip"])
def test_what_cannot_be_dialled_is_malformed(route: str) -> None:
    found = SHIPPED.wires[route].read(_dialled(route, "*384*ab#"))
    assert isinstance(found, Malformed)


def test_infobip_may_leave_its_short_code_out() -> None:
    sent = sample("infobip", "first").with_fields(shortCode=None)
    assert asked("infobip", sent).service_code == "*384#"


def test_the_input_of_an_end_event_is_never_read() -> None:
    each = sample("africastalking", "ended")
    found = SHIPPED.wires["africastalking"].read(each.with_fields(input="1*99999999"))

    assert isinstance(found, Ended)
    assert (found.status, found.hops, found.duration_ms) == ("Incomplete", 1, 14_000)
    assert "99999999" not in repr(found)


@pytest.mark.parametrize("change", [{"status": "Gone"}, {"status": None}, {"sessionId": ""}])
def test_a_malformed_end_event_is_refused(change: dict[str, object]) -> None:
    sent = sample("africastalking", "ended").with_fields(**change)
    assert SHIPPED.wires["africastalking"].read(sent) == Malformed(tuple(change))


def test_counts_that_are_none_are_nought() -> None:
    sent = sample("africastalking", "ended").with_fields(hopsCount="many", durationInMillis="")
    found = SHIPPED.wires["africastalking"].read(sent)
    assert isinstance(found, Ended)
    assert (found.hops, found.duration_ms) == (0, 0)


@pytest.mark.parametrize("route", [route for route in TELLING if route != "africastalking"])
def test_an_end_without_its_session_is_malformed(route: str) -> None:
    names: dict[str, dict[str, object]] = {
        "hubtel": {"SessionId": None},
        "wigal": {"sessionid": None},
        "beem": {"session_id": None},
        "infobip": {},
    }
    sent = sample(route, "ended").with_fields(**names[route])
    if route == "infobip":
        sent = replace(sent, path="session/a b/end")
    assert isinstance(SHIPPED.wires[route].read(sent), Malformed)


def test_fields_go_back_as_they_came() -> None:
    wire = SHIPPED.wires["beem"]
    found = wire.read(sample("beem", "later").with_fields(session_id=4574))
    assert isinstance(found, Asked)
    written = json.loads(wire.write(found, Reply("Pesa", ends=False)).body)
    assert written["session_id"] == 4574


@pytest.mark.parametrize(
    ("came", "goes"), [(7, 8), ("7", "8"), ("a7", "a7"), (True, True), (-1, -1)]
)
def test_an_id_is_counted_up_where_it_is_a_number(came: object, goes: object) -> None:
    wire = SHIPPED.wires["beem"]
    sent = sample("beem", "later").with_fields(payload__request_id=came)
    found = wire.read(sent)
    assert isinstance(found, Asked)
    written = json.loads(wire.write(found, Reply("Pesa", ends=False)).body)
    assert written["payload"]["request_id"] == goes


def test_wigal_breaks_lines_by_its_own_sign() -> None:
    wire = SHIPPED.wires["wigal"]
    found = wire.read(sample("wigal", "later").with_fields(other=None))
    assert isinstance(found, Asked)
    body = wire.write(found, Reply("Pesa\n1. Send", ends=True)).body
    assert body == (b"MTN|END|254711000001|1593171830|Pesa^1. Send|pesa_demo|1593171830-2|")


@pytest.mark.parametrize("route", ROUTES)
def test_a_screen_of_the_whole_alphabet_is_written(route: str) -> None:
    wire = SHIPPED.wires[route]
    found = wire.read(sample(route, "later").sent)
    assert isinstance(found, Asked)
    written = wire.write(found, Reply("Rien n'a été débité €", ends=True))
    assert "été" in str(as_read(written.body.decode()))


def _dialled(route: str, dialled: str) -> Sent:
    names = {
        "hubtel": "Message",
        "nalo": "USERDATA",
        "arkesel": "userData",
        "wigal": "userdata",
        "infobip": "text",
    }
    return sample(route, "first").with_fields(**{names[route]: dialled})
