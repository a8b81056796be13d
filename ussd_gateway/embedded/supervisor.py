"""Keeps the parts of the demo running, tells a person what happens, and ends them all.

    first --exit code 0--> starting --all ready--> running --> stopping
                               |                      |
                               |                      +-- Ctrl-C, SIGTERM, the parent's death
                               +-- a part dies too often, nothing answers in time: exit code 1

A part that dies is started again, after a pause that doubles each time. Whatever the parts say
goes to a log each, which is cut when it grows too long.
"""

import os
import select
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ussd_gateway.embedded.processes import Part, ending, kill_group, spawn, stop, tail

tick_s = 0.25
ready_within_s = 60.0
# Deaths of one part, before everything was ready for the first time.
early_deaths_max = 3
# The exit code of a part that has said what a person must mend: then one death is enough.
MEND = 2
pause_first_s = 0.2
pause_max_s = 5.0
# A part that lived this long has earned a short pause again.
steady_after_s = 30.0
log_octets_max = 5_000_000


@dataclass(slots=True)
class _Kept:
    """A part, and its process: None while it waits to be started at `start_at`."""

    part: Part
    log: Path
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    start_at: float = 0.0
    pause_s: float = pause_first_s
    deaths: int = 0
    log_from: int = 0  # octets that earlier processes had written


class Supervisor:
    """`say` tells a person a line; `ready` is asked until it is true, and then `announce` is
    called once.

    From its making on, SIGINT and SIGTERM stop it, whatever was inherited, and so does the
    death of the process that started us. Use it once, from the main thread."""

    def __init__(
        self,
        logs: Path,
        *,
        say: Callable[[str], None],
        ready: Callable[[], bool],
        announce: Callable[[], None],
    ) -> None:
        logs.mkdir(parents=True, exist_ok=True)
        self._logs = logs
        self._say = say
        self._ready = ready
        self._announce = announce
        self._parent = os.getppid()
        self._signals = 0
        self._kept: list[_Kept] = []
        self._wakes, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        stopping = [signal.SIGINT, signal.SIGTERM]
        # Under nohup a lost terminal is no reason to stop.
        if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:
            stopping.append(signal.SIGHUP)
        for number in stopping:
            signal.signal(number, self._on_stop)

    def run(self, parts: Sequence[Part], *, first: Part) -> int:
        """Runs `first` to its end, then keeps `parts` until it is stopped. The exit code."""
        self._kept = [_Kept(part, self._log(part)) for part in parts]
        try:
            if not self._complete(first):
                return 0 if self._stopping() else 1
            return self._keep()
        finally:
            self._stop()

    def _complete(self, part: Part) -> bool:
        process = spawn(part, self._log(part))
        while process.poll() is None and not self._stopping():
            self._sleep()
        kill_group(process)
        if process.returncode > 0:
            self._say(
                f"{part.name} failed ({ending(process.returncode)}). Its last lines, of "
                f"{self._log(part)}:\n{tail(self._log(part))}"
            )
        return process.returncode == 0

    def _keep(self) -> int:
        give_up_at = time.monotonic() + ready_within_s
        announced = False
        while not self._stopping():
            now = time.monotonic()
            for kept in self._kept:
                self._reap(kept, now)
                self._start_due(kept, now)
            if not announced:
                if trouble := self._trouble(give_up_at):
                    self._say(f"Giving up: {trouble}. See the logs in {self._logs}.")
                    return 1
                if announced := self._ready():
                    self._announce()
            self._cut_logs()
            self._sleep()
        return 0

    def _trouble(self, give_up_at: float) -> str | None:
        for kept in self._kept:
            if kept.deaths >= early_deaths_max:
                return f"{kept.part.name} does not start"
        if time.monotonic() > give_up_at:
            return f"not everything answered within {ready_within_s:g} s"
        return None

    def _reap(self, kept: _Kept, now: float) -> None:
        process = kept.process
        if process is None or process.poll() is None:
            return

        kill_group(process)
        kept.process = None
        kept.deaths += early_deaths_max if process.returncode == MEND else 1
        if now - kept.started_at >= steady_after_s:
            kept.pause_s = pause_first_s
        kept.start_at = now + kept.pause_s
        self._say(
            f"{kept.part.name} ended ({ending(process.returncode)}); "
            f"starting it again in {kept.pause_s:g} s."
        )
        if process.returncode > 0:
            said = tail(kept.log, since=kept.log_from)
            self._say(f"Its last lines, of {kept.log}:\n{said}")
        kept.pause_s = min(2 * kept.pause_s, pause_max_s)

    def _start_due(self, kept: _Kept, now: float) -> None:
        if kept.process is None and now >= kept.start_at:
            kept.log_from = kept.log.stat().st_size if kept.log.exists() else 0
            kept.process = spawn(kept.part, kept.log)
            kept.started_at = now

    def _stop(self) -> None:
        """An impatient person's second signal kills at once."""
        for leant_on in (False, True):
            stop(
                [
                    kept.process
                    for kept in self._kept
                    if kept.process is not None and kept.part.leant_on == leant_on
                ],
                hurry=lambda: self._signals > 1,
            )

    def _stopping(self) -> bool:
        return self._signals > 0 or os.getppid() != self._parent

    def _on_stop(self, *_: object) -> None:
        self._signals += 1

    def _sleep(self) -> None:
        """Until the next tick, a signal, or the death of a part."""
        if select.select([self._wakes], [], [], tick_s)[0]:
            os.read(self._wakes, 4096)

    def _log(self, part: Part) -> Path:
        return self._logs / f"{part.name}.log"

    def _cut_logs(self) -> None:
        """The parts append, so a log that is emptied under them goes on from its start."""
        for kept in self._kept:
            if kept.log.stat().st_size > log_octets_max:
                # On a full disk the old lines go, and nothing else does.
                with suppress(OSError):
                    shutil.copyfile(kept.log, kept.log.with_suffix(".log.1"))
                os.truncate(kept.log, 0)
                kept.log_from = 0
