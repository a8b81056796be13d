"""Looks at everything the gateway needs, and says what to do about what is missing."""

import http.client
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from sqlalchemy import URL

    from ussd_gateway.app.live_packs import LivePacks
    from ussd_gateway.settings import Settings

ask_s = 2.0


@dataclass(frozen=True, slots=True)
class Finding:
    """What was seen of a thing. `advice` says what to do; None where all is well."""

    thing: str
    seen: str
    advice: str | None = None


def doctor() -> None:
    """Check settings, database, Redis, ports and menus, and say what to do."""
    from ussd_gateway.settings import load

    settings = load()
    findings = (
        Finding("settings", f"{settings.app_env}, DATA_DIR {settings.data_dir}"),
        _database(settings),
        *_days(settings),
        _redis(settings),
        _port("PORT", settings.port, "/readyz"),
        _port("SIM_PORT", settings.sim_port, "/"),
        _menus(settings),
        *_published(settings),
    )
    for finding in findings:
        mark = "ok" if finding.advice is None else "--"
        typer.echo(f"{mark}  {finding.thing:<9} {finding.seen}")
        if finding.advice is not None:
            typer.echo(f"              {finding.advice}")
    raise typer.Exit(any(finding.advice is not None for finding in findings))


def _database(settings: "Settings") -> Finding:
    from sqlalchemy import create_engine
    from sqlalchemy.exc import SQLAlchemyError

    from ussd_gateway.store import migrate

    url = _url(settings)
    shown = url.render_as_string(hide_password=True)
    if _is_unmade(settings):
        return Finding("database", f"{shown}: made by the first `make run`")

    engine = create_engine(url)
    try:
        present = migrate.present(engine)
    except SQLAlchemyError as error:
        return Finding("database", f"{shown}: {_reason(error)}", "Mend DATABASE_URL.")
    finally:
        engine.dispose()

    newest = migrate.newest()
    if present != newest:
        return Finding(
            "database",
            f"{shown}: its schema is {present or 'empty'}, this program's is {newest}",
            "Run `ussd-gateway db upgrade`.",
        )
    return Finding("database", f"{shown}: schema {present}")


def _days(settings: "Settings") -> list[Finding]:
    """Nothing where the database cannot be read, which is told already."""
    from sqlalchemy.exc import SQLAlchemyError

    from ussd_gateway import app
    from ussd_gateway.store.days.end_of_day import EndOfDay

    if _is_unmade(settings):
        return []
    engine, clock = app.database(settings), app.clock(settings)
    try:
        until = EndOfDay(engine, clock, app.market(settings)).shut_until()
    except SQLAlchemyError:
        return []
    finally:
        engine.dispose()
    today = app.market(settings).business_date(int(clock.now().timestamp() * 1000))
    if until is None:
        return [Finding("today", f"{today}: open for payments")]
    return [
        Finding(
            "today",
            f"{today} by this machine's clock, and closed: every payment is refused",
            f"Set the clock right. If it is right, payments go on by themselves on {until}.",
        )
    ]


def _redis(settings: "Settings") -> Finding:
    import redis

    with closing(redis.from_url(settings.redis_url, socket_timeout=ask_s)) as client:
        try:
            client.ping()
        except redis.RedisError as error:
            if settings.embeds_valkey:
                return Finding("redis", "embedded: `make run` starts it")
            return Finding("redis", _reason(error), "Start the server, or mend REDIS_URL.")
        server = client.info("server")
    version = server.get("valkey_version") or server.get("redis_version")
    return Finding("redis", f"{'embedded' if settings.embeds_valkey else 'answers'}: {version}")


def _port(name: str, port: int, path: str) -> Finding:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ask_s)
    with closing(connection):
        try:
            connection.request("GET", path)
            with connection.getresponse() as response:
                status = response.status
        except ConnectionRefusedError:
            return Finding(name, f"{port}: free")
        except (OSError, http.client.HTTPException) as error:
            return Finding(name, f"{port}: {error!r}", f"Another program? Choose {name}=.")
    if status == http.HTTPStatus.OK:
        return Finding(name, f"{port}: serving")
    return Finding(
        name, f"{port}: answers {path} with {status}", f"See why, or choose another {name}=."
    )


def _menus(settings: "Settings") -> Finding:
    from ussd_gateway import app

    folder = settings.menus_dir
    files = sorted(path.name for path in folder.glob("*.yaml"))
    if not files:
        return Finding("menus", f"none in {folder}", "Start where they are, or set MENUS_DIR=.")
    faults = [fault for fault in app.check(settings) if not fault.warns]
    if faults:
        found = f"{folder}: {len(faults)} faults"
        return Finding("menus", found, "Run `ussd-gateway menu lint`.")
    return Finding("menus", f"{folder}: {', '.join(files)}")


def _published(settings: "Settings") -> list[Finding]:
    from ussd_gateway import app
    from ussd_gateway.ports import BooksLost

    thing = "published"
    if _is_unmade(settings):
        return [Finding(thing, "by the first `make run`")]

    engine = app.database(settings)
    try:
        app.check_served(settings)
        versions = app.versions(settings, engine)
        live = app.published(settings, versions, app.unbound_actions(settings))
        stopped = versions.stopped()
        differing = app.unpublished(settings, versions)
    except app.Faulty as faulty:
        return [Finding(thing, "nothing that this program can serve", faulty.faults[-1])]
    except BooksLost:
        return [Finding(thing, "not known: see the database")]
    finally:
        engine.dispose()
    found = [Finding(thing, _shown(live))]
    for pack in live.names:
        for digest in live.why_not(pack):
            seen = f"{pack} {digest} does not load here; the one before it goes on"
            advice = f"Run `ussd-gateway menu versions {pack}`, then roll back or publish."
            found.append(Finding(thing, seen, advice))
    if stopped:
        seen = f"disabled: {', '.join(sorted(stopped))}"
        found.append(
            Finding(thing, seen, "When all is well: `ussd-gateway menu enable ACTION`.")
        )
    if differing:
        files = ", ".join(f"{name}.yaml" for name in differing)
        found.append(Finding(thing, f"not live: {files}", "Run `ussd-gateway menu publish`."))
    return found


def _shown(live: "LivePacks") -> str:
    """Each pack's versions that sessions begin in."""
    packs = []
    for pack in sorted(live.names):
        served = [one.move for one in live.standing(pack) if one.program]
        versions = [
            f"{move.digest} for {move.rollout}" if move.rollout else move.digest
            for move in served
        ]
        packs.append(f"{pack} {', else '.join(versions)}")
    return ", ".join(packs)


def _url(settings: "Settings") -> "URL":
    from sqlalchemy import make_url

    return make_url(settings.database_url)


def _is_unmade(settings: "Settings") -> bool:
    """Whether nothing was ever run on the embedded database."""
    return settings.embeds_database and not Path(_url(settings).database or "").exists()


def _reason(error: Exception) -> str:
    return str(error).strip().splitlines()[0]
