"""A data folder has one owner: who holds the lock on `owner.lock` in it.

The kernel gives the lock back when its holder dies, however it dies. A folder that was empty
when it was first owned is marked as made here; only such a folder is ever emptied.
"""

import fcntl
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOCK = "owner.lock"
MARK = "made-by-ussd-gateway"


class FolderTaken(Exception):
    """Another process owns the folder, or it is not ours to empty. The text is for a person."""


@contextmanager
def owned(folder: Path, *, fresh: bool = False) -> Iterator[None]:
    """Makes the folder where it is missing, and owns it; `fresh` empties it first.

    Raises FolderTaken."""
    folder.mkdir(parents=True, exist_ok=True)
    made_here = not any(folder.iterdir())
    lock = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        _take(lock, folder)
        if made_here:
            (folder / MARK).touch()
        if fresh:
            _empty(folder)
        yield
    finally:
        os.close(lock)


def _take(lock: int, folder: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        owner = os.pread(lock, 20, 0).decode(errors="replace") or "another"
        raise FolderTaken(
            f"DATA_DIR {folder} is in use by process {owner}: stop that one, or choose another "
            "folder with DATA_DIR="
        ) from None
    os.ftruncate(lock, 0)
    os.pwrite(lock, str(os.getpid()).encode(), 0)


def _empty(folder: Path) -> None:
    if not (folder / MARK).exists():
        raise FolderTaken(
            f"DATA_DIR {folder} held other things before we came: empty it yourself, or choose "
            "another folder with DATA_DIR="
        )
    for path in folder.iterdir():
        if path.name in (LOCK, MARK):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
