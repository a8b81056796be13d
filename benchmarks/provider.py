"""An SMS provider that takes everything, each message after the same while: Africa's Talking's
API, as far as the gateway's sender needs it.

python -m benchmarks.provider PORT LATENCY_MS
"""

import asyncio
import itertools
import json
import sys
from urllib.parse import parse_qs

_numbers = itertools.count()


def main(port: str, latency_ms: str) -> None:
    asyncio.run(_serve(int(port), int(latency_ms) / 1000))


async def _serve(port: int, latency_s: float) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, for as long as it is kept alive."""
        while head := await _head(reader):
            length = next((int(v) for k, v in head if k == b"content-length"), 0)
            body = await reader.readexactly(length)
            if body:
                await asyncio.sleep(latency_s)
            writer.write(_answer(body))
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", port, backlog=512)
    await server.serve_forever()


async def _head(reader: asyncio.StreamReader) -> list[tuple[bytes, bytes]]:
    """The header fields of the next request; none where the other side is gone."""
    try:
        text = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        return []
    pairs = (line.partition(b":") for line in text.split(b"\r\n")[1:] if line)
    return [(b"", b""), *((name.lower(), value.strip()) for name, _, value in pairs)]


def _answer(form: bytes) -> bytes:
    """Of a GET: that it is up."""
    to = parse_qs(form.decode()).get("to", ["nobody"])[0]
    sent = {
        "statusCode": 101,
        "number": to,
        "status": "Success",
        "cost": "KES 0.8000",
        "messageId": f"ATXid_{next(_numbers)}",
    }
    told = {"SMSMessageData": {"Message": "Sent to 1/1", "Recipients": [sent]}}
    body = json.dumps(told).encode()
    status = b"201 Created" if form else b"200 OK"
    head = b"HTTP/1.1 %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % (status, len(body)) + body


if __name__ == "__main__":
    main(*sys.argv[1:])
