"""The Flask application, one in each server process.

    GET|POST /ussd/<route>/<token>[/...]   a hop: answered with a screen, whatever was typed; or
                                           the end of a session. As menus/routes.yaml has it
    POST /sms/<provider>/<token>/reports   what became of a message
    POST /sms/<provider>/<token>/inbound   what somebody texted to us: answered by SMS
    POST /sms/<provider>/<token>/optout    who wants no more notices
    POST /airtime/<provider>/<token>/status     what became of a top-up
    POST /airtime/<provider>/<token>/validate   whether a top-up is ours
    GET  /healthz /readyz /metrics

Wrong token or route 404; address not allowed 403; missing or malformed fields 400; too large
413. A service code that we do not serve is an END. Never a 5xx for bad input.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import redis
import structlog
from flask import Flask, Response, abort, jsonify, request
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from sqlalchemy.exc import SQLAlchemyError

from ussd_gateway import app as wiring
from ussd_gateway.aggregators.bodies import fields_max, form_fields
from ussd_gateway.aggregators.replies import Written
from ussd_gateway.aggregators.wire import Ended, Malformed, Sent
from ussd_gateway.app import Gateway
from ussd_gateway.carriers.airtime import parse_status, parse_validation
from ussd_gateway.ports import BooksLost, PurchasesLost
from ussd_gateway.services.purchases.buy_airtime import KIND as AIRTIME
from ussd_gateway.settings import Settings
from ussd_gateway.sms.africastalking import parse_report
from ussd_gateway.sms.incoming import parse_incoming, parse_opt_out
from ussd_gateway.store.resting import RedisRests
from ussd_gateway.web.doorkeeper import Doorkeeper
from ussd_gateway.web.health import BacklogMetrics, unready

log = structlog.get_logger()

# Who sends SMS and airtime, as its callbacks name it.
PROVIDER = "africastalking"

METHODS = ("GET", "POST", "PUT")

request_octets_max = 16 * 1024
redis_timeout_s = 1.0


class _Door(Flask):
    def log_exception(self, exc_info: Any) -> None:
        """Flask would write the path, and so the token in it."""
        log.error("door.broke", endpoint=request.endpoint, exc_info=exc_info)


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
    registry.register(
        BacklogMetrics(
            gateway.engine,
            gateway.purchases,
            gateway.clock,
            wiring.sms_plan(settings).routed,
            RedisRests(settings.redis_url),
        )
    )

    flask = _Door("ussd_gateway.web", static_folder=None)
    flask.config["MAX_CONTENT_LENGTH"] = request_octets_max

    def guard(token: str, *, known: bool) -> None:
        if not known or not doorkeeper.knows(token):
            abort(404)
        if not doorkeeper.lets_in(
            request.remote_addr or "", request.headers.get("X-Forwarded-For", "")
        ):
            abort(403)

    # Some routes ask by GET, and one is said to PUT. Where a body is posted, a GET lacks every
    # field.
    @flask.route("/ussd/<route>/<token>", methods=METHODS, defaults={"path": ""})
    @flask.route("/ussd/<route>/<token>/<path:path>", methods=METHODS)
    def callback(route: str, token: str, path: str) -> Response:
        guard(token, known=route in gateway.wires)
        wire = gateway.wires[route]
        found = wire.read(Sent(path, request.query_string, request.get_data()))
        if found is None:
            abort(404)
        if isinstance(found, Malformed):
            return _text(str(found), 400)
        if isinstance(found, Ended):
            gateway.turn.ended(
                route,
                found.session_id,
                status=found.status,
                hops=found.hops,
                duration_ms=found.duration_ms,
            )
            return _written(found.answer)
        try:
            reply = gateway.turn.answer(found.request)
        # An error page would reach the phone as silence, and a person would pay again.
        except Exception:
            log.exception("turn.broke", session=found.request.session_id)
            reply = gateway.turn.broken(found.request)
        return _written(wire.write(found, reply))

    @flask.errorhandler(SQLAlchemyError)
    @flask.errorhandler(BooksLost)
    @flask.errorhandler(PurchasesLost)
    def away(error: Exception) -> Response:
        log.error("books.lost", error=type(error).__name__, path=request.endpoint)
        return _text("the database does not answer: try again", 503)

    @flask.post("/sms/<provider>/<token>/reports")
    def report(provider: str, token: str) -> Response:
        guard(token, known=provider == PROVIDER)
        found = parse_report(_form())
        if found is None:
            return _text("missing or malformed: id, status", 400)
        # One of a message that is not ours is taken too: its coming again would change nothing.
        gateway.outbox.report(found)
        return _text("OK")

    @flask.post("/sms/<provider>/<token>/inbound")
    def inbound(provider: str, token: str) -> Response:
        guard(token, known=provider == PROVIDER)
        found = parse_incoming(_form(), gateway.clock.now())
        if found is None:
            return _text("missing or malformed: id, from, to, text", 400)
        gateway.answering.take(found)
        return _text("OK")

    @flask.post("/sms/<provider>/<token>/optout")
    def opt_out(provider: str, token: str) -> Response:
        guard(token, known=provider == PROVIDER)
        found = parse_opt_out(_form())
        if found is None:
            return _text("missing or malformed: senderId, phoneNumber", 400)
        gateway.answering.opted_out(*found)
        return _text("OK")

    @flask.post("/airtime/<provider>/<token>/status")
    def airtime_status(provider: str, token: str) -> Response:
        guard(token, known=provider == PROVIDER)
        found = parse_status(_fields())
        if found is None:
            return _text("missing or malformed: requestId, status, phoneNumber", 400)
        if not gateway.fulfilment.reported(AIRTIME, found):
            # It may have overtaken the answer that names it, and nothing else will tell.
            return _text("no such purchase: try again", 404)
        return _text("OK")

    @flask.post("/airtime/<provider>/<token>/validate")
    def airtime_validate(provider: str, token: str) -> Response:
        guard(token, known=provider == PROVIDER)
        found = parse_validation(_fields())
        if found is None:
            return _text("missing or malformed: phoneNumber, currencyCode, amount", 400)
        ours = gateway.fulfilment.expected(AIRTIME, found.msisdn, found.amount)
        return jsonify(status="Validated" if ours else "Failed")

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
    """The fields of a urlencoded body; 400 where it is none."""
    form = form_fields(request.get_data())
    if form is None:
        abort(400)
    return form


def _fields() -> Mapping[str, str]:
    """Of a form, or of a flat JSON object: the vendor shows airtime's as the second, and does
    not say. A number keeps the digits that it was written with."""
    if request.mimetype != "application/json":
        return _form()
    try:
        pairs = json.loads(
            request.get_data(), parse_int=str, parse_float=str, object_pairs_hook=tuple
        )
    except (ValueError, RecursionError):
        abort(400)
    if not isinstance(pairs, tuple) or len(pairs) > fields_max:
        abort(400)
    return _by_name([(name, value) for name, value in pairs if isinstance(value, str)])


def _by_name(pairs: Sequence[tuple[str, str]]) -> Mapping[str, str]:
    """Twice the same field is malformed: nobody can say which was meant."""
    form = dict(pairs)
    if len(form) != len(pairs):
        abort(400)
    return form


def _written(answer: Written) -> Response:
    return Response(answer.body, content_type=answer.content_type)


def _text(body: str, status: int = 200) -> Response:
    return Response(body, status, content_type="text/plain; charset=utf-8")
