"""When a provider rests, and when it is fit again."""

import pytest

from ussd_gateway.sms.circuit import (
    Circuit,
    alone_s,
    failures_max,
    rest_s,
    rest_s_max,
    trial_s_max,
)


class Time:
    def __init__(self) -> None:
        self.at_s = 1000.0

    def __call__(self) -> float:
        return self.at_s


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def circuit(time: Time) -> Circuit:
    return Circuit(time)


def fail(circuit: Circuit, times: int = failures_max) -> float | None:
    rest = None
    for _ in range(times):
        ticket = circuit.enter()
        assert ticket is not None
        rest = circuit.failed(ticket)
    return rest


def test_failures_in_a_row_make_it_rest(circuit: Circuit) -> None:
    assert [fail(circuit, 1) for _ in range(failures_max)] == [
        *[None] * (failures_max - 1),
        rest_s,
    ]
    assert circuit.rests
    assert circuit.enter() is None


def test_one_answer_ends_the_row(circuit: Circuit) -> None:
    fail(circuit, failures_max - 1)
    ticket = circuit.enter()
    assert ticket is not None
    assert not circuit.well(ticket)
    assert fail(circuit, failures_max - 1) is None


def test_after_the_rest_one_is_let_through_and_no_other(circuit: Circuit, time: Time) -> None:
    fail(circuit)
    time.at_s += rest_s
    assert not circuit.rests
    assert circuit.enter() is not None
    assert circuit.enter() is None


def test_a_message_that_was_met_with_silence_is_not_what_it_is_tried_with(
    circuit: Circuit, time: Time
) -> None:
    assert circuit.enter(again=True) is not None
    fail(circuit)
    time.at_s += rest_s
    assert circuit.enter(again=True) is None

    ticket = circuit.enter()
    assert ticket is not None
    assert circuit.well(ticket)
    assert circuit.enter(again=True) is not None


def test_unless_no_other_one_comes(circuit: Circuit, time: Time) -> None:
    fail(circuit)
    time.at_s += rest_s + alone_s
    assert circuit.enter(again=True) is not None


def test_a_trial_that_goes_well_lets_all_through(circuit: Circuit, time: Time) -> None:
    fail(circuit)
    time.at_s += rest_s
    ticket = circuit.enter()
    assert ticket is not None
    assert circuit.well(ticket)
    assert fail(circuit, failures_max - 1) is None


def test_each_trial_that_fails_doubles_the_rest_up_to_a_bound(
    circuit: Circuit, time: Time
) -> None:
    rests = [fail(circuit)]
    while rests[-1] != rest_s_max:
        time.at_s += rests[-1] or 0
        rests.append(fail(circuit, 1))
    time.at_s += rest_s_max

    assert rests == [1.0, 2.0, 4.0, 8.0, 15.0]
    assert fail(circuit, 1) == rest_s_max


def test_what_was_sent_before_the_rest_says_nothing_after_it(
    circuit: Circuit, time: Time
) -> None:
    late = circuit.enter()
    assert late is not None
    fail(circuit)
    assert circuit.failed(late) is None
    time.at_s += rest_s
    trial = circuit.enter()
    assert trial is not None
    assert not circuit.well(late)
    assert circuit.failed(trial) == 2 * rest_s


def test_a_trial_that_never_ends_is_followed_by_another(circuit: Circuit, time: Time) -> None:
    fail(circuit)
    time.at_s += rest_s
    lost = circuit.enter()
    assert lost is not None
    time.at_s += trial_s_max
    trial = circuit.enter()
    assert trial is not None
    assert not circuit.well(lost)
    assert circuit.well(trial)
