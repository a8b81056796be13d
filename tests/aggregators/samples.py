"""What each aggregator sends, and what it is answered: fixtures/routes/<route>/<what>.txt.

POST /ussd/hubtel/TOKEN            what comes; a query stands behind a question mark
Content-Type: application/json

{"Type": "Response", ...

200                                what it is answered
Content-Type: application/json

{"Type": "Response", ...
"""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit

from ussd_gateway.aggregators.table import Table, load_table
from ussd_gateway.aggregators.wire import Sent

ROOT = Path(__file__).parents[2]
SAMPLES = ROOT / "fixtures" / "routes"


def load_shipped() -> Table:
    source = (ROOT / "menus" / "routes.yaml").read_bytes()
    table = load_table(source, file="routes.yaml", packs={"customer", "agent"})
    assert isinstance(table, Table), "\n".join(map(str, table))
    return table


SHIPPED = load_shipped()
ROUTES = tuple(SHIPPED.wires)


@dataclass(frozen=True, slots=True)
class Sample:
    sent: Sent
    content_type: str  # of the answer
    answer: str

    def with_fields(self, **changes: object) -> Sent:
        """The same with other values, or without those that are None; `a__b` is b within a."""
        sent = self.sent
        if sent.query:
            query = _changed(
                dict(parse_qsl(sent.query.decode(), keep_blank_values=True)), changes
            )
            return replace(sent, query=urlencode(query).encode())
        if sent.body.startswith(b"{"):
            return replace(
                sent, body=json.dumps(_changed(json.loads(sent.body), changes)).encode()
            )
        form = _changed(dict(parse_qsl(sent.body.decode(), keep_blank_values=True)), changes)
        return replace(sent, body=urlencode(form).encode())


def sample(route: str, what: str) -> Sample:
    text = (SAMPLES / route / f"{what}.txt").read_text("utf-8")
    asked, answered = text.split("\n200\n")
    head, _, body = asked.partition("\n\n")
    _method, address = head.splitlines()[0].split(" ")
    url = urlsplit(address)
    path = url.path.split("/TOKEN")[1].removeprefix("/")
    content_type, _, answer = answered.partition("\n\n")
    sent = Sent(path, url.query.encode(), body.strip().encode())
    return Sample(sent, content_type.removeprefix("Content-Type: "), answer.rstrip("\n"))


def _changed(fields: dict[str, object], changes: dict[str, object]) -> dict[str, object]:
    fields = dict(fields)
    for name, value in changes.items():
        outer, _, inner = name.partition("__")
        if inner:
            within = fields[outer]
            assert isinstance(within, dict)
            fields[outer] = _changed(within, {inner: value})
        elif value is None:
            fields.pop(name)
        else:
            fields[name] = value
    return fields
