"""Starting a process that ends with us, waiting until it answers, and ending it.

A process gets its own group, so that a terminal's Ctrl-C reaches its owner only, and a signal
that the kernel sends it when its owner dies. That signal fires when the *thread* that started
it ends: start processes from the main thread.
"""

import ctypes
import multiprocessing
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

PR_SET_PDEATHSIG = 1

stop_s = 5.0
poll_s = 0.02
tail_lines_max = 8
tail_octets_max = 4096

_libc = ctypes.CDLL(None)


class NotStarted(Exception):
    """A process ended, or stayed silent, instead of answering. The text has its last words."""


@dataclass(frozen=True, slots=True)
class Part:
    """A program. `env` is added to our own environment; a part that others lean on is stopped
    after them."""

    name: str
    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    leant_on: bool = False


def die_with_parent() -> None:
    """From now on `kill -9` of the parent kills this process too. Call it early, once, in every
    process that `multiprocessing` or a server forks."""
    _set_death_signal(signal.SIGKILL)
    # Too late where the parent died before the line above.
    parent = multiprocessing.parent_process()
    if parent is not None and parent.pid != os.getppid():
        os.kill(os.getpid(), signal.SIGKILL)


def spawn(
    part: Part,
    log: Path,
    *,
    user: int | None = None,
    death_signal: signal.Signals = signal.SIGKILL,
) -> subprocess.Popen[bytes]:
    """Starts `part`, as `user` where we are root. All it says is appended to `log`."""
    assert threading.current_thread() is threading.main_thread(), (
        "it would die with this thread"
    )
    parent = os.getpid()

    def before_exec() -> None:
        _set_death_signal(death_signal)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)

    with log.open("ab") as output:
        return subprocess.Popen(
            part.argv,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**os.environ, **part.env},
            process_group=0,
            user=user,
            group=user,
            extra_groups=None if user is None else (),
            # Two system calls and no lock: safe after a fork of a process with threads.
            preexec_fn=before_exec,  # noqa: PLW1509
        )


def wait_until(
    ready: Callable[[], bool], process: subprocess.Popen[bytes], log: Path, *, within_s: float
) -> None:
    """Raises NotStarted when the process ends, or is not ready in time."""
    deadline = time.monotonic() + within_s
    while not ready():
        if process.poll() is not None:
            raise NotStarted(f"{ending(process.returncode)}\n{tail(log)}")
        if time.monotonic() > deadline:
            raise NotStarted(f"no answer within {within_s:g} s\n{tail(log)}")
        time.sleep(poll_s)


def stop(
    processes: Sequence[subprocess.Popen[bytes]],
    *,
    by: signal.Signals = signal.SIGTERM,
    within_s: float = stop_s,
    hurry: Callable[[], bool] = lambda: False,
) -> None:
    """Asks all, waits for all, but no longer when in a hurry, and kills what is left of them
    and of what they started."""
    for process in processes:
        process.send_signal(by)
    deadline = time.monotonic() + within_s
    while any(process.poll() is None for process in processes):
        if hurry() or time.monotonic() > deadline:
            break
        time.sleep(poll_s)
    for process in processes:
        kill_group(process)


def kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kills the process and all that it started, and reaps it."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def ending(returncode: int) -> str:
    """`exit code 3`, or `killed by SIGKILL`."""
    if returncode >= 0:
        return f"exit code {returncode}"
    return f"killed by {signal.Signals(-returncode).name}"


def tail(log: Path, *, since: int = 0) -> str:
    """The last lines of a log, indented: of what was written after its first `since` octets."""
    with log.open("rb") as file:
        file.seek(max(since, log.stat().st_size - tail_octets_max))
        lines = file.read().decode(errors="replace").splitlines()[-tail_lines_max:]
    return "\n".join(f"    {line}" for line in lines)


def _set_death_signal(death_signal: signal.Signals) -> None:
    _libc.prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
