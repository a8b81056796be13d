"""Every commit is sealed once, in whatever order they come, whoever is killed meanwhile; and
the head of the chain leaves as a file."""

import json
import threading
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, func, insert, select, text

from tests.store.conftest import SetClock, count, pay, started, wallet
from tests.world import at_once
from ussd_gateway.store.database import reading, writing
from ussd_gateway.store.ledger.writer import Writer
from ussd_gateway.store.schema import account, batch, seal, unsealed
from ussd_gateway.store.seals.heads import export, is_exported
from ussd_gateway.store.seals.sealer import LOCK, SEALED_MAX, head, seal_all, seal_waiting
from ussd_gateway.store.verify import verify

TODAY = date(2026, 11, 21)
AT = datetime(2026, 11, 21, 6, tzinfo=UTC)


def test_each_commit_is_sealed_once(writer: Writer, wallets: Engine) -> None:
    for number in range(3):
        writer.run(pay(f"k{number}"), within_s=5)

    assert seal_waiting(wallets) == 3
    assert seal_waiting(wallets) == 0
    assert count(wallets, "unsealed") == 0
    assert seals(wallets) == [(1, 1), (2, 2), (3, 3)]


def test_what_is_committed_late_under_an_early_number_is_sealed_all_the_same(
    engine: Engine,
) -> None:
    commit(engine, 2, 3)
    assert seal_waiting(engine) == 2
    commit(engine, 1)
    assert seal_waiting(engine) == 1

    assert seals(engine) == [(1, 2), (2, 3), (3, 1)]


def test_no_look_seals_more_than_its_bound(engine: Engine) -> None:
    commit(engine, *range(1, SEALED_MAX + 4))

    assert [seal_waiting(engine) for _ in range(3)] == [SEALED_MAX, 3, 0]
    commit(engine, *range(1_001, SEALED_MAX + 1_004))
    seal_all(engine)
    assert count(engine, "unsealed") == 0


def test_sealers_at_once_make_one_chain(engine: Engine) -> None:
    commit(engine, *range(1, 51))
    sealed = at_once(*(lambda: seal_waiting(engine) for _ in range(4)))

    assert sorted(sealed) == [0, 0, 0, 50]
    assert [seq for seq, _ in seals(engine)] == list(range(1, 51))


@pytest.mark.parametrize("engine", ["postgres"], indirect=True)
def test_a_sealer_that_finds_another_at_it_leaves_it_alone(engine: Engine) -> None:
    commit(engine, 1)
    with engine.begin() as other:
        other.execute(select(func.pg_advisory_xact_lock(LOCK)))
        assert seal_waiting(engine) == 0
    assert seal_waiting(engine) == 1


def test_a_sealer_that_dies_has_sealed_all_or_nothing(engine: Engine) -> None:
    """Here it dies of a row that stands in its way."""
    commit(engine, 1, 2, 3)
    with writing(engine) as connection:
        connection.execute(insert(seal).values(seq=-1, batch_id=3, chain=b"in the way"))
    with pytest.raises(Exception, match="batch_id"):
        seal_waiting(engine)

    assert count(engine, "seal") == 1
    assert count(engine, "unsealed") == 3


def test_books_are_sealed_while_they_are_written(engine: Engine, clock: SetClock) -> None:
    with writing(engine) as connection:
        connection.execute(insert(account), [wallet(1, 0), wallet(2, 0)])
        connection.execute(text("UPDATE account SET floor = NULL"))
    stop = threading.Event()
    sealed = 0

    def go_on() -> None:
        nonlocal sealed
        while not stop.is_set():
            sealed += seal_waiting(engine)

    with started(engine, clock) as running:
        thread = threading.Thread(target=go_on)
        thread.start()
        for number in range(100):
            assert running.run(pay(f"k{number}"), within_s=5).name == "ok"
        stop.set()
        thread.join()
    seal_all(engine)

    assert 0 < sealed <= 100
    (chained,) = [one for one in verify(engine) if one.number == 14]
    assert chained.ok, chained.shown
    assert chained.checked == count(engine, "batch") * 2


def test_there_is_no_head_before_the_first_seal(engine: Engine) -> None:
    assert head(engine) is None
    commit(engine, 1)
    assert head(engine) is None


def test_a_head_says_what_was_there(writer: Writer, wallets: Engine, tmp_path: Path) -> None:
    for number in range(3):
        writer.run(pay(f"k{number}"), within_s=5)
    seal_all(wallets)
    writer.run(pay("k3"), within_s=5)
    newest = head(wallets)

    assert newest is not None
    assert (newest.seq, newest.journals, newest.unsealed) == (3, 4, 1)
    path = export(newest, tmp_path / "heads", at=AT, market_date=TODAY)
    assert path == tmp_path / "heads" / "2026-11-21.json"
    assert json.loads(path.read_text()) == {
        "seq": 3,
        "batch": 3,
        "chain": newest.chain.hex(),
        "journals": 4,
        "exported_at": "2026-11-21T06:00:00+00:00",
        "market_date": "2026-11-21",
    }
    (chained,) = [one for one in verify(wallets, path.parent) if one.number == 14]
    assert chained.ok, chained.shown


def test_a_head_that_is_exported_while_the_checker_reads_is_none_of_its_moment(
    writer: Writer, wallets: Engine, tmp_path: Path
) -> None:
    writer.run(pay("k1"), within_s=5)
    seal_all(wallets)
    reached = False

    def meanwhile(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        nonlocal reached
        if reached or "FROM journal" not in statement:
            return
        reached = True
        writer.run(pay("k2"), within_s=5)
        seal_all(wallets)
        newest = head(wallets)
        assert newest is not None
        export(newest, tmp_path, at=AT, market_date=TODAY)

    event.listen(wallets, "before_cursor_execute", meanwhile)
    (chained,) = [one for one in verify(wallets, tmp_path) if one.number == 14]

    assert reached
    assert chained.ok, chained.shown


def test_no_head_is_ever_overwritten(engine: Engine, tmp_path: Path) -> None:
    def keep() -> str:
        newest = head(engine)
        assert newest is not None
        return export(newest, tmp_path, at=AT, market_date=TODAY).name

    assert not is_exported(tmp_path, TODAY)
    commit(engine, 1)
    seal_all(engine)
    assert [keep(), keep()] == ["2026-11-21.json"] * 2
    assert is_exported(tmp_path, TODAY)
    first = (tmp_path / "2026-11-21.json").read_text()
    commit(engine, 2)
    seal_all(engine)
    assert [keep(), keep()] == ["2026-11-21-2.json"] * 2

    assert (tmp_path / "2026-11-21.json").read_text() == first
    assert list(tmp_path.glob("*.tmp")) == []


def commit(engine: Engine, *numbers: int) -> None:
    """As the writer does, with nothing in it."""
    with writing(engine) as connection:
        rows = [{"id": number, "digest": bytes(32), "at_ms": number} for number in numbers]
        connection.execute(insert(batch), rows)
        connection.execute(insert(unsealed), [{"batch_id": number} for number in numbers])


def seals(engine: Engine) -> list[tuple[int, int]]:
    with reading(engine) as connection:
        found = connection.execute(select(seal.c.seq, seal.c.batch_id).order_by(seal.c.seq))
        return [(seq, number) for seq, number in found]
