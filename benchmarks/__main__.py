"""`make bench`: every part, or those that are named: `python -m benchmarks hops writer`.

    engine | hops | payments | writer | sms | memory  the whole, in about ten minutes
    growth                                            apart, in about six

Each part starts what it needs on 127.0.0.1 and in one folder of /tmp, and ends it. The whole is
recorded in benchmarks/latest.json, growth in benchmarks/growth.json; no other choice of parts
is. A killed process proves nothing about a cut of power, nor do these figures: they are what
commits cost on a disk that is told to sync, as PostgreSQL and SQLite both are here.
"""

import json
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks import engine, growth, hops, machine, memory, payments, sms, writer
from benchmarks.figures import Figure, Subject, noisy_above, table, written
from benchmarks.ground import Ground
from ussd_gateway.embedded.postgres import ROOM

PARTS: dict[str, Callable[[Ground, Callable[[str], None]], list[Subject]]] = {
    "engine": engine.measure,
    "hops": hops.measure,
    "payments": payments.measure,
    "writer": writer.measure,
    "sms": sms.measure,
    "memory": memory.measure,
    "growth": growth.measure,
}
WHOLE = [name for name in PARTS if name != "growth"]
# What is recorded, and where.
RECORDS = {tuple(WHOLE): "latest.json", ("growth",): "growth.json"}


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in PARTS]
    if unknown:
        print(f"no such part: {' '.join(unknown)}; parts: {' '.join(PARTS)}", file=sys.stderr)
        return 2

    # A shell's background job inherits Ctrl-C ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    folder = Path(tempfile.mkdtemp(prefix="ussd-gateway-bench-", dir=ROOM))
    try:
        return _measure(names or WHOLE, folder)
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(folder)


def _measure(names: list[str], folder: Path) -> int:
    began = time.monotonic()
    described = machine.described(folder)
    subjects: list[Subject] = []
    with Ground(folder) as ground:
        for name in names:
            subjects += PARTS[name](ground, partial(_say, began, name))

    took_s = round(time.monotonic() - began)
    print(table(subjects))
    print(
        f"\n{described['cores']} cores, {described['cpu']}, {described['file_system']}; ",
        end="",
    )
    print(f"{took_s} s.")
    print(_noise([figure for subject in subjects for figure in subject.figures]))
    if record := RECORDS.get(tuple(names)):
        found = {**described, "took_s": took_s, "subjects": list(map(written, subjects))}
        path = Path(__file__).with_name(record)
        path.write_text(json.dumps(found, indent=1) + "\n")
        print(f"Recorded in {path.parent.name}/{path.name}")
    return 0


def _noise(figures: list[Figure]) -> str:
    noisy = sum(figure.noisy for figure in figures)
    bound = f"a spread of more than {noisy_above:.0%} of the median"
    if not noisy:
        return f"All are medians; none was noisy ({bound})."
    return f"All are medians. The machine was noisy: {noisy} of {len(figures)} had {bound}."


def _say(began: float, name: str, line: str) -> None:
    print(f"{time.monotonic() - began:4.0f} s  {name}: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
