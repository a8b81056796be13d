"""The supervisor, as a program of its own, with stand-ins for its parts."""

import os
import signal
from pathlib import Path

import pytest

from .owner import UNREADY
from .processes import eventually, owner, running

NOTHING = "pass"
soon_s = 3.0


def all_running(folder: Path, count: int) -> bool:
    return eventually(lambda: len(running(folder)) == count)


def none_left(folder: Path) -> bool:
    return eventually(lambda: not running(folder), within_s=soon_s)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_every_part_and_their_children(
    tmp_path: Path, number: signal.Signals
) -> None:
    # Whoever runs the tests by `nohup` is deaf to SIGHUP, and so would the supervisor be.
    before = signal.signal(number, signal.SIG_DFL)
    try:
        with owner("supervisor", tmp_path, NOTHING, "family()", "sleep()") as supervisor:
            assert supervisor.said() == "ready"
            assert all_running(tmp_path, 1 + 3 + 1)

            supervisor.signal(number)

            assert supervisor.ended() == 0
            assert running(tmp_path) == []
    finally:
        signal.signal(number, before)


def test_an_inherited_deafness_to_ctrl_c_is_overcome(tmp_path: Path) -> None:
    # As a shell starts a job in the background.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with owner("supervisor", tmp_path, NOTHING, "sleep()") as supervisor:
            assert supervisor.said() == "ready"
            supervisor.signal(signal.SIGINT)
            assert supervisor.ended() == 0
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_killed_supervisor_leaves_nothing_behind(tmp_path: Path) -> None:
    with owner("supervisor", tmp_path, NOTHING, "family()", "stubborn()") as supervisor:
        assert supervisor.said() == "ready"
        assert all_running(tmp_path, 1 + 3 + 1)

        supervisor.signal(signal.SIGKILL)
        supervisor.ended()

        assert none_left(tmp_path)


def test_the_death_of_who_started_it_ends_the_supervisor(tmp_path: Path) -> None:
    with owner("shell", tmp_path, NOTHING, "family()") as shell:
        assert shell.said() == "ready"
        assert all_running(tmp_path, 2 + 3)

        shell.signal(signal.SIGKILL)
        shell.ended()

        assert none_left(tmp_path)


def test_a_killed_server_takes_its_children_along(tmp_path: Path) -> None:
    announce = "(folder / 'server').write_text(str(os.getpid())); family()"
    with owner("supervisor", tmp_path, NOTHING, announce) as supervisor:
        assert supervisor.said() == "ready"
        assert all_running(tmp_path, 1 + 3)
        server = int((tmp_path / "server").read_text())
        old = set(supervisor.children())

        os.kill(server, signal.SIGKILL)

        assert "part1 ended (killed by SIGKILL); starting it again" in supervisor.said()
        assert eventually(lambda: not old.intersection(running(tmp_path)), within_s=soon_s)
        assert all_running(tmp_path, 1 + 3)


def test_an_impatient_second_signal_kills_at_once(tmp_path: Path) -> None:
    with owner("supervisor", tmp_path, NOTHING, "stubborn()") as supervisor:
        assert supervisor.said() == "ready"
        assert eventually((tmp_path / "stubborn").exists)

        supervisor.signal(signal.SIGTERM)
        assert not eventually(lambda: not supervisor.children(), within_s=0.5)
        supervisor.signal(signal.SIGTERM)

        assert none_left(tmp_path)


def test_a_part_that_never_starts_ends_it_all(tmp_path: Path) -> None:
    dying = "print('no menu to be found', flush=True); sys.exit(3)"
    (tmp_path / UNREADY).touch()
    with owner("supervisor", tmp_path, NOTHING, "sleep()", dying) as supervisor:
        lines = supervisor.said_until("Giving up")

        assert "part2 ended (exit code 3); starting it again in 0.2 s." in lines[0]
        assert "    no menu to be found" in lines
        assert "part2 does not start" in lines[-1]
        assert supervisor.ended() == 1
        assert running(tmp_path) == []


def test_a_part_that_asks_for_mending_is_not_tried_again(tmp_path: Path) -> None:
    (tmp_path / UNREADY).touch()
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs" / "part1.log").write_text("of another day\n")
    asking = "print('PORT: give a number', flush=True); sys.exit(2)"
    with owner("supervisor", tmp_path, NOTHING, asking) as supervisor:
        _, _, *lines, last = supervisor.said_until("Giving up")

        assert lines == ["    PORT: give a number"]
        assert "part1 does not start" in last
        assert supervisor.ended() == 1


def test_a_failure_of_the_first_step_is_told_and_starts_no_part(tmp_path: Path) -> None:
    first = "sys.exit('the disk is full')"
    with owner("supervisor", tmp_path, first, "(folder / 'ran').touch()") as supervisor:
        lines = supervisor.said_until("full")

        assert "first failed (exit code 1)" in lines[0]
        assert lines[-1] == "    the disk is full"
        assert supervisor.ended() == 1
        assert not (tmp_path / "ran").exists()


def test_a_signal_during_the_first_step_ends_it(tmp_path: Path) -> None:
    with owner("supervisor", tmp_path, "sleep()", NOTHING) as supervisor:
        assert all_running(tmp_path, 2)
        supervisor.signal(signal.SIGINT)
        assert supervisor.ended() == 0
        assert running(tmp_path) == []


def test_a_log_is_cut_when_it_grows_too_long(tmp_path: Path) -> None:
    log = tmp_path / "logs" / "part1.log"
    with owner("supervisor", tmp_path, NOTHING, "chatter()") as supervisor:
        assert supervisor.said() == "ready"
        assert eventually(lambda: log.with_suffix(".log.1").exists())
        assert eventually(lambda: log.stat().st_size < 5_000_000)
        assert log.with_suffix(".log.1").stat().st_size > 5_000_000


def test_a_second_owner_of_a_folder_is_told_who_the_first_is(tmp_path: Path) -> None:
    with owner("supervisor", tmp_path, NOTHING, "sleep()") as first:
        assert first.said() == "ready"
        with owner("supervisor", tmp_path, NOTHING, "sleep()") as second:
            lines = second.said_until("is in use")
            assert f"is in use by process {first.pid}" in lines[-1]
            second.ended()
