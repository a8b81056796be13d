"""What can be done to true books, each with what the checker must say of it.

TAMPERS are of `true_books`: one thing at a time, each of which breaks a rule of its own.
CUNNING are of `deeds`: whoever does these knows how the books hang together, and mends what
would tell.
"""

from tests.store.verify.crowbar import Tamper
from tests.store.verify.forger import Forged

_LAST = "(SELECT max(id) FROM journal)"
_RECEIPT = f"(SELECT receipt FROM journal WHERE id = {_LAST})"
_REFUSED = "(SELECT min(key) FROM idempotency WHERE journal_id IS NULL)"
_TRUST_DUE = "account_id = (SELECT id FROM account WHERE public_ref = 'KES-1320')"
_FEES = "account_id = (SELECT id FROM account WHERE public_ref = 'KES-4010')"
_AMINA, _JUMA, _GRACE = (f"public_ref = '+25471100000{n}'" for n in (1, 2, 3))

TAMPERS = (
    # 1: journals balance
    Tamper(
        {1, 12, 14},
        "sums to 1 in KES",
        f"""
        UPDATE entry SET minor = minor + 1, balance_after = balance_after + 1
            WHERE {_TRUST_DUE} AND account_seq = 3;
        UPDATE account SET debits = debits + 1 WHERE public_ref = 'KES-1320';
        UPDATE entry SET minor = minor - 1 WHERE {_FEES} AND account_seq = 1;
        UPDATE entry SET balance_after = balance_after + 1 WHERE {_FEES};
        UPDATE account SET credits = credits + 1 WHERE public_ref = 'KES-4010'
        """,
    ),
    Tamper(
        {None, 12},
        "legs of a phone bill and of e-money",
        "UPDATE account SET code = 1120 WHERE code = 4010",
    ),
    Tamper(
        {None},
        "nobody ordered it",
        "INSERT INTO purchase (key, kind, subscriber_id, msisdn, currency, minor, merchant, "
        "item, asked_at_ms, state, tries, next_at_ms, detail) VALUES "
        "('stray', 'content', 1, '+254711000001', 'KES', 2000, '700700', 'Article', 0, "
        "'asked', 1, 0, '')",
    ),
    Tamper(
        {None},
        "airtime on order is 0 KES; open purchases are 5000",
        "INSERT INTO purchase (key, kind, subscriber_id, msisdn, currency, minor, merchant, "
        "item, asked_at_ms, state, tries, next_at_ms, detail) VALUES "
        "('opening:airtime', 'airtime', 1, '+254711000001', 'KES', 5000, '', '', 0, 'asked', "
        "1, 0, '')",
    ),
    Tamper({None, 1, 2}, "in UGX", "UPDATE account SET currency = 'UGX' WHERE code = 4010"),
    Tamper(
        {None, 1, 8, 14},
        "does not exist, and has entries",
        f"DELETE FROM journal WHERE id = {_LAST}",
    ),
    Tamper({None, 1, 3, 4, 12, 14}, "has no leg", "DELETE FROM entry"),
    Tamper({1, 2, 3, 12}, "in no currency", "DELETE FROM account WHERE code = 4010"),
    # 2: debits equal credits
    Tamper(
        {2, 6},
        "debits pending 100, credits pending 0",
        f"UPDATE account SET debits_pending = 100 WHERE {_GRACE}",
    ),
    Tamper(
        {2, 3}, "KES: debits ", "UPDATE account SET credits = credits + 5 WHERE code = 4010"
    ),
    # 3: accounts are the sums of their entries
    Tamper(
        {3},
        "(KES-1320): says debits",
        """
        UPDATE account SET debits = debits + 5 WHERE code = 1320;
        UPDATE account SET credits = credits + 5 WHERE code = 4010
        """,
    ),
    Tamper(
        {3},
        "(+254711000001): says debits",
        f"UPDATE account SET debits = debits + 5, credits = credits + 5 WHERE {_AMINA}",
    ),
    Tamper(
        {1, 3, 4, 10, 12, 14},
        "account 77 does not exist; entries of it: 1",
        f"UPDATE entry SET account_id = 77 WHERE journal_id = {_LAST} AND leg = 2",
    ),
    # 4: numbers and chain
    Tamper(
        {4, 14},
        "where entry 3 should be, there is 4",
        f"UPDATE entry SET account_seq = 4 WHERE {_FEES} AND account_seq = 3",
    ),
    Tamper(
        {4, 14},
        "where entry 2 should be, there is 1",
        f"UPDATE entry SET account_seq = 1 WHERE {_FEES} AND account_seq = 2",
    ),
    Tamper(
        {4, 14},
        "and should leave",
        f"UPDATE entry SET balance_after = 0 WHERE journal_id = {_LAST} AND leg = 1",
    ),
    Tamper(
        {4},
        "says that its last entry is 9; it is 3",
        "UPDATE account SET seq = 9 WHERE code = 4010",
    ),
    # 5: floors and caps
    Tamper(
        {None, 5},
        "is under its floor, 20000000",
        f"UPDATE account SET floor = 20000000 WHERE {_GRACE}",
    ),
    Tamper(
        {5, 6},
        "(+254711000001): -136400 is under its floor, 0",
        f"""
        UPDATE account SET debits_pending = 620700 WHERE {_AMINA};
        UPDATE account SET credits_pending = 620700 WHERE {_JUMA}
        """,
    ),
    Tamper({5}, "is over its cap, 1", f"UPDATE account SET cap = 1 WHERE {_JUMA}"),
    Tamper(
        {None, 5},
        "its floor (None) is not zero or more",
        f"UPDATE account SET floor = NULL WHERE {_JUMA}",
    ),
    # what limits count: Amina paid 500.00, Juma 150.00
    Tamper(
        {None},
        "limits count 0 of 2026-11-21 and 0 of its month; its entries say 50000 of 2026-11-21",
        f"UPDATE account SET used_day = 0, used_month = 0 WHERE {_AMINA}",
    ),
    Tamper(
        {None},
        "limits count 40000 of 2026-11-21 and 50000 of its month",
        f"UPDATE account SET used_day = 40000 WHERE {_AMINA}",
    ),
    Tamper(
        {None},
        "limits count 15001 of 2026-11-21 and 15001 of its month",
        f"""
        UPDATE account SET used_day = used_day + 1, used_month = used_month + 1
            WHERE {_JUMA}
        """,
    ),
    Tamper(
        {None},
        "limits count 50000 of 2026-11-20 and 50000 of its month",
        f"UPDATE account SET used_on = '2026-11-20' WHERE {_AMINA}",
    ),
    Tamper(
        {None},
        "limits count 0 of None and 0 of its month; its entries say 50000",
        f"UPDATE account SET used_on = NULL, used_day = 0, used_month = 0 WHERE {_AMINA}",
    ),
    # 8: keys, their outcomes, their SMS
    Tamper({None, 8, 14}, "has 0 keys", f"DELETE FROM idempotency WHERE journal_id = {_LAST}"),
    Tamper(
        {None, 8, 14},
        "its journal 7 is not there",
        f"UPDATE idempotency SET journal_id = 7 WHERE journal_id = {_LAST}",
    ),
    Tamper(
        {None, 8, 14},
        "has 2 keys",
        f"UPDATE idempotency SET journal_id = {_LAST} WHERE key = {_REFUSED}",
    ),
    Tamper(
        {8, 14},
        "is there 2 times",
        f"INSERT INTO idempotency SELECT * FROM idempotency WHERE key = {_REFUSED}",
    ),
    Tamper(
        {8, 14},
        "its outcome says receipt 2222222222",
        f"""
        UPDATE idempotency SET outcome = replace(outcome, {_RECEIPT}, '2222222222')
            WHERE journal_id = {_LAST}
        """,
    ),
    Tamper(
        {8, 14},
        "money moved, and its outcome is low",
        f"""
        UPDATE idempotency SET outcome = replace(outcome, '"ok"', '"low"')
            WHERE journal_id = {_LAST}
        """,
    ),
    Tamper(
        {None, 8, 14},
        "its outcome cannot be read",
        f"UPDATE idempotency SET outcome = 'fine' WHERE journal_id = {_LAST}",
    ),
    Tamper(
        {8, 14},
        "receipt 2222222222 was given, and no money moved",
        f"""
        UPDATE idempotency SET outcome = '["ok",{{"receipt":"2222222222"}}]'
            WHERE key = {_REFUSED}
        """,
    ),
    Tamper(
        {8},
        "its SMS are sent, sent; owed were received, sent",
        f"UPDATE outbox SET template = 'sent' WHERE params LIKE '%' || {_RECEIPT} || '%'",
    ),
    Tamper(
        {8},
        "its SMS are none",
        f"DELETE FROM outbox WHERE params LIKE '%' || {_RECEIPT} || '%'",
    ),
    Tamper(
        {8},
        "SMS pin_locked is there 2 times",
        """
        INSERT INTO outbox (id, key, msisdn, template, language, params, event_at_ms, state,
                attempt, next_at_ms)
            SELECT 99, key, msisdn, template, language, params, event_at_ms, state,
                attempt, next_at_ms FROM outbox WHERE template = 'pin_locked'
        """,
    ),
    Tamper(
        {8},
        "tells of key nobody, which is not there",
        "UPDATE outbox SET key = 'nobody' WHERE template = 'pin_locked'",
    ),
    Tamper(
        {8},
        "(received) says receipt 2222222222",
        f"""
        UPDATE outbox SET params = replace(params, {_RECEIPT}, '2222222222')
            WHERE template = 'received'
        """,
    ),
    Tamper(
        {8},
        "(received) says amount 20001 KES; its key says 20000 KES",
        f"""
        UPDATE outbox SET params = replace(params, '"minor":20000,', '"minor":20001,')
            WHERE template = 'received' AND params LIKE '%' || {_RECEIPT} || '%'
        """,
    ),
    Tamper(
        {8},
        "(sent) says balance 1 KES; its key says 11979300 KES",
        f"""
        UPDATE outbox SET params = replace(params, '"minor":11979300,', '"minor":1,')
            WHERE template = 'sent' AND params LIKE '%' || {_RECEIPT} || '%'
        """,
    ),
    # 10: the trust ring
    Tamper(
        {None, 10, 12},
        "KES: 1010 + 1020 hold 217525000; e-money and 2440 come to",
        f"UPDATE account SET code = 2310 WHERE {_JUMA}",
    ),
    Tamper(
        {None, 10, 12},
        "into or out of the ring",
        "UPDATE account SET code = 1020 WHERE code = 1320",
    ),
    # receipts
    Tamper(
        {None, 8, 14},
        "does not pass its own check",
        f"""
        UPDATE journal SET receipt = substr(receipt, 1, 9) ||
            CASE substr(receipt, 10) WHEN '2' THEN '3' ELSE '2' END WHERE id = {_LAST}
        """,
    ),
    Tamper(
        {None, 8, 14},
        "is not ten characters of the alphabet",
        f"UPDATE journal SET receipt = '0' || substr(receipt, 2) WHERE id = {_LAST}",
    ),
    Tamper(
        {None, 13, 14},
        "is not of 2026-11-22",
        f"UPDATE journal SET business_date = '2026-11-22' WHERE id = {_LAST}",
    ),
    Tamper(
        {None, 8, 14},
        "was given 2 times",
        f"UPDATE journal SET receipt = {_RECEIPT} WHERE id = (SELECT min(id) FROM journal)",
    ),
)


def _journal(key: str) -> str:
    return f"(SELECT journal_id FROM idempotency WHERE key = '{key}')"


def _batch(key: str) -> str:
    return f"(SELECT batch_id FROM idempotency WHERE key = '{key}')"


_LATER = f"UPDATE journal SET event_at_ms = event_at_ms + 1 WHERE id = {_journal('second-day')}"
_NOT_SEALED = """
    DELETE FROM batch WHERE id IN (SELECT batch_id FROM unsealed);
    DELETE FROM unsealed
"""
_THIRD_DAY = "(SELECT id FROM journal WHERE business_date = '2026-11-23')"

CUNNING = (
    # one row, and what is made to fit around it
    Tamper({14}, "are not what was committed in batch", _LATER),
    Tamper({14}, "rows of it are missing, added or changed", _LATER, Forged.KEYS),
    Tamper({14}, "does not follow from the one before", _LATER, Forged.BATCHES),
    Tamper({14}, "was changed, and sealed again", _LATER, Forged.CHAIN),
    Tamper(
        {14},
        "it names no commit",
        "UPDATE idempotency SET digest = NULL WHERE key = 'second-day'",
    ),
    Tamper(
        {14},
        "keys second-day to second-day-again (2)",
        f"""
        UPDATE idempotency SET batch_id = {_batch("second-day")}
            WHERE key = 'second-day-again'
        """,
    ),
    Tamper(
        {8, 14},
        "keys slipped-in to third-day (2)",
        """
        INSERT INTO idempotency (key, content, outcome, at_ms, batch_id)
            SELECT 'slipped-in', content, outcome, at_ms, batch_id
            FROM idempotency WHERE key = 'third-day'
        """,
        Forged.KEYS,
    ),
    # commits that are gone, whole
    Tamper(
        {14},
        "none of its keys is there",
        "DELETE FROM idempotency WHERE key = 'asked-and-no-more'",
    ),
    Tamper(
        {14},
        "does not exist: keys asked-and-no-more to asked-and-no-more (1), no journals",
        f"DELETE FROM batch WHERE id = {_batch('asked-and-no-more')}",
    ),
    Tamper(
        {14},
        "its batch 32 does not exist",
        f"""
        DELETE FROM batch WHERE id = {_batch("asked-and-no-more")};
        DELETE FROM idempotency WHERE key = 'asked-and-no-more'
        """,
    ),
    Tamper(
        {8, 14},
        "seals 1 to 1 are missing",
        """
        DELETE FROM idempotency WHERE key = 'opening:airtime';
        DELETE FROM seal WHERE seq = 1
        """,
    ),
    Tamper(
        {14},
        "head 2026-11-23.json: seal 32 was there on 2026-11-23; seals 32 to 32 are cut off",
        f"""
        DELETE FROM seal WHERE batch_id = {_batch("asked-and-no-more")};
        DELETE FROM batch WHERE id = {_batch("asked-and-no-more")};
        DELETE FROM idempotency WHERE key = 'asked-and-no-more'
        """,
        Forged.CHAIN,
    ),
    Tamper(
        {14},
        "there were 16 journals on 2026-11-23; 15 are left",
        f"""
        {_NOT_SEALED};
        DELETE FROM seal WHERE batch_id >= {_batch("third-day")};
        DELETE FROM batch WHERE id >= {_batch("third-day")};
        DELETE FROM entry WHERE journal_id IN {_THIRD_DAY};
        DELETE FROM idempotency WHERE journal_id IN {_THIRD_DAY};
        DELETE FROM idempotency WHERE key = 'asked-and-no-more';
        DELETE FROM journal WHERE business_date = '2026-11-23';
        DELETE FROM day_counter WHERE business_date = '2026-11-23';
        UPDATE account SET debits = debits - 5000, seq = seq - 2 WHERE {_GRACE};
        UPDATE account SET credits = credits - 5000, seq = seq - 2 WHERE {_AMINA}
        """,
        Forged.CHAIN,
    ),
    Tamper(
        {None},
        "of 2026-11-23 is missing",
        f"""
        DELETE FROM entry WHERE journal_id = {_journal("not-sealed")};
        DELETE FROM journal WHERE id = {_journal("not-sealed")};
        DELETE FROM idempotency WHERE key = 'not-sealed';
        {_NOT_SEALED};
        UPDATE account SET debits = debits - 1000, seq = seq - 1 WHERE {_GRACE};
        UPDATE account SET credits = credits - 1000, seq = seq - 1 WHERE {_AMINA}
        """,
    ),
    # the chain itself
    Tamper({14}, "neither sealed nor to be sealed", "DELETE FROM unsealed"),
    Tamper(
        {14},
        "is sealed, and to be sealed",
        "INSERT INTO unsealed (batch_id) SELECT batch_id FROM seal WHERE seq = 5",
    ),
    Tamper(
        {14},
        "seals 3 to 4 are missing",
        "DELETE FROM seal WHERE seq IN (3, 4)",
    ),
    Tamper(
        {14},
        "seals 31 to 32 are cut off",
        """
        INSERT INTO unsealed (batch_id) SELECT batch_id FROM seal WHERE seq > 30;
        DELETE FROM seal WHERE seq > 30
        """,
    ),
    Tamper(
        {14},
        "seal 4, of batch 5, does not follow",
        "UPDATE seal SET batch_id = 9 - batch_id WHERE seq IN (4, 5)",
    ),
    Tamper(
        {14},
        "something of seals 1 to 32 was changed",
        "UPDATE seal SET batch_id = 9 - batch_id WHERE seq IN (4, 5)",
        Forged.CHAIN,
    ),
    Tamper({14}, "seal 7 is there twice", "INSERT INTO seal SELECT * FROM seal WHERE seq = 7"),
    # holds, with the accounts mended
    Tamper(
        {14},
        "key hold-9001: its row or its hold are not what was committed",
        f"""
        UPDATE hold SET minor = 5000 WHERE id = 9001;
        UPDATE account SET debits_pending = 5000 WHERE {_GRACE};
        UPDATE account SET credits_pending = 5000 WHERE {_AMINA}
        """,
    ),
    Tamper(
        {14},
        "key cap: its row or its hold are not what was committed",
        f"""
        UPDATE hold SET state = 'voided', decided_by = 'cap' WHERE id = 9001;
        UPDATE account SET debits_pending = 0 WHERE {_GRACE};
        UPDATE account SET credits_pending = 0 WHERE {_AMINA}
        """,
    ),
    Tamper(
        {7},
        "hold 9001 is voided, and no command decided it",
        f"""
        UPDATE hold SET state = 'voided', decided_by = 'nobody' WHERE id = 9001;
        UPDATE account SET debits_pending = 0 WHERE {_GRACE};
        UPDATE account SET credits_pending = 0 WHERE {_AMINA}
        """,
    ),
    Tamper(
        {7, 14},
        "was posted when its time was over",
        "UPDATE hold SET expires_at_ms = placed_at_ms WHERE id = 9002",
    ),
    Tamper(
        {7, 14},
        "hold 9005 expired before its time was over",
        "UPDATE hold SET expires_at_ms = expires_at_ms + 86400000 WHERE id = 9005",
    ),
    Tamper(
        {7, 14},
        "hold 9002 is posted, and its journals are:",
        f"UPDATE journal SET hold_id = 9002 WHERE id = {_journal('second-day')}",
        Forged.KEYS,
    ),
    Tamper(
        {7, 14},
        "its hold 77 does not exist",
        f"UPDATE journal SET hold_id = 77 WHERE id = {_journal('second-day')}",
    ),
    Tamper(
        {7, 14},
        "hold 9002: 4000 was posted; journal",
        "UPDATE hold SET minor = 4000, posted = 4000 WHERE id = 9002",
        Forged.BATCHES,
    ),
    Tamper(
        {7, 14},
        "hold 9006 was to take back journal",
        "UPDATE hold SET journal_id = 7 WHERE id = 9006",
        Forged.CHAIN,
    ),
    Tamper(
        {2, 6},
        "(+254711000003): says pending debits 0, credits 0; its holds say 10000 and 0",
        f"UPDATE account SET debits_pending = 0 WHERE {_GRACE}",
    ),
    # what is taken back
    Tamper(
        {None, 8, 9, 14},
        "took back 1000",
        f"""
        UPDATE journal SET kind = 'refund', reverses_id =
            (SELECT reverses_id FROM journal WHERE id = {_journal("refund")})
            WHERE id = {_journal("second-day")}
        """,
    ),
)
