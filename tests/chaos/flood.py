"""More phones than the gateway has threads, each paying without a pause.

Here the phones take as much of the machine as the gateway: this shows that every promise holds
when all queues are full, and no speed; `make bench` measures that.
"""

import time
from pathlib import Path
from random import Random

from tests.chaos.load import Load
from tests.chaos.report import Report
from tests.chaos.storm import weather
from tests.endtoend.running import gateway

phones = 96
for_s = 20.0


def phones_at_once(report: Report, folder: Path) -> None:
    def wait(_load: Load, _random: Random) -> None:
        time.sleep(for_s)

    with gateway(folder / "var") as it:
        load = weather(it, report, wait, phones=phones, rest_s_max=0.0)
    rate = sum(one.acknowledged for one in load.payments) / for_s
    report.add({"phones at once": f"{phones}, {rate:.0f} payments/s"})
