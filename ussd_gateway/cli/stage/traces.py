"""All that a gateway keeps, as places and texts: tables, files, Redis, logs.

It is read here, and not through the gateway's own code, because that is what is being watched.
"""

import logging
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Never

import redis
import structlog
from sqlalchemy import Engine, select

from ussd_gateway.store.database import reading
from ussd_gateway.store.schema import metadata

# Where, and what is kept there; octets as the characters of their numbers.
Trace = tuple[str, str]

# A shorter secret turns up by chance in any hash: it is looked for where it stands alone.
alone_below = 6


def is_in(secret: str, text: str) -> bool:
    if len(secret) >= alone_below or secret not in text:
        return secret in text
    # A hyphen joins: the parts of an id are hashes as well.
    alone = rf"(?<![0-9A-Za-z-]){re.escape(secret)}(?![0-9A-Za-z-])"
    return re.search(alone, text) is not None


def columns(engine: Engine) -> Iterator[Trace]:
    """Every column of every table that has rows, a line for each of them."""
    with reading(engine) as connection:
        for table in metadata.sorted_tables:
            found = connection.execute(select(table).order_by(*table.primary_key))
            for name, values in zip(found.keys(), zip(*found, strict=True), strict=False):
                yield f"table {table.name}, column {name}", "\n".join(map(_text, values))


def files(folder: Path) -> Iterator[Trace]:
    """Every file below a folder, octet by octet."""
    for path in sorted(folder.rglob("*")):
        # A server at work takes its files away as it likes.
        with suppress(FileNotFoundError):
            if path.is_file():
                yield f"file {path.name}", _text(path.read_bytes())


def keys(client: "redis.Redis") -> Iterator[Trace]:
    """Every key and every value; times to live are left out."""
    for key in sorted(client.scan_iter()):
        name = _text(key)
        yield f"Redis {name}", name
        for field, value in _values(client, key):
            yield f"Redis {name}{field}", _text(value)


@contextmanager
def kept_logs() -> Iterator[list[str]]:
    """Every line logged meanwhile, tracebacks and all; they go nowhere else. They bear no
    times, so that they are the same whenever the same happens."""
    lines: list[str] = []

    def keep(_logger: object, _method: str, line: str) -> Never:
        lines.append(line)
        raise structlog.DropEvent

    # Loggers that were used before hold on to this very list: it is changed in its place.
    processors: list[Any] = structlog.get_config()["processors"]
    before = list(processors)
    processors[:] = [
        structlog.processors.add_log_level,
        structlog.processors.format_exc_info,
        structlog.processors.LogfmtRenderer(key_order=["level", "event"]),
        keep,
    ]
    libraries = _Lines(lines)
    logging.getLogger().addHandler(libraries)
    try:
        yield lines
    finally:
        logging.getLogger().removeHandler(libraries)
        processors[:] = before


class _Lines(logging.Handler):
    """The libraries' own logs."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(self.format(record))


def _values(client: "redis.Redis", key: bytes) -> Iterator[tuple[str, object]]:
    match client.type(key):
        case b"string":
            yield "", client.get(key)
        case b"hash":
            yield from sorted(
                (f" {_text(name)}", value) for name, value in client.hgetall(key).items()
            )
        case b"list":
            yield from (("", value) for value in client.lrange(key, 0, -1))
        case b"set":
            yield from (("", value) for value in sorted(client.smembers(key)))
        case b"zset":
            yield from (("", value) for value in client.zrange(key, 0, -1))
        case other:
            raise AssertionError(f"{key!r} is a {other!r}: say how it is read")


def _text(value: object) -> str:
    if not isinstance(value, bytes):
        return str(value)
    # The queue packs its jobs.
    with suppress(zlib.error):
        value = zlib.decompress(value)
    return value.decode("latin-1")
