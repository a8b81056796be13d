"""PostgreSQL dies by `kill -9`, all of it, and is started again on its files."""

from tests.endtoend.running import alive, children, eventually, kill
from ussd_gateway.embedded.postgres import Postgres

gone_within_s = 10.0


def crash(server: Postgres) -> bool:
    """All its processes at once, as when the machine runs out of memory; started again."""
    (postmaster, *_) = (server.folder / "data" / "postmaster.pid").read_text().split()
    family = [int(postmaster), *(one.pid for one in children(int(postmaster)))]
    for pid in family:
        kill(pid)
    server.stop()
    # A new one refuses its files while one of the old still holds them.
    gone = eventually(lambda: not any(map(alive, family)), within_s=gone_within_s)
    assert gone, f"PostgreSQL outlived kill -9: {family}"
    server.start()
    return True
