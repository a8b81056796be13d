"""The whole gateway at once, on embedded parts, with the demo cast: `make run`."""

import http.client
import socket
import sys
from contextlib import closing, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from ussd_gateway.embedded import Part
    from ussd_gateway.settings import Settings

ask_s = 1.0


def demo(
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Empty DATA_DIR first: all balances start again.")
    ] = False,
) -> None:
    """Run everything at once, with the demo cast. Ctrl-C ends all of it."""
    from ussd_gateway.embedded import FolderTaken, owned
    from ussd_gateway.settings import load

    settings = load()
    if settings.production:
        raise _refused("The demo has no place in production: start the parts (see Procfile).")
    if fresh and not settings.embeds_database:
        raise _refused("--fresh empties DATA_DIR, not the database of DATABASE_URL: unset one.")
    try:
        with owned(settings.data_dir, fresh=fresh):
            code = _run(settings)
    except FolderTaken as taken:
        raise _refused(str(taken)) from None
    raise typer.Exit(code)


def _run(settings: "Settings") -> int:
    from rich.console import Console

    from ussd_gateway.embedded import Supervisor, clear_socket

    console = Console(highlight=False)
    supervisor = Supervisor(
        settings.data_dir / "logs",
        say=lambda line: console.print(line, markup=False, soft_wrap=True),
        ready=lambda: _ready(settings),
        announce=lambda: _announce(settings, console),
    )
    ports = {"PORT": settings.port, "SIM_PORT": settings.sim_port}
    if settings.smpp_port is not None:
        ports["SMPP_PORT"] = settings.smpp_port
    taken = [line for name, port in ports.items() if (line := _trouble(name, port))]
    if taken:
        raise _refused("\n".join(taken))
    code = supervisor.run(_parts(settings), first=_part("database", "db", "seed"))
    clear_socket(settings.data_dir)
    console.print("All of it has ended.")
    return code


def _refused(line: str) -> typer.Exit:
    typer.echo(line, err=True)
    return typer.Exit(2)


def _trouble(name: str, port: int) -> str | None:
    """Why nothing can listen there, and what to do."""
    with socket.socket() as probe:
        # As servers do: what is left of closed connections does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except PermissionError:
            return f"{name}={port} is for root only; choose one above 1023"
        except OSError:
            return (
                f"{name}={port} is taken by another program; choose another: "
                f"make run {name}={port + 1}"
            )
    return None


def _parts(settings: "Settings") -> list["Part"]:
    from ussd_gateway.embedded import valkey_part

    valkey = [valkey_part(settings.data_dir)] if settings.embeds_valkey else []
    return [
        *valkey,
        _part("web", "serve"),
        _part("worker", "worker"),
        _part("relay", "relay"),
        _part("scheduler", "scheduler"),
        _part("simulator", "simulator"),
    ]


def _part(name: str, *command: str) -> "Part":
    from ussd_gateway.embedded import Part

    argv = (sys.executable, "-m", "ussd_gateway", *command)
    return Part(name, argv, env={"PYTHONUNBUFFERED": "1"})


def _ready(settings: "Settings") -> bool:
    return _answers(settings.port, "/readyz") and _answers(settings.sim_port, "/")


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=ask_s)
    with suppress(OSError, http.client.HTTPException), closing(connection):
        connection.request("GET", path)
        with connection.getresponse() as response:
            return response.status == http.HTTPStatus.OK
    return False


def _announce(settings: "Settings", console: "Console") -> None:
    from rich.panel import Panel
    from rich.table import Table

    from ussd_gateway.cli import menu

    gateway = f"http://127.0.0.1:{settings.port}"
    table = Table.grid(padding=(0, 3))
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    rows = (
        ("Phones", f"[bold]http://127.0.0.1:{settings.sim_port}/[/]   dial *384#"),
        ("Phone in a terminal", f"{_command(settings)} phone --dial '*384#'"),
        ("USSD callback", f"{gateway}/ussd/africastalking/{settings.callback_tokens[0]}"),
        ("Health", f"{gateway}/healthz   {gateway}/readyz"),
        ("Metrics", f"{gateway}/metrics"),
        ("Data, logs", f"{_short(settings.data_dir)}   {_short(settings.data_dir / 'logs')}"),
    )
    for row in rows:
        table.add_row(*row)
    for line in menu.edited(settings):
        table.add_row("[yellow]Menus[/]", line)
    console.print(
        Panel(
            table,
            title="[bold green]USSD gateway[/], everything is up",
            subtitle="Ctrl-C ends all of it",
            expand=False,
            padding=(1, 2),
        )
    )


def _command(settings: "Settings") -> str:
    """How a person types this program in another terminal."""
    script = Path(sys.executable).with_name("ussd-gateway")
    command = _short(script) if script.exists() else "python -m ussd_gateway"
    given = [
        f"{name.upper()}={getattr(settings, name)}"
        for name in ("port", "sim_port")
        if name in settings.model_fields_set
    ]
    return " ".join([*given, command])


def _short(path: Path) -> str:
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)
