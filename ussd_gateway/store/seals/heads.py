"""Heads of the chain of seals, as files: one of each market day, and whenever somebody asks.

    DATA_DIR/heads/2026-11-21.json        the day's first
    DATA_DIR/heads/2026-11-21-412.json    another of that day, when seal 412 was the newest

A file is there whole or not at all, and is never overwritten. Whoever could change the books
could change these as well: copies belong elsewhere, too.
"""

import json
import os
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path

from ussd_gateway.store.seals.sealer import Head

FOLDER = "heads"


def is_exported(folder: Path, market_date: date) -> bool:
    """Whether the day's first is there."""
    return _first(folder, market_date).exists()


def export(head: Head, folder: Path, *, at: datetime, market_date: date) -> Path:
    """Gives the file that says it, an older one where that says it already. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    when = {"exported_at": at.isoformat(timespec="seconds"), "market_date": str(market_date)}
    text = f"{json.dumps(head.values | when, indent=2)}\n"
    first = _first(folder, market_date)
    if _put(first, text) or _seq_of(first) == head.seq:
        return first
    another = folder / f"{market_date}-{head.seq}.json"
    _put(another, text)
    return another


def _first(folder: Path, market_date: date) -> Path:
    return folder / f"{market_date}.json"


def _seq_of(path: Path) -> object:
    """None where it cannot be read as a head: a matter for the checker."""
    with suppress(ValueError, AttributeError, RecursionError):
        return json.loads(path.read_text("utf-8")).get("seq")
    return None


def _put(path: Path, text: str) -> bool:
    """On the disk, under its name, at once; False where there was such a file."""
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    with draft.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return True
