"""One seed of the simulator again, with all that happened: python -m tests.simulation SEED"""

import argparse

from tests.simulation.databases import SqliteFile, in_memory
from tests.simulation.simulator import prepare, simulate
from ussd_gateway.app.logs import unlogged


def main() -> None:
    arguments = argparse.ArgumentParser(prog="python -m tests.simulation")
    arguments.add_argument("seed", type=int)
    arguments.add_argument("--operations", type=int, default=60)
    given = arguments.parse_args()
    with in_memory() as folder, unlogged():
        print(simulate(given.seed, given.operations, SqliteFile(folder, prepare), print))


if __name__ == "__main__":
    main()
