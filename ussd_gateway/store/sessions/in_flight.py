"""The rows of sessions that Redis holds now, for a person to count: a bounded look, never a
lock, and nothing is changed."""

from collections.abc import Iterator
from itertools import islice

import redis
from redis.exceptions import RedisError

from ussd_gateway.ports import SessionsLost

# Beyond so many a count says "at least".
rows_max = 100_000

_SESSIONS = "ussd:*"
_LEFT_OPEN = b"ussd:left:"
_batch = 500


def rows(url: str) -> Iterator[bytes]:
    """Each session's row as `ussd` keeps it, `rows_max` of them at most. Raises
    SessionsLost."""
    client = redis.from_url(url, protocol=2, socket_connect_timeout=1.0, socket_timeout=5.0)
    try:
        keys = (
            key
            for key in client.scan_iter(match=_SESSIONS, count=_batch)
            if not key.startswith(_LEFT_OPEN)
        )
        bounded = islice(keys, rows_max)
        while batch := list(islice(bounded, _batch)):
            pipeline = client.pipeline(transaction=False)
            for key in batch:
                pipeline.hget(key, "row")
            yield from (row for row in pipeline.execute() if row)
    except RedisError as error:
        raise SessionsLost(type(error).__name__) from error
    finally:
        client.close()
