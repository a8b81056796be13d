"""Which SMS providers rest, told by the workers to whoever watches.

In Redis, each with an end of its own: it is true for seconds, and a worker that was killed must
not leave it behind. The log has it too, so where Redis is away nothing else is lost.
"""

import secrets
import time
from collections import Counter
from contextlib import suppress

import redis

_KEY = "sms:resting"
# Behind a rest comes a trial: until that is over nobody knows better.
trial_s = 30.0
within_s = 1.0
# Of all of it, behind the last that was told.
kept_s = 300


class RedisRests:
    """Of one worker process, or to look. Safe to use from any number of threads."""

    def __init__(self, url: str) -> None:
        """Nothing connects yet."""
        self._client = redis.from_url(
            url, decode_responses=True, socket_timeout=within_s, socket_connect_timeout=within_s
        )
        self._worker = secrets.token_hex(8)

    def began(self, provider: str, rest_s: float) -> None:
        lasts_s = rest_s + trial_s
        with suppress(redis.RedisError), self._client.pipeline() as pipe:
            pipe.zadd(_KEY, {self._member(provider): time.time() + lasts_s})
            pipe.zremrangebyscore(_KEY, "-inf", time.time())
            pipe.expire(_KEY, kept_s)
            pipe.execute()

    def ended(self, provider: str) -> None:
        with suppress(redis.RedisError):
            self._client.zrem(_KEY, self._member(provider))

    def workers(self) -> Counter[str]:
        """How many workers let each provider rest. Raises redis.RedisError."""
        found = self._client.zrangebyscore(_KEY, time.time(), "+inf")
        return Counter(str(member).rpartition(" ")[0] for member in found)

    def close(self) -> None:
        self._client.close()

    def _member(self, provider: str) -> str:
        return f"{provider} {self._worker}"
