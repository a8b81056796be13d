import os
import signal
import time
from pathlib import Path

import psycopg

from ussd_gateway.embedded.postgres import Postgres

from .processes import eventually, owner, running


def test_a_commit_is_on_the_disk_when_it_is_answered() -> None:
    with Postgres() as server, psycopg.connect(server.url()) as connection:
        for option in ("fsync", "synchronous_commit", "full_page_writes"):
            assert connection.execute(f"SHOW {option}").fetchone() == ("on",)


def test_fresh_databases_are_empty_and_apart(postgres: Postgres, postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE journal (id int)")
    with psycopg.connect(postgres.create_database()) as connection:
        assert connection.execute("SELECT to_regclass('journal')").fetchone() == (None,)


def test_a_database_can_be_copied(postgres: Postgres, postgres_url: str) -> None:
    with psycopg.connect(postgres_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE journal (id int)")
    copy = postgres.create_database(template=postgres_url.partition("@/")[2].partition("?")[0])
    with psycopg.connect(copy) as connection:
        assert connection.execute("SELECT count(*) FROM journal").fetchone() == (0,)


def test_a_killed_owner_leaves_no_postgres_and_the_next_one_clears_up(
    postgres: Postgres, tmp_path: Path
) -> None:
    with owner("postgres", tmp_path) as first:
        folder = Path(first.said())
        assert running(folder)

        first.signal(signal.SIGKILL)
        first.ended()

        assert eventually(lambda: not running(folder), within_s=2)
    long_ago = time.time() - 3600
    os.utime(folder, (long_ago, long_ago))
    os.utime(postgres.folder, (long_ago, long_ago))
    with Postgres():
        assert not folder.exists()
        assert postgres.folder.exists()
