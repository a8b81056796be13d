"""What is looked up without a lock, as both databases answer it."""

from contextlib import closing

from sqlalchemy import Engine, insert, update

from tests.store.conftest import AMINA
from ussd_gateway.domain.money import Money
from ussd_gateway.store.database import writing
from ussd_gateway.store.reads import SqlReads
from ussd_gateway.store.schema import account, idempotency


def test_room_is_what_a_cap_leaves_and_what_is_on_its_way_counts(wallets: Engine) -> None:
    url = wallets.url.render_as_string(hide_password=False)

    def amina(**values: object) -> None:
        with writing(wallets) as connection:
            hers = account.c.id == AMINA
            connection.execute(update(account).where(hers).values(values))

    with closing(SqlReads(url)) as reads:

        def most(*tried: int) -> list[int]:
            return [each for each in tried if reads.has_room(AMINA, Money(each, "KES"))]

        assert most(1, 10**9) == [1, 10**9]
        amina(cap=1_500)
        assert most(500, 501) == [500]
        amina(credits_pending=200)
        assert most(300, 301) == [300]
        amina(status="frozen_both")
        assert most(1) == []
        assert not reads.has_room(99, Money(1, "KES"))


def test_a_command_is_known_by_its_key(wallets: Engine) -> None:
    url = wallets.url.render_as_string(hide_password=False)
    with writing(wallets) as connection:
        command = {"key": "sms:smpp:1", "content": "", "outcome": "{}", "at_ms": 0}
        connection.execute(insert(idempotency).values(command))
    with closing(SqlReads(url)) as reads:
        assert reads.knows("sms:smpp:1")
        assert not reads.knows("sms:smpp:2")
