"""Logs: one event a line, with fields. Nothing here may ever be handed what a person typed."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog
from structlog.typing import EventDict

from ussd_gateway.settings import Settings

# Of a fault the traceback, and never what its variables held.
_LINES = (
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    structlog.processors.LogfmtRenderer(
        key_order=["timestamp", "level", "event"], bool_as_flag=False
    ),
)


def start_logging(settings: Settings) -> None:
    """Called once in each process, before it does anything."""
    structlog.configure(
        processors=list(_LINES),
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[settings.log_level.upper()]
        ),
        logger_factory=structlog.WriteLoggerFactory(),
        cache_logger_on_first_use=True,
    )


@contextmanager
def logged_aside() -> Iterator[None]:
    """For a command: what it prints is what was asked for, so warnings and worse stand apart
    from it, on stderr."""
    with _logging(
        processors=[_drop_what_is_well, *_LINES],
        logger_factory=lambda *_: structlog.WriteLogger(sys.stderr),
        cache_logger_on_first_use=False,
    ):
        yield


def _drop_what_is_well(_logger: object, method: str, event: EventDict) -> EventDict:
    """Not by the wrapper: whoever keeps all lines for a while puts others in the place of
    these."""
    if method in ("debug", "info"):
        raise structlog.DropEvent
    return event


@contextmanager
def unlogged() -> Iterator[None]:
    """For whoever tells a person what is found, and would only say it twice."""
    with _logging(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL)):
        yield


@contextmanager
def _logging(**changed: Any) -> Iterator[None]:
    before = structlog.get_config()
    structlog.configure(**before | changed)
    try:
        yield
    finally:
        structlog.configure(**before)
