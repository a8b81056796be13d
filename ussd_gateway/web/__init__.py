"""The HTTP door: aggregators' callbacks, providers' reports, and how the gateway is."""

from ussd_gateway.web.server import create_app, door

__all__ = ["create_app", "door"]
