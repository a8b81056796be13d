"""A light load: keep-alive connections on bare sockets, in a process of its own.

Every octet that is sent is made before the clock starts, so that the client costs little of the
two cores that it shares with the server. A journey is the requests of one phone, each sent when
the one before is answered; a connection that ends one takes the next.
"""

import gc
import re
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from ussd_gateway.embedded import die_with_parent
from ussd_gateway.embedded.processes import kill_group

connections = 64
# For a client to start and to make its requests, beside the time that the load may take.
start_s = 20.0
recv_octets = 65_536
wrong_shown_max = 5

_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Load:
    """`replies`: how the body of each hop's reply begins, as patterns; a journey that gets
    another one is counted as wrong, and not gone on with."""

    port: int
    path: str
    journeys: list[list[str]] = field(repr=False)
    replies: list[str]
    within_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of a load. `took_us`: of each hop of the journeys, every reply's time."""

    seconds: float
    took_us: list[list[int]] = field(repr=False)
    wrong: int
    wrong_shown: list[str]

    @property
    def requests_per_s(self) -> float:
        return sum(map(len, self.took_us)) / self.seconds


class WrongReplies(Exception):
    """The server did not say what it must: its figures would mean nothing."""


def drive(load: Load) -> Answered:
    """Runs the load in a new process. Raises WrongReplies."""
    client = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.load"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        process_group=0,
    )
    try:
        text, _ = client.communicate(msgspec.json.encode(load), timeout=load.within_s + start_s)
    finally:
        kill_group(client)
    answered = msgspec.json.decode(text, type=Answered)
    if answered.wrong:
        raise WrongReplies(f"{answered.wrong} of {load.path}: {answered.wrong_shown}")
    return answered


def main() -> None:
    die_with_parent()
    load = msgspec.json.decode(sys.stdin.buffer.read(), type=Load)
    sys.stdout.buffer.write(msgspec.json.encode(_run(load)))


class _Phone:
    """One connection, and the journey that it is on."""

    __slots__ = ("heard", "hop", "journey", "line", "sent_at")

    def __init__(self, port: int) -> None:
        self.line = socket.create_connection(("127.0.0.1", port))
        self.line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.journey: list[bytes] = []
        self.hop = 0
        self.heard = b""
        self.sent_at = 0.0

    def say(self) -> None:
        self.heard = b""
        self.sent_at = time.perf_counter()
        self.line.sendall(self.journey[self.hop])

    def reply(self) -> bytes | None:
        """The body, once all of it is here; empty where the status is not 200."""
        self.heard += self.line.recv(recv_octets) or _hung_up()
        head, whole, body = self.heard.partition(b"\r\n\r\n")
        if not whole:
            return None
        length = _LENGTH.search(head)
        if length is None or len(body) < int(length[1]):
            return None
        return body if head.startswith(b"HTTP/1.1 200 ") else b""


def _run(load: Load) -> Answered:
    journeys = iter([[_request(load, body) for body in each] for each in load.journeys])
    expected = [re.compile(each.encode()) for each in load.replies]
    took_us: list[list[int]] = [[] for _ in expected]
    wrong: list[str] = []
    phones = {phone.line.fileno(): phone for phone in _phones(load)}
    poll = select.epoll()
    gc.disable()

    began = time.perf_counter()
    for number, phone in list(phones.items()):
        if _take(phone, journeys):
            poll.register(number, select.EPOLLIN)
        else:
            del phones[number]
    while phones:
        left_s = began + load.within_s - time.perf_counter()
        if left_s <= 0:
            wrong.append(f"not done within {load.within_s:g} s")
            break
        for number, _ in poll.poll(left_s):
            phone = phones[number]
            body = phone.reply()
            if body is None:
                continue
            took_us[phone.hop].append(int((time.perf_counter() - phone.sent_at) * 1e6))
            if not expected[phone.hop].match(body):
                wrong.append(f"hop {phone.hop + 1}: {body.decode(errors='replace')}")
                phone.hop = len(phone.journey)
            phone.hop += 1
            if phone.hop < len(phone.journey):
                phone.say()
            elif not _take(phone, journeys):
                del phones[number]
    seconds = time.perf_counter() - began
    return Answered(seconds, took_us, len(wrong), wrong[:wrong_shown_max])


def _phones(load: Load) -> list[_Phone]:
    return [_Phone(load.port) for _ in range(min(connections, len(load.journeys)))]


def _take(phone: _Phone, journeys: Iterator[list[bytes]]) -> bool:
    """Starts the next journey, where there is one."""
    journey = next(journeys, None)
    if journey is None:
        phone.line.close()
        return False
    phone.journey, phone.hop = journey, 0
    phone.say()
    return True


def _request(load: Load, body: str) -> bytes:
    return (
        f"POST {load.path} HTTP/1.1\r\nHost: 127.0.0.1:{load.port}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n{body}"
    ).encode()


def _hung_up() -> bytes:
    raise ConnectionError("the server hung up")


if __name__ == "__main__":
    main()
