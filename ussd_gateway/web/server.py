"""The Flask application, one in each server process.

    POST /ussd/<route>/<token>             a hop: answered with a screen, whatever was typed
    POST /ussd/<route>/<token>/events      a session is over
    POST /sms/<provider>/<token>/reports   what became of a message
    GET  /healthz /readyz /metrics

Wrong token or route 404; address not allowed 403; missing or malformed fields 400; too large
413. A service code that we do not serve is an END. Never a 5xx for bad input.
"""

from collections.abc import Mapping
from urllib.parse import parse_qsl

import redis
import structlog
from flask import Flask, Response, abort, request
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from sqlalchemy.exc import SQLAlchemyError

from ussd_gateway import app as wiring
from ussd_gateway.aggregators import africastalking
from ussd_gateway.aggregators.africastalking import Malformed
from ussd_gateway.app import Gateway
from ussd_gateway.settings import Settings
from ussd_gateway.sms.africastalking import parse_report
from ussd_gateway.web.doorkeeper import Doorkeeper
from ussd_gateway.web.health import OutboxMetrics, unready

log = structlog.get_logger()

request_octets_max = 16 * 1024
fields_max = 32
redis_timeout_s = 1.0


def create_app(settings: Settings) -> Flask:
    """Wires the gateway and starts this process's ledger writer. Raises `app.Faulty`."""
    wiring.start_logging(settings)
    gateway = wiring.gateway(
        settings, clock=wiring.clock(settings), random=wiring.random(settings)
    )
    return door(gateway, settings)


def door(gateway: Gateway, settings: Settings) -> Flask:
    """The HTTP door of a gateway that is wired already."""
    doorkeeper = Doorkeeper(
        tokens=settings.callback_tokens,
        allowed=settings.allowed_ips,
        proxies=settings.trusted_proxies,
    )
    redis_client = redis.from_url(settings.redis_url, socket_timeout=redis_timeout_s)
    registry = CollectorRegistry()
    registry.register(OutboxMetrics(gateway.outbox))

    flask = Flask("ussd_gateway.web", static_folder=None)
    flask.config["MAX_CONTENT_LENGTH"] = request_octets_max

    def guard(known: str, named: str, token: str) -> None:
        if named != known or not doorkeeper.knows(token):
            abort(404)
        if not doorkeeper.lets_in(
            request.remote_addr or "", request.headers.get("X-Forwarded-For", "")
        ):
            abort(403)

    # Other aggregators ask by GET. This one posts a form, and a GET of it lacks every field.
    @flask.route("/ussd/<route>/<token>", methods=["GET", "POST"])
    def hop(route: str, token: str) -> Response:
        guard(africastalking.ROUTE, route, token)
        found = africastalking.parse_callback(_form())
        if isinstance(found, Malformed):
            return _text(str(found), 400)
        try:
            reply = gateway.turn.answer(found)
        # An error page would reach the phone as silence, and a person would pay again.
        except Exception:
            log.exception("turn.broke", session=found.session_id)
            reply = gateway.turn.broken(found)
        return _text(africastalking.write_reply(reply))

    @flask.post("/ussd/<route>/<token>/events")
    def ended(route: str, token: str) -> Response:
        guard(africastalking.ROUTE, route, token)
        found = africastalking.parse_end(_form())
        if isinstance(found, Malformed):
            return _text(str(found), 400)
        gateway.turn.ended(
            africastalking.ROUTE,
            found.session_id,
            status=found.status,
            hops=found.hops,
            duration_ms=found.duration_ms,
        )
        return _text("OK")

    @flask.errorhandler(SQLAlchemyError)
    def away(error: SQLAlchemyError) -> Response:
        log.error("books.lost", error=type(error).__name__, path=request.endpoint)
        return _text("the database does not answer: try again", 503)

    @flask.post("/sms/<provider>/<token>/reports")
    def report(provider: str, token: str) -> Response:
        guard(africastalking.ROUTE, provider, token)
        found = parse_report(_form())
        if found is None:
            return _text("missing or malformed: id, status", 400)
        # One of a message that is not ours is taken too: its coming again would change nothing.
        gateway.outbox.report(found)
        return _text("OK")

    @flask.get("/healthz")
    def healthz() -> Response:
        return _text("up")

    @flask.get("/readyz")
    def readyz() -> Response:
        missing = unready(gateway, redis_client)
        return _text("\n".join(missing), 503) if missing else _text("ready")

    @flask.get("/metrics")
    def metrics() -> Response:
        return Response(generate_latest(registry), content_type=CONTENT_TYPE_LATEST)

    return flask


def _form() -> Mapping[str, str]:
    """The fields of a urlencoded body; 400 where it is none. Twice the same field is malformed:
    nobody can say which was meant."""
    try:
        pairs = parse_qsl(
            request.get_data().decode(),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=fields_max,
        )
    except ValueError:
        abort(400)
    form = dict(pairs)
    if len(form) != len(pairs):
        abort(400)
    return form


def _text(body: str, status: int = 200) -> Response:
    return Response(body, status, content_type="text/plain; charset=utf-8")
