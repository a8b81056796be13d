"""The floor of a hop: a Flask route that reads one field of a form and answers, and no more.

It is served as the gateway is: same server, processes, threads and limits.
"""

import sys

from flask import Flask, Response, request
from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels

from ussd_gateway.app import freeze_heap
from ussd_gateway.cli import programs
from ussd_gateway.embedded import die_with_parent


def create_app() -> Flask:
    """In each process that the server forks."""
    die_with_parent()
    flask = Flask("benchmarks.noop", static_folder=None)

    @flask.post("/ussd/<route>/<token>")
    def hop(**_where: str) -> Response:
        return Response(f"CON {request.form['text']}", content_type="text/plain; charset=utf-8")

    @flask.get("/readyz")
    def readyz() -> Response:
        return Response("ready", content_type="text/plain; charset=utf-8")

    freeze_heap()
    return flask


def main() -> None:
    server = Granian(
        "benchmarks.noop",
        address="127.0.0.1",
        port=int(sys.argv[1]),
        interface=Interfaces.WSGI,
        http=HTTPModes.http1,
        workers=programs.processes,
        blocking_threads=programs.threads,
        backpressure=programs.requests_max,
        respawn_failed_workers=True,
        workers_kill_timeout=programs.stop_within_s,
        log_level=LogLevels.info,
        log_access=False,
    )
    server.serve(target_loader=create_app, wrap_loader=False)


if __name__ == "__main__":
    main()
