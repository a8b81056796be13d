"""Ten thousand spoilt packs: each is refused with its faults, or is a program that can be
walked, and to read it takes less than a second."""

from collections import Counter
from pathlib import Path

from tests.chaos.report import Report
from tests.ussd.fuzzing import load_s_max, tried

packs = 10_000


def spoilt(report: Report, _folder: Path) -> None:
    codes: Counter[str] = Counter()
    loaded, steps, slowest_s = 0, 0, 0.0
    for seed in range(report.seed, report.seed + packs):
        try:
            found = tried(seed)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
            report.broken.append(f"pack {seed}: {error!r}")
            continue
        if found.load_s > load_s_max:
            report.broken.append(f"pack {seed}: read in {found.load_s:.2f} s")
        codes.update({fault.code for fault in found.faults})
        loaded += found.program is not None
        steps += found.steps
        slowest_s = max(slowest_s, found.load_s)
    report.add(
        {
            "packs": f"{packs}, of which {loaded} load, walked for {steps} steps",
            "slowest": f"{slowest_s * 1000:.0f} ms of processor time, at most {load_s_max:g} s",
            "rules broken": f"{len(codes)} kinds: {', '.join(sorted(codes))}",
        }
    )
