"""HTTP between programs that are all in this process: the real client, no network."""

import io
from collections.abc import Callable

import requests
from flask import Flask
from requests.adapters import BaseAdapter


class InProcess(BaseAdapter):
    """Carries a request to a WSGI application and not over a network."""

    def __init__(self, flask: Flask) -> None:
        super().__init__()
        self._flask = flask

    def send(
        self,
        request: requests.PreparedRequest,
        *_how: object,
        **_otherwise: object,
    ) -> requests.Response:
        client = self._flask.test_client(use_cookies=False)
        answer = client.open(
            request.path_url,
            method=request.method,
            headers=list(request.headers.items()),
            data=request.body,
        )
        response = requests.Response()
        response.status_code = answer.status_code
        response.headers.update(answer.headers)
        response.raw = io.BytesIO(answer.data)
        return response

    def close(self) -> None:
        """Nothing is open."""


def reaching(url: str, flask: Flask) -> Callable[[], requests.Session]:
    """Makes sessions for which `url` is this application."""

    def session() -> requests.Session:
        http = requests.Session()
        http.trust_env = False
        http.mount(url, InProcess(flask))
        return http

    return session
