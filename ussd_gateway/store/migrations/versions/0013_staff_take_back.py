"""What staff hold of an account that is barred can go out of it: its status bars its holder.

Out of an account that is frozen or dormant goes no more than what is held of it grows less by
the same commit: its debits with what pends of them, which is all that it is to give, do not
grow. A closed one has nothing pending, so nothing goes out. Into none of them comes anything.
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

COMES_IN = (
    "CASE WHEN OLD.side = 1 THEN NEW.debits <> OLD.debits ELSE NEW.credits <> OLD.credits END"
)
GOES_OUT_UNHELD = (
    "CASE WHEN OLD.side = 1 THEN NEW.credits <> OLD.credits"
    " AND NEW.credits + NEW.credits_pending > OLD.credits + OLD.credits_pending"
    " ELSE NEW.debits <> OLD.debits"
    " AND NEW.debits + NEW.debits_pending > OLD.debits + OLD.debits_pending END"
)
# Both before and after: a commit may hold the payment and, behind it, the freeze.
MOVES_BARRED = (
    "OLD.status IN ('frozen_both', 'dormant', 'closed')"
    " AND NEW.status IN ('frozen_both', 'dormant', 'closed')"
    f" AND ({COMES_IN} OR {GOES_OUT_UNHELD})"
    f" OR OLD.status = 'frozen_in' AND NEW.status = 'frozen_in' AND {COMES_IN}"
)
SAID = "nothing moves in a barred account but what was held"


def upgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TRIGGER account_barred")
        op.execute(
            f"CREATE TRIGGER account_barred BEFORE UPDATE ON account WHEN {MOVES_BARRED} "
            f"BEGIN SELECT RAISE(ABORT, '{SAID}'); END"
        )
        return
    op.execute("DROP TRIGGER account_barred ON account")
    op.execute(
        "CREATE TRIGGER account_barred BEFORE UPDATE ON account FOR EACH ROW "
        f"WHEN ({MOVES_BARRED}) EXECUTE FUNCTION against_the_rules('{SAID}')"
    )
