"""Brings a database up to the newest schema, whatever it holds now."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from ussd_gateway.store.database import writing

_SCRIPTS = Path(__file__).parent / "migrations"
# What a payment's connection may not wait for, a migration of many rows has to.
_UNHURRIED = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")


def newest() -> str | None:
    """The schema that this program knows."""
    return ScriptDirectory(str(_SCRIPTS)).get_current_head()


def present(engine: Engine) -> str | None:
    """The schema that a database has; None where it has none. Raises what SQLAlchemy raises
    where it does not answer."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def upgrade(engine: Engine) -> None:
    """Runs every migration that has not run yet, all in one transaction."""
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS))
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":
            for limit in _UNHURRIED:
                connection.exec_driver_sql(f"SET LOCAL {limit} = 0")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
