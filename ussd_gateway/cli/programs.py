"""The programs of which the gateway is made: each runs until SIGINT or SIGTERM.

In production each runs on its own (Procfile); the demo keeps one of each.
"""

from functools import partial
from typing import TYPE_CHECKING

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from flask import Flask

    from ussd_gateway.settings import Settings

processes = 2
threads = 16
# Requests a process takes in, answered or waiting; more wait in the listening socket.
requests_max = 128
stop_within_s = 3


def serve() -> None:
    """Answer the aggregators' callbacks on PORT."""
    from granian import Granian
    from granian.constants import HTTPModes, Interfaces
    from granian.log import LogLevels

    from ussd_gateway import app
    from ussd_gateway.cli import menu
    from ussd_gateway.settings import load
    from ussd_gateway.web import create_app

    settings = load()
    # Told here in a few lines; each server process would tell it again, for ever.
    app.check_served(settings)
    for line in menu.edited(settings):
        typer.echo(line)
    server = Granian(
        "ussd_gateway.web",
        address="0.0.0.0" if settings.production else "127.0.0.1",  # noqa: S104
        port=settings.port,
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        # Two processes would draw the same numbers from one seed.
        workers=processes if settings.seed is None else 1,
        blocking_threads=threads,
        backpressure=requests_max,
        respawn_failed_workers=True,
        workers_kill_timeout=stop_within_s,
        log_level=LogLevels(settings.log_level),
        # The path of a callback carries its secret token.
        log_access=False,
    )
    server.serve(target_loader=partial(_in_child, create_app, settings), wrap_loader=False)


def worker() -> None:
    """Send the SMS that the relay has queued."""
    from ussd_gateway.settings import load
    from ussd_gateway.worker.main import run_worker

    run_worker(load())


def relay() -> None:
    """Queue what the database says is due to be sent."""
    from ussd_gateway.settings import load
    from ussd_gateway.worker.main import run_relay

    run_relay(load())


def scheduler() -> None:
    """Do what is done by the clock."""
    from ussd_gateway.settings import load
    from ussd_gateway.worker.main import run_scheduler

    run_scheduler(load())


def simulator() -> None:
    """Play the aggregator and its phones on SIM_PORT."""
    from ussd_gateway.settings import load
    from ussd_gateway.simulators.main import run_simulator

    run_simulator(load())


def _in_child(create_app: "Callable[[Settings], Flask]", settings: "Settings") -> "Flask":
    """In each process that the server forks, which would else outlive a killed server."""
    from ussd_gateway.app import freeze_heap
    from ussd_gateway.embedded import die_with_parent

    die_with_parent()
    flask = create_app(settings)
    freeze_heap()
    return flask
