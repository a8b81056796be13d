"""Migrations on books that have somebody in them."""

import threading
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from random import Random

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import Date, Engine, bindparam, create_engine, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from tests.store.conftest import SetClock, wallet
from ussd_gateway.embedded.postgres import Postgres
from ussd_gateway.store import migrate
from ussd_gateway.store.database import connect, reading, writing
from ussd_gateway.store.ledger.sealing import batch_digest, command_digest
from ussd_gateway.store.menus.versions import Move, SqlVersions, Why
from ussd_gateway.store.migrate import upgrade
from ussd_gateway.store.schema import (
    account,
    batch,
    idempotency,
    outbox,
    price_book,
    subscriber,
    unsealed,
)
from ussd_gateway.store.snapshot import snapshot
from ussd_gateway.store.verify.finding import Tally
from ussd_gateway.store.verify.tariffs import check_tariffs
from ussd_gateway.store.verify.usage import RULE, check_usage

SCRIPTS = Path(migrate.__file__).parent / "migrations"
AMINA = {
    "id": 1,
    "msisdn": "+254711000001",
    "name": "Amina Wafula",
    "language": "en",
    "active": True,
    "wallet_id": 1,
    "pin_kid": "k1",
    "pin_salt": b"salt",
    "pin_tag": b"tag",
    "wrong_tries": 2,
}


@pytest.fixture(params=["sqlite", "postgres"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Books of the first schema, with Amina and her wallet in them."""
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'ledger.sqlite'}"
    else:
        server: Postgres = request.getfixturevalue("postgres")
        url = server.create_database()
    engine = connect(url)
    _upgrade_to(engine, "0001")
    columns = ", ".join(AMINA)
    values = ", ".join(f":{name}" for name in AMINA)
    with writing(engine) as connection:
        connection.execute(insert(account), [wallet(1, 1_000), wallet(2, 0)])
        connection.execute(text(f"INSERT INTO subscriber ({columns}) VALUES ({values})"), AMINA)
    yield engine
    engine.dispose()


def test_whoever_is_there_already_is_of_the_standard_tier_and_loses_nothing(
    old: Engine,
) -> None:
    upgrade(old)
    with reading(old) as connection:
        (row,) = connection.execute(select(subscriber)).mappings()

    assert dict(row) == {**AMINA, "tier": "standard", "cap_payment": None, "cap_day": None}


def test_whoever_comes_later_must_be_given_a_tier(old: Engine) -> None:
    upgrade(old)
    nameless = {**AMINA, "id": 2, "msisdn": "+254711000002", "wallet_id": 2}
    with pytest.raises(IntegrityError), writing(old) as connection:
        connection.execute(insert(subscriber).values(nameless))


@pytest.mark.parametrize(
    ("changed", "held_by"),
    [
        ({"wrong_tries": -1}, "wrong_tries"),
        ({"msisdn": "+254711000001"}, "msisdn"),
        ({"wallet_id": 1}, "wallet_id"),
        ({"wallet_id": 99}, "wallet_id|FOREIGN KEY"),
    ],
    ids=["check", "unique number", "unique wallet", "foreign key"],
)
def test_the_rules_of_a_table_outlive_its_migration(
    old: Engine, changed: dict[str, object], held_by: str
) -> None:
    upgrade(old)
    good = {**AMINA, "id": 2, "msisdn": "+254711000002", "wallet_id": 2, "tier": "standard"}
    with pytest.raises(DBAPIError, match=held_by), writing(old) as connection:
        connection.execute(insert(subscriber).values({**good, **changed}))


def test_constraints_keep_the_names_that_errors_tell(old: Engine) -> None:
    before = _names(old)
    upgrade(old)
    assert before <= _names(old)


@pytest.fixture
def published(old: Engine) -> Engine:
    """The same, with a version that was published before there were approvers."""
    _upgrade_to(old, "0003")
    with writing(old) as connection:
        connection.execute(
            text(
                "INSERT INTO menu_version (pack, digest, source, published_at_ms, author) "
                "VALUES ('customer', 'a1', :source, 1, 'njeri')"
            ),
            {"source": b"octets"},
        )
        connection.execute(
            text(
                "INSERT INTO menu_live (pack, seq, digest, why, at_ms, author, note) "
                "VALUES ('customer', 1, 'a1', 'publish', 2, 'njeri', 'the first')"
            )
        )
    return old


def test_what_is_live_stays_live_for_everybody(published: Engine) -> None:
    upgrade(published)
    versions = SqlVersions(published, SetClock())

    first = Move("customer", 1, "a1", Why.PUBLISH, 2, "njeri", "the first")
    assert versions.live() == {"customer": first}
    assert versions.source("customer", "a1") == b"octets"


@pytest.mark.parametrize(
    "change", ["UPDATE menu_live SET author = 'x'", "DELETE FROM menu_live"]
)
def test_moves_of_before_never_change_after(published: Engine, change: str) -> None:
    upgrade(published)
    refused = pytest.raises(DBAPIError, match="never change")
    with refused, writing(published) as connection:
        connection.execute(text(change))


@pytest.mark.parametrize(
    ("row", "held_by"),
    [
        ("'fancy', 2, 'njeri', NULL", "ck_menu_live_why"),
        ("'publish', 2, 'njeri', 'njeri'", "ck_menu_live_approver"),
    ],
    ids=["why", "approver"],
)
def test_a_move_is_of_a_known_kind_and_approved_by_another(
    published: Engine, row: str, held_by: str
) -> None:
    upgrade(published)
    wrong = text(
        "INSERT INTO menu_live (pack, digest, why, seq, author, approver, at_ms) "
        f"SELECT 'customer', 'a1', {row}, 3"
    )
    with pytest.raises(DBAPIError, match=held_by), writing(published) as connection:
        connection.execute(wrong)


def _upgrade_to(engine: Engine, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS))
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _names(engine: Engine) -> set[str]:
    """Of the constraints on people."""
    found = inspect(engine)
    every = [
        *found.get_unique_constraints("subscriber"),
        *found.get_foreign_keys("subscriber"),
        *found.get_check_constraints("subscriber"),
    ]
    return {str(one["name"]) for one in every}


def test_what_was_committed_before_there_were_seals_is_the_first_batch(old: Engine) -> None:
    _upgrade_to(old, "0006")
    with writing(old) as connection:
        connection.execute(
            text(
                "INSERT INTO journal VALUES "
                "(7, 'send_money', 'SBNABCDEFG', NULL, '2026-11-20', 1000, 2000)"
            )
        )
        for leg, minor in ((1, 500), (2, -500)):
            connection.execute(
                text("INSERT INTO entry VALUES (7, :leg, :leg, :minor, 500, 1)"),
                {"leg": leg, "minor": minor},
            )
        for key, outcome, journal_id in (("b", '["ok",{}]', 7), ("a", '["ó",{}]', None)):
            connection.execute(
                text(
                    "INSERT INTO idempotency VALUES "
                    "(:key, 'c', :outcome, :journal_id, 'web', NULL, '+254711000001', 1000)"
                ),
                {"key": key, "outcome": outcome, "journal_id": journal_id},
            )
    upgrade(old)

    origin = ("web", None, "+254711000001", 1000)
    told = (7, "send_money", "SBNABCDEFG", None, "2026-11-20", 1000, 2000, None, None)
    entries = [(1, 1, 500, 500, 1), (2, 2, -500, 500, 1)]
    digests = [
        ("a", command_digest(("a", "c", '["ó",{}]', *origin), None, [])),
        ("b", command_digest(("b", "c", '["ok",{}]', *origin), told, entries)),
    ]
    with reading(old) as connection:
        keys = select(idempotency.c.key, idempotency.c.digest).order_by(idempotency.c.key)
        assert [tuple(row) for row in connection.execute(keys)] == digests
        (first,) = connection.execute(select(batch)).all()
        assert (first.id, first.digest) == (1, batch_digest(digests))
        assert connection.scalar(select(unsealed.c.batch_id)) == 1
    with pytest.raises(DBAPIError), writing(old) as connection:
        connection.execute(text("UPDATE idempotency SET digest = NULL"))
    with writing(old) as connection:
        # The next batch does not take its number.
        new = connection.execute(
            text("INSERT INTO batch (digest, at_ms) VALUES (:digest, 1) RETURNING id"),
            {"digest": b"d"},
        )
        assert new.scalar_one() == 2


def test_the_first_batch_is_of_any_number_of_keys(old: Engine) -> None:
    _upgrade_to(old, "0006")
    names = [*(f"k{number}" for number in range(2_100)), "B", "a", "_", "é", "K1"]
    with writing(old) as connection:
        connection.execute(
            text("INSERT INTO idempotency VALUES (:key, 'c', '[]', NULL, 'w', NULL, 'm', 1)"),
            [{"key": name} for name in names],
        )
    upgrade(old)

    digests = [
        (name, command_digest((name, "c", "[]", "w", None, "m", 1), None, [])) for name in names
    ]
    with reading(old) as connection:
        keys = connection.execute(select(idempotency.c.key, idempotency.c.digest))
        assert {tuple(row) for row in keys} == set(digests)
        assert connection.scalar(select(batch.c.digest)) == batch_digest(digests)


@pytest.mark.parametrize("old", ["postgres"], indirect=True)
def test_an_upgrade_has_more_patience_than_a_payment(old: Engine) -> None:
    _upgrade_to(old, "0006")
    options = "-c lock_timeout=200 -c statement_timeout=300"
    hurried = create_engine(old.url, connect_args={"options": options})
    holding, held = threading.Event(), threading.Event()

    def hold() -> None:
        with writing(old) as connection:
            connection.execute(text("LOCK TABLE journal"))
            holding.set()
            held.wait(1)

    holder = threading.Thread(target=hold)
    holder.start()
    assert holding.wait(5)
    upgrade(hurried)
    holder.join()
    hurried.dispose()


DAY_ZERO = date(1970, 1, 1).toordinal()


def _journal(old: Engine, day: date, kind: str, fee: int = 7, *, minor: int = 100) -> None:
    """Amina pays so much, or gets it back, on that day."""
    back = kind == "airtime_returned"
    with writing(old) as connection:
        last = connection.execute(text("SELECT count(*) FROM journal")).scalar_one()
        number = (day.toordinal() - DAY_ZERO << 30) + last
        connection.execute(
            text(
                "INSERT INTO journal (id, kind, receipt, tariff, business_date, event_at_ms, "
                "created_at_ms) VALUES (:id, :kind, :receipt, NULL, :day, 1, 2)"
            ).bindparams(bindparam("day", type_=Date)),
            {"id": number, "kind": kind, "receipt": f"R{last}", "day": day},
        )
        leg = -minor if back else minor + fee
        for place, (account_id, amount) in enumerate(((1, leg), (2, -leg)), 1):
            connection.execute(
                text("INSERT INTO entry VALUES (:id, :leg, :account, :minor, 0, :seq)"),
                {
                    "id": number,
                    "leg": place,
                    "account": account_id,
                    "minor": amount,
                    "seq": last + 1,
                },
            )
        connection.execute(
            text(
                "INSERT INTO idempotency (key, content, outcome, journal_id, at_ms) "
                "VALUES (:key, 'c', :outcome, :id, 1)"
            ),
            {
                "key": f"paid{last}",
                "outcome": f'["ok",{{"amount":{{"minor":{minor},"currency":"KES"}}}}]',
                "id": number,
            },
        )


def test_what_was_paid_before_there_were_limits_counts_for_them(old: Engine) -> None:
    """Of the newest month, without fees; a deposit counts not, nor what came back."""
    _upgrade_to(old, "0006")
    for day, kind in (
        (date(2026, 10, 31), "send_money"),
        (date(2026, 11, 1), "send_money"),
        (date(2026, 11, 1), "pay_bill"),
        (date(2026, 11, 20), "withdraw"),
        (date(2026, 11, 20), "buy_goods"),
        (date(2026, 11, 20), "airtime"),
        (date(2026, 11, 20), "airtime_returned"),
        (date(2026, 11, 21), "deposit"),
    ):
        _journal(old, day, kind)
    upgrade(old)

    used = select(account.c.used_on, account.c.used_day, account.c.used_month)
    with reading(old) as connection:
        amina, juma = connection.execute(used.order_by(account.c.id)).all()
    assert tuple(amina) == (date(2026, 11, 20), 200, 400)
    assert tuple(juma) == (None, 0, 0)
    assert _counted_wrong(old) == []


@pytest.mark.parametrize("seed", range(3))
def test_what_the_upgrade_counted_is_counted_again_as_it_did(old: Engine, seed: int) -> None:
    """In the order of journals, and what came back on the day on which it did."""
    _upgrade_to(old, "0006")
    chance = Random(seed)
    kinds = ("send_money", "airtime", "airtime_returned", "deposit")
    for _ in range(30):
        day = date(2026, 10, 25) + timedelta(days=chance.randrange(20))
        _journal(old, day, chance.choice(kinds), minor=chance.randint(1, 100))
    upgrade(old)

    assert _counted_wrong(old) == []
    with writing(old) as connection:
        connection.execute(text("UPDATE account SET used_month = used_month + 1 WHERE id = 1"))
    assert len(_counted_wrong(old)) == 1


def _counted_wrong(engine: Engine) -> list[str]:
    counted = Tally(None, RULE, "accounts")
    with snapshot(engine) as books:
        check_usage(books, counted)
    return counted.shown


@pytest.mark.parametrize("old", ["postgres"], indirect=True)
def test_the_first_months_table_takes_a_day_that_the_server_has_not_reached(
    old: Engine,
) -> None:
    """In Nairobi the next month begins three hours before it does in UTC."""
    _upgrade_to(old, "0009")
    with reading(old) as connection:
        today: date = connection.execute(text("SELECT current_date")).scalar_one()
    ahead = (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    with writing(old) as connection:
        connection.execute(
            text("INSERT INTO entry VALUES (:id, 1, 1, 5, 5, 1)"),
            {"id": ahead.toordinal() - DAY_ZERO << 30},
        )
    upgrade(old)

    with reading(old) as connection:
        assert connection.execute(text("SELECT count(*) FROM entry_other")).scalar_one() == 0
        assert connection.execute(text("SELECT count(*) FROM entry")).scalar_one() == 1


# Each: kind, what it was priced by, amount, and its legs by account code.
FIRST_PAYMENTS = (
    ("send_money", "KE-2023-07", 500_00, {2440: -7_00, 1320: 7_00, 4010: -6_09, 2310: -91}),
    (
        "withdraw",
        "KE-2023-07+KE-AGENT-2022",
        1_000_00,
        {2440: -29_00, 1320: 29_00, 4020: -25_22, 2310: -3_78, 5010: 10_00, 2210: -10_00},
    ),
    (
        "pay_bill",
        "KE-PAYBILL-2024",
        1_200_00,
        {2440: -15_00, 1320: 15_00, 4030: -13_05, 2310: -1_95},
    ),
)
KEPT_OF_BILLS = 5_00


def _pay_as_at_first(old: Engine, kinds: tuple[str, ...]) -> None:
    """Payments as they were written when journals named tariff files."""
    codes = sorted({code for payment in FIRST_PAYMENTS for code in payment[-1]} | {2020})
    with writing(old) as connection:
        numbers = {code: 100 + code for code in codes}
        for code, number in numbers.items():
            connection.execute(
                text(
                    "INSERT INTO account (id, public_ref, code, currency, side, debits, "
                    "credits, debits_pending, credits_pending, floor, cap, seq) VALUES "
                    "(:number, :ref, :code, 'KES', -1, 0, 0, 0, 0, NULL, NULL, 0)"
                ),
                {"number": number, "ref": str(code), "code": code},
            )
        connection.execute(
            text(
                "INSERT INTO business (number, trade, name, msisdn, language, account_id, "
                "commission_id, account_digits) VALUES ('100200', 'store', 'Jirani Agencies', "
                "'+254722000001', 'en', :float, :earned, 0)"
            ),
            {"float": numbers[2020], "earned": numbers[2210]},
        )
        paid = [payment for payment in FIRST_PAYMENTS if payment[0] in kinds]
        for journal_id, (kind, tariff, amount, house) in enumerate(paid, 1):
            connection.execute(
                text(
                    "INSERT INTO journal (id, kind, receipt, tariff, business_date, "
                    "event_at_ms, created_at_ms) "
                    "VALUES (:id, :kind, :receipt, :tariff, '2026-11-20', 1, 2)"
                ),
                {"id": journal_id, "kind": kind, "receipt": kind, "tariff": tariff},
            )
            fee = house[1320] - (KEPT_OF_BILLS if kind == "pay_bill" else 0)
            kept = house[1320] - fee
            to = numbers[2020] if kind == "withdraw" else 2
            legs = [(1, amount + fee), (to, kept - amount)]
            legs += [(numbers[code], minor) for code, minor in house.items()]
            for leg, (account_id, minor) in enumerate(legs, 1):
                connection.execute(
                    text(
                        "INSERT INTO entry VALUES (:journal, :leg, :account, :minor, 0, :seq)"
                    ),
                    {
                        "journal": journal_id,
                        "leg": leg,
                        "account": account_id,
                        "minor": minor,
                        "seq": journal_id,
                    },
                )
            outcome = (
                f'["ok",{{"amount":{{"minor":{amount},"currency":"KES"}},'
                f'"fee":{{"minor":{fee},"currency":"KES"}}}}]'
            )
            connection.execute(
                text(
                    "INSERT INTO idempotency (key, content, outcome, journal_id, at_ms) "
                    "VALUES (:key, 'c', :outcome, :journal, 1)"
                ),
                {"key": kind, "outcome": outcome, "journal": journal_id},
            )


@pytest.mark.parametrize(
    "kinds", [("send_money", "withdraw", "pay_bill"), ("send_money",), ()], ids=len
)
def test_what_was_priced_before_there_were_price_books_is_recomputed_too(
    old: Engine, kinds: tuple[str, ...]
) -> None:
    _upgrade_to(old, "0007")
    _pay_as_at_first(old, kinds)
    upgrade(old)

    with reading(old) as connection:
        kept = set(connection.execute(select(price_book.c.id)).scalars())
    assert kept == {payment[1] for payment in FIRST_PAYMENTS if payment[0] in kinds}
    found = Tally(12, "", "")
    with snapshot(old) as books:
        check_tariffs(books, found)
    assert (found.checked, found.shown) == (len(kinds), [])


def test_a_message_keeps_the_id_that_a_provider_gave_it_and_no_other_has_it(
    old: Engine,
) -> None:
    _upgrade_to(old, "0011")
    row = {
        "key": "k1",
        "msisdn": "+254711000001",
        "template": "sent",
        "language": "en",
        "params": "{}",
        "event_at_ms": 1,
        "state": "sent",
        "attempt": 1,
        "next_at_ms": 1,
        "provider_id": "ATXid_1",
        "text": "U9A2BCDEFG Sent",
    }
    with writing(old) as connection:
        connection.execute(insert(outbox).values(row))
    upgrade(old)

    waiting = [row | {"key": key, "provider_id": None} for key in ("k2", "k3")]
    with writing(old) as connection:
        connection.execute(insert(outbox), waiting)
        found = connection.execute(select(outbox).where(outbox.c.key == "k1")).mappings().one()
    assert row.items() <= dict(found).items()
    again = row | {"key": "k4", "provider": "africastalking"}
    with pytest.raises(IntegrityError, match="provider_id"), writing(old) as connection:
        connection.execute(insert(outbox).values(again))


def test_out_of_an_account_that_was_frozen_before_comes_what_is_held_of_it_and_no_more(
    old: Engine,
) -> None:
    _upgrade_to(old, "0012")
    frozen = "UPDATE account SET status = 'frozen_both', debits_pending = 700 WHERE id = 1"
    gone = "UPDATE account SET debits = debits + {}, debits_pending = 0 WHERE id = 1"
    with writing(old) as connection:
        connection.execute(text(frozen))
    with pytest.raises(DBAPIError, match="barred"), writing(old) as connection:
        connection.execute(text(gone.format(700)))
    upgrade(old)

    with pytest.raises(DBAPIError, match="barred"), writing(old) as connection:
        connection.execute(text(gone.format(701)))
    with writing(old) as connection:
        connection.execute(text(gone.format(700)))


def test_a_page_of_postgresql_keeps_room_for_sms_to_grow_in(
    postgres: Postgres, empty_database: str
) -> None:
    asked = "SELECT reloptions FROM pg_class WHERE relname = 'outbox'"
    with psycopg.connect(postgres.url(empty_database)) as connection:
        assert connection.execute(asked).fetchone() == (["fillfactor=50"],)
