"""The books, opened for a command that looks at them: what it says where it cannot."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ussd_gateway.settings import Settings


@contextmanager
def opened(settings: "Settings") -> Iterator["Engine"]:
    """Ends the command with code 2, and with what to do, where the books cannot be read. What
    is logged meanwhile stands on stderr."""
    from sqlalchemy.exc import DBAPIError

    from ussd_gateway.app import database, logged_aside
    from ussd_gateway.ports import BooksLost

    engine = database(settings)
    try:
        with logged_aside():
            _check_there(engine)
            yield engine
    except DBAPIError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise _unreadable(engine, reason, "see `ussd-gateway doctor`") from None
    except BooksLost as lost:
        raise _unreadable(engine, str(lost), "see `ussd-gateway doctor`") from None
    finally:
        engine.dispose()


def are_there(settings: "Settings") -> bool:
    """Whether there are any, and they can be looked at."""
    from sqlalchemy import inspect
    from sqlalchemy.exc import DBAPIError

    from ussd_gateway.app import database

    engine = database(settings)
    on_sqlite = engine.url.get_backend_name() == "sqlite"
    try:
        if on_sqlite and not Path(engine.url.database or "").exists():
            return False
        return inspect(engine).has_table("menu_live")
    except DBAPIError:
        return False
    finally:
        engine.dispose()


def _check_there(engine: "Engine") -> None:
    from sqlalchemy import inspect

    from ussd_gateway.store import migrate

    url = engine.url
    on_sqlite = url.get_backend_name() == "sqlite"
    # SQLite would make the file that it does not find.
    if on_sqlite and not Path(url.database or "").exists():
        raise _unreadable(engine, "no such file", "`make run` or `ussd-gateway db upgrade`")
    if not inspect(engine).has_table("account"):
        raise _unreadable(engine, "it holds no books", "run `ussd-gateway db upgrade`")
    # By another schema a command would read half of it, and might write.
    present, newest = migrate.present(engine), migrate.newest()
    if present != newest:
        reason = f"its schema is {present}, this program's is {newest}"
        raise _unreadable(
            engine, reason, "run the newest program, and once its `ussd-gateway db upgrade`"
        )


def _unreadable(engine: "Engine", reason: str, advice: str) -> typer.Exit:
    shown = engine.url.render_as_string(hide_password=True)
    typer.echo(f"The books cannot be read: {shown}: {reason}", err=True)
    typer.echo(f"  What to do: {advice}", err=True)
    return typer.Exit(2)
