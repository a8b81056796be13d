"""What is taken away, exactly, and who is to notice: one guard each.

Where two guards stand behind one another, the tests named look at the one that is taken away:
at what another writer's rows are waited for, or what the database refuses with no writer near.
"""

from dataclasses import dataclass

BATCH = "ussd_gateway/store/ledger/batch.py"
POSTGRES = "ussd_gateway/store/ledger/postgres.py"
SQLITE = "ussd_gateway/store/ledger/sqlite.py"
WRITER = "ussd_gateway/store/ledger/writer.py"
SEALING = "ussd_gateway/store/ledger/sealing.py"
DATABASE = "ussd_gateway/store/database.py"
BOOK = "ussd_gateway/domain/book.py"
LIMITS = "ussd_gateway/domain/limits.py"
JOURNAL = "ussd_gateway/domain/journal.py"
PIN = "ussd_gateway/domain/pin.py"
HOLD_MONEY = "ussd_gateway/services/orders/hold_money.py"
DECIDE_REVERSAL = "ussd_gateway/services/orders/decide_reversal.py"
TAKING_BACK = "ussd_gateway/services/orders/taking_back.py"
SEND_MONEY = "ussd_gateway/services/send_money.py"
SEALER = "ussd_gateway/store/seals/sealer.py"
FEES = "ussd_gateway/services/fees.py"
FIRST = "ussd_gateway/store/migrations/versions/0001_ledger_and_outbox.py"
SEVENTH = "ussd_gateway/store/migrations/versions/0007_holds_limits_seals.py"
THIRTEENTH = "ussd_gateway/store/migrations/versions/0013_staff_take_back.py"

LOCKS = "tests/store/ledger/test_locks.py"
LAST_LINE = "tests/store/test_last_line.py"
WRITES = "tests/store/ledger/test_writer.py"
CHANGES = "tests/store/ledger/test_changes.py"
HOLDS = "tests/store/ledger/test_holds.py"
BARRED_GIVES = "test_out_of_a_barred_account_the_database_lets_what_was_held_and_no_more"
ONLY_BACK = "test_a_hold_out_of_a_barred_account_takes_a_payment_back_or_is_none"
WALL = "tests/store/ledger/test_wall.py"
SEALS = "tests/store/seals/test_sealing.py"
COUNTED = "tests/store/verify/test_counted_again.py"
TRUE_BOOKS = "tests/store/verify/test_verify.py::test_true_books_pass"
USAGE = "tests/domain/test_usage.py"
SENDS = "tests/services/test_send_money.py"


@dataclass(frozen=True, slots=True)
class Mutant:
    """`old` stands in `file` once, and becomes `new`."""

    name: str
    file: str
    old: str
    new: str
    tests: tuple[str, ...]


# --- locks -----------------------------------------------------------------------------------

LOCKED = (
    Mutant(
        "accounts are not locked",
        POSTGRES,
        'FROM account WHERE id = ANY(%s::bigint[]) ORDER BY id FOR UPDATE"',
        'FROM account WHERE id = ANY(%s::bigint[]) ORDER BY id"',
        (f"{LOCKS}::test_a_row_that_a_batch_has_another_waits_for",),
    ),
    Mutant(
        "people, and so PIN counts, are not locked",
        POSTGRES,
        'FROM subscriber WHERE id = ANY(%s::bigint[]) ORDER BY id FOR UPDATE"',
        'FROM subscriber WHERE id = ANY(%s::bigint[]) ORDER BY id"',
        (f"{LOCKS}::test_a_row_that_a_batch_has_another_waits_for",),
    ),
    Mutant(
        "holds are not locked",
        POSTGRES,
        'FROM hold WHERE id = ANY(%s::bigint[]) ORDER BY id FOR UPDATE"',
        'FROM hold WHERE id = ANY(%s::bigint[]) ORDER BY id"',
        (f"{LOCKS}::test_a_row_that_a_batch_has_another_waits_for",),
    ),
    Mutant(
        "the day's numbers are not locked",
        POSTGRES,
        'FROM day_counter WHERE business_date = %s FOR UPDATE"',
        'FROM day_counter WHERE business_date = %s"',
        (f"{LOCKS}::test_batches_of_a_day_wait_for_its_numbers",),
    ),
    Mutant(
        "accounts are locked in no common order",
        POSTGRES,
        'FROM account WHERE id = ANY(%s::bigint[]) ORDER BY id FOR UPDATE"',
        'FROM account WHERE id = ANY(%s::bigint[]) ORDER BY id DESC FOR UPDATE"',
        (f"{LOCKS}::test_rows_are_locked_in_the_order_of_their_ids",),
    ),
    Mutant(
        "keys are taken in no common order",
        POSTGRES,
        "_columns(sorted(rows.keys), 9)",
        "_columns(rows.keys, 9)",
        (f"{LOCKS}::test_keys_are_taken_in_their_order",),
    ),
    Mutant(
        "SQLite's file is not locked against other processes",
        DATABASE,
        "        fcntl.flock(self._file, fcntl.LOCK_EX)\n",
        "",
        (f"{LOCKS}::test_a_file_lock_keeps_other_processes_out",),
    ),
)

# --- CHECKs, unique keys and triggers --------------------------------------------------------

REFUSED = (
    Mutant(
        "no CHECK of floors",
        FIRST,
        'sa.CheckConstraint(f"floor IS NULL OR {LEAST} >= floor", name="ck_account_floor")',
        'sa.CheckConstraint("1 = 1", name="ck_account_floor")',
        (f"{LAST_LINE}::test_no_account_is_out_of_its_bounds",),
    ),
    Mutant(
        "no CHECK of caps",
        FIRST,
        'sa.CheckConstraint(f"cap IS NULL OR {MOST} <= cap", name="ck_account_cap")',
        'sa.CheckConstraint("1 = 1", name="ck_account_cap")',
        (f"{LAST_LINE}::test_no_account_is_out_of_its_bounds",),
    ),
    Mutant(
        "pending totals may be less than nothing",
        FIRST,
        '"debits_pending >= 0 AND credits_pending >= 0"',
        '"1 = 1"',
        (f"{LAST_LINE}::test_no_account_is_out_of_its_bounds",),
    ),
    Mutant(
        "a hold may post what its state does not say",
        SEVENTH,
        "\"state = 'posted' AND posted = minor\"",
        "\"state = 'posted'\"",
        (f"{LAST_LINE}::test_no_hold_posts_more_or_less_than_its_state_says",),
    ),
    Mutant(
        "a key may be there twice",
        FIRST,
        'sa.PrimaryKeyConstraint("key", name="pk_idempotency")',
        'sa.CheckConstraint("1 = 1", name="pk_idempotency")',
        (f"{LAST_LINE}::test_nothing_of_the_books_is_there_twice",),
    ),
    Mutant(
        "a receipt may be there twice",
        FIRST,
        'sa.UniqueConstraint("receipt", name="uq_journal_receipt")',
        'sa.CheckConstraint("1 = 1", name="uq_journal_receipt")',
        (f"{LAST_LINE}::test_nothing_of_the_books_is_there_twice",),
    ),
    Mutant(
        "two entries may have one place in an account",
        FIRST,
        """sa.UniqueConstraint(
            "account_id", "account_seq", name="uq_entry_account_id_account_seq"
        )""",
        'sa.CheckConstraint("1 = 1", name="uq_entry_account_id_account_seq")',
        (f"{LAST_LINE}::test_nothing_of_the_books_is_there_twice",),
    ),
    Mutant(
        "a journal may be reversed twice",
        SEVENTH,
        """        ["reverses_id"],
        unique=True,
""",
        """        ["reverses_id"],
""",
        (f"{LAST_LINE}::test_no_journal_is_reversed_whole_a_second_time",),
    ),
    Mutant(
        "no trigger guards journals",
        FIRST,
        'NEVER_CHANGED = ("journal", "entry", "idempotency")',
        'NEVER_CHANGED = ("entry", "idempotency")',
        ("tests/store/test_schema.py::test_rows_of_the_books_never_change",),
    ),
    Mutant(
        "no trigger guards seals",
        SEVENTH,
        'NEVER_CHANGED = ("batch", "seal")',
        'NEVER_CHANGED = ("batch",)',
        (f"{LAST_LINE}::test_seals_and_what_they_cover_never_change",),
    ),
    Mutant(
        "posted totals may shrink",
        SEVENTH,
        'SHRINKS = "NEW.debits < OLD.debits OR NEW.credits < OLD.credits OR NEW.seq < OLD.seq"',
        'SHRINKS = "1 = 0"',
        (f"{HOLDS}::test_posted_totals_only_grow",),
    ),
    Mutant(
        "a hold may be decided again",
        SEVENTH,
        '("hold", "hold_decided_once", "UPDATE", REDECIDED,',
        '("hold", "hold_decided_once", "UPDATE", "1 = 0",',
        (f"{HOLDS}::test_the_database_keeps_a_decided_hold_as_it_is",),
    ),
    Mutant(
        "money may leave a barred account though nobody held it",
        THIRTEENTH,
        'f" AND ({COMES_IN} OR {GOES_OUT_UNHELD})"',
        'f" AND {COMES_IN}"',
        (
            f"{HOLDS}::test_the_database_moves_nothing_in_a_barred_account",
            f"{HOLDS}::{BARRED_GIVES}",
        ),
    ),
    Mutant(
        "more may leave a barred account than was held",
        THIRTEENTH,
        '" AND NEW.debits + NEW.debits_pending > OLD.debits + OLD.debits_pending END"',
        '" AND NEW.debits_pending >= OLD.debits_pending END"',
        (f"{HOLDS}::{BARRED_GIVES}",),
    ),
    Mutant(
        "money may come into a barred account",
        THIRTEENTH,
        'f" AND ({COMES_IN} OR {GOES_OUT_UNHELD})"',
        'f" AND {GOES_OUT_UNHELD}"',
        (
            f"{HOLDS}::test_the_database_moves_nothing_in_a_barred_account",
            f"{HOLDS}::{BARRED_GIVES}",
        ),
    ),
)

# --- rules -----------------------------------------------------------------------------------

RULES = (
    Mutant(
        "an account gives what it does not have",
        BOOK,
        "return self.floor is None or self.spendable_minor + freed + change >= self.floor",
        "return True",
        ("tests/domain/test_book.py", f"{SENDS}::test_each_reason_refuses_and_moves_nothing"),
    ),
    Mutant(
        "what is held can be spent",
        BOOK,
        "return self.balance_minor - going",
        "return self.balance_minor",
        (
            "tests/domain/test_book.py",
            f"{HOLDS}::test_held_money_cannot_be_spent_and_is_there_until_it_is_decided",
        ),
    ),
    Mutant(
        "the writer does not look at what a decision breaches",
        BATCH,
        "assert takes(minor, freed=held)",
        "assert takes",
        (f"{WALL}::test_a_decision_that_breaches_a_floor_undoes_no_batch",),
    ),
    Mutant(
        "a hold that takes no payment back gets past a status",
        BATCH,
        "return hold.journal_id == posting.reverses_id and 0 < held <= hold.minor",
        "return 0 < held <= hold.minor",
        (f"{HOLDS}::{ONLY_BACK}",),
    ),
    Mutant(
        "any hold is placed on a barred account",
        BATCH,
        "takes = source.takes if hold.journal_id is None else source.gives_back",
        "takes = source.gives_back",
        (f"{HOLDS}::{ONLY_BACK}",),
    ),
    Mutant(
        "a closed account gives back",
        BOOK,
        "return self is not Status.CLOSED",
        "return True",
        ("tests/domain/test_book.py", "tests/services/orders/test_hold_money.py"),
    ),
    Mutant(
        "a decided hold is decided again",
        BATCH,
        "assert all(book.holds[each].state is HoldState.PENDING for each in freed)",
        "assert all(book.holds[each] for each in freed)",
        (f"{WALL}::test_a_hold_that_is_decided_twice_in_one_batch_undoes_no_batch",),
    ),
    Mutant(
        "a hold can be posted when its time is over",
        JOURNAL,
        "return self.state is HoldState.PENDING and now_ms < self.expires_at_ms",
        "return self.state is HoldState.PENDING",
        ("tests/domain/test_journal.py",),
    ),
    Mutant(
        "a hold is posted whether it is open or not",
        HOLD_MONEY,
        "    if not hold.open(book.now_ms):\n",
        "    if False:\n",
        ("tests/services/orders/test_hold_money.py::test_each_no_to_posting",),
    ),
    Mutant(
        "more is taken back than was paid",
        DECIDE_REVERSAL,
        "    if -posted.left(hold.source_id) < minor:\n",
        "    if False:\n",
        ("tests/services/orders/test_reverse.py::test_each_no_to_approving",),
    ),
    Mutant(
        "what a key's content was is not looked at",
        BATCH,
        "return decode_outcome(outcome) if content == work.content else CLASHED",
        "return decode_outcome(outcome)",
        (f"{WRITES}::test_the_same_key_with_other_content_is_a_conflict",),
    ),
    Mutant(
        "a key that is there is decided anew",
        BATCH,
        "_stored(work, loaded) or _decide(work, book, loaded)",
        "_decide(work, book, loaded)",
        (f"{WRITES}::test_the_same_key_gives_the_same_outcome_and_moves_nothing_more",),
    ),
    Mutant(
        "a command is abandoned although it was claimed",
        WRITER,
        """            if ticket.state != _QUEUED:
                return False
""",
        "",
        (
            f"{WRITES}::test_a_command_that_was_claimed_at_its_deadline_is_unknown_and_then_true",
        ),
    ),
    Mutant(
        "a command is claimed although it was abandoned",
        WRITER,
        "            tickets = [ticket for ticket in tickets if ticket.state != _ABANDONED]\n",
        "",
        (f"{WRITES}::test_a_command_still_queued_at_its_deadline_never_happens",),
    ),
    Mutant(
        "a lost COMMIT is told as 'nothing moved'",
        WRITER,
        "self._answered(IN_DOUBT if self.in_doubt and outcome is NOT_DONE else outcome)",
        "self._answered(outcome)",
        (f"{WRITES}::test_a_commit_that_never_answers_is_in_doubt",),
    ),
    Mutant(
        "wrong PINs are not counted",
        BATCH,
        "        rows.pins.append((person_id, loaded.subscribers[person_id].wrong_tries))\n",
        "        pass\n",
        (f"{CHANGES}::test_the_old_pin_is_wrong_for_the_next_command_of_the_batch",),
    ),
    Mutant(
        "a locked PIN is compared",
        PIN,
        """    if wrong_tries >= TRIES_MAX:
        return Tried(wrong_tries, Refused(Reason.PIN_LOCKED))
""",
        "",
        (
            "tests/services/test_balance.py",
            f"{SENDS}::test_each_reason_refuses_and_moves_nothing",
        ),
    ),
    Mutant(
        "a day's use is carried into the next",
        LIMITS,
        "return Usage(today, 0, self.month if same_month else 0)",
        "return Usage(today, self.day, self.month if same_month else 0)",
        (USAGE,),
    ),
    Mutant(
        "a day has no limit",
        LIMITS,
        "        if day > self.limit.day_max.minor:\n",
        "        if False:\n",
        (f"{SENDS}::test_each_reason_refuses_and_moves_nothing",),
    ),
    Mutant(
        "what is spent is not counted",
        BATCH,
        "        touched.add(_count_spent(decision.spent, book))\n",
        "        pass\n",
        (f"{HOLDS}::test_what_was_spent_stands_on_the_account_and_comes_off_again",),
    ),
    Mutant(
        "what is sent counts for no limit",
        SEND_MONEY,
        "        spent=spent(sender, amount),\n",
        "",
        (TRUE_BOOKS,),
    ),
    Mutant(
        "cash that was taken back goes on counting",
        TAKING_BACK,
        'SPENT = PAID | {"withdraw"}',
        "SPENT = PAID",
        (f"{COUNTED}::test_a_whole_reversal_gives_back_what_was_counted_and_not_the_fee",),
    ),
    Mutant(
        "a fee that nobody was shown is taken",
        FEES,
        "return fee if fee.total == shown else Refused(Reason.FEE_CHANGED)",
        "return fee",
        (f"{SENDS}::test_each_reason_refuses_and_moves_nothing",),
    ),
    Mutant(
        "what was taken back in a batch is forgotten in it",
        BATCH,
        "        _take_back(posting, posting.reverses_id, loaded)\n",
        "        pass\n",
        (f"{HOLDS}::test_what_was_taken_back_is_known_to_the_next_who_asks",),
    ),
    Mutant(
        "a commit waits for no seal (PostgreSQL)",
        POSTGRES,
        "    INSERT INTO unsealed SELECT id FROM sealed)\n",
        "    SELECT id FROM sealed)\n",
        (f"{HOLDS}::test_each_commit_is_a_batch_that_waits_to_be_sealed",),
    ),
    Mutant(
        "a commit waits for no seal (SQLite)",
        SQLITE,
        "        self._cursor.execute(_UNSEALED, (batch_id,))\n",
        "",
        (f"{HOLDS}::test_each_commit_is_a_batch_that_waits_to_be_sealed",),
    ),
    Mutant(
        "a seal does not go on from the one before",
        SEALER,
        "        chain + batch_id.to_bytes",
        "        batch_id.to_bytes",
        (f"{SEALS}::test_a_head_says_what_was_there",),
    ),
    Mutant(
        "a digest covers no entries",
        SEALING,
        "journal and [*journal, entries], *holds",
        "journal and [*journal, []], *holds",
        (TRUE_BOOKS,),
    ),
)

MUTANTS = (*LOCKED, *REFUSED, *RULES)
