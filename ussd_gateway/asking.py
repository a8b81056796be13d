"""What whoever asks a provider over HTTP has to know: the whole answer, or that there is none
in time; and whether the request ever left, for what has left may have been done."""

import ssl
import time

import requests
from urllib3.exceptions import NewConnectionError

_PIECE = 64 * 1024


class Endless(requests.RequestException):
    """An answer of more octets than any that is meant."""


def whole(answer: requests.Response, *, octets_max: int, until: float) -> bytes:
    """What comes up to then, by time.monotonic(): each piece may come in time, and all of them
    never end. One silence may be as long as the session's own time-out.

    `answer` is a stream. Raises Endless, requests.ReadTimeout, and urllib3's HTTPError where
    the line breaks."""
    body = bytearray()
    # Not iter_content, which gives nothing until a whole piece has come.
    while piece := answer.raw.read1(_PIECE):
        body += piece
        if len(body) > octets_max:
            raise Endless
        if time.monotonic() > until:
            raise requests.ReadTimeout
    return bytes(body)


def never_left(error: Exception) -> bool:
    """requests tells a refused connection and one cut after sending by the same name; and a
    certificate that is not the provider's by that of a line that broke in the middle."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    cause = getattr(reason, "args", None) or (None,)
    return (
        isinstance(error, requests.ConnectTimeout)
        or isinstance(reason, NewConnectionError)
        or isinstance(cause[0], ssl.SSLCertVerificationError)
    )
