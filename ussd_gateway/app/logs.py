"""Logs: one event a line, with fields. Nothing here may ever be handed what a person typed."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from ussd_gateway.settings import Settings


def start_logging(settings: Settings) -> None:
    """Called once in each process, before it does anything."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(
                key_order=["timestamp", "level", "event"], bool_as_flag=False
            ),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[settings.log_level.upper()]
        ),
        logger_factory=structlog.WriteLoggerFactory(),
        cache_logger_on_first_use=True,
    )


@contextmanager
def unlogged() -> Iterator[None]:
    """For whoever tells a person what is found, and would only say it twice."""
    before = structlog.get_config()
    nothing = structlog.make_filtering_bound_logger(logging.CRITICAL)
    structlog.configure(wrapper_class=nothing)
    try:
        yield
    finally:
        structlog.configure(**before)
