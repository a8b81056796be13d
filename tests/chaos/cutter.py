"""A wire to PostgreSQL that is cut at COMMIT: before it, after it, or in the middle of it.

    gateway --TCP--> Cutter --unix socket--> PostgreSQL

A client whose connection is cut then cannot know whether its transaction was kept; here we do.
"""

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import Enum
from pathlib import Path
from random import Random

COMMIT = b"COMMIT\0"
# ReadyForQuery, in no transaction: what a server says last, once a COMMIT is done.
DONE = b"Z\0\0\0\5I"
octets_max = 65_536


class Cut(Enum):
    BEFORE = "before: not kept"
    AFTER = "after: kept, and the answer lost"
    MIDDLE = "in the middle: either"


class Cutter:
    """Listens on `port` from its making to `close`. `share` of the COMMITs are cut, from 0, at
    first, to 1."""

    def __init__(self, server: Path, seed: int) -> None:
        self.share = 0.0
        self.cuts: Counter[Cut] = Counter()
        self._server = server
        self._random = Random(seed)
        self._lock = threading.Lock()
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = socket.socket(socket.AF_UNIX)
        with client, server, suppress(OSError):
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            server.connect(str(self._server))
            wire = _Wire(client, server)
            threading.Thread(target=wire.answer, daemon=True).start()
            for words in _heard(client):
                cut = self._fate() if COMMIT in words else None
                wire.losing = wire.losing or cut is Cut.AFTER
                if cut is not Cut.BEFORE:
                    server.sendall(words)
                if cut in (Cut.BEFORE, Cut.MIDDLE):
                    break
            wire.cut()

    def _fate(self) -> Cut | None:
        with self._lock:
            if self._random.random() >= self.share:
                return None
            cut = self._random.choice(list(Cut))
            self.cuts[cut] += 1
        return cut


class _Wire:
    """One connection. Once it is `losing`, the server's next answer ends it instead of getting
    through."""

    def __init__(self, client: socket.socket, server: socket.socket) -> None:
        self.losing = False
        self._client = client
        self._server = server

    def answer(self) -> None:
        with suppress(OSError):
            for words in _heard(self._server):
                if self.losing and DONE in words:
                    break
                if not self.losing:
                    self._client.sendall(words)
        self.cut()

    def cut(self) -> None:
        for end in (self._client, self._server):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)


def _heard(end: socket.socket) -> Iterator[bytes]:
    while words := end.recv(octets_max):
        yield words


@contextmanager
def cutter(server: Path, seed: int) -> Iterator[Cutter]:
    it = Cutter(server, seed)
    try:
        yield it
    finally:
        it.close()
