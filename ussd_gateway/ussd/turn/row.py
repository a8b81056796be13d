"""A session as it is kept between hops: where it is, what was heard, what was replied."""

from msgspec import DecodeError, Struct, msgpack

from ussd_gateway.ports import Left, SessionId
from ussd_gateway.ussd.events import Session
from ussd_gateway.ussd.turn.heard import Heard


class Row(Struct, frozen=True, array_like=True):
    """`session` is None when it has ended: then its last reply is all there is to say. `left`
    is what it asks about, while it asks whether to go on."""

    pack: str
    program: str  # digest
    route: str
    session_id: str
    visit: str
    at_ms: int  # when it was replied
    heard: Heard
    reply: str
    session: Session | None
    left: tuple[str, str, int] | None = None  # ports.Left

    @property
    def asks_of(self) -> Left | None:
        """The session that this one asks about, if it does."""
        if self.left is None:
            return None
        route, session_id, hop = self.left
        return Left(route, SessionId(session_id), hop)


_encoder = msgpack.Encoder()
_decoder = msgpack.Decoder(Row)


def pack(row: Row) -> bytes:
    return _encoder.encode(row)


def unpack(octets: bytes) -> Row | None:
    """None for what another version of the gateway wrote, or nobody did."""
    try:
        return _decoder.decode(octets)
    except DecodeError:
        return None
