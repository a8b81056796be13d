"""A machine of the staff: a folder of menus, books of its own, and people who sign in."""

import re
import shutil
import time
from dataclasses import dataclass, field
from pathlib import Path

import pyotp
import yaml
from typer.testing import CliRunner

from ussd_gateway.app.demo_cast import PEOPLE
from ussd_gateway.cli import app

SEEDS = {
    one["name"]: one["totp_seed"] for one in yaml.safe_load(PEOPLE.read_text("utf-8"))["staff"]
}
PERIOD_S = 30


@dataclass(frozen=True, slots=True)
class Said:
    """What a command answered."""

    code: int
    stdout: str
    stderr: str

    @property
    def lines(self) -> list[str]:
        return self.stdout.splitlines()


@dataclass(slots=True)
class Office:
    folder: Path
    _used: dict[str, int] = field(default_factory=dict)
    _ahead_s: int = 0

    def does(self, *words: str, typed: str = "", **environ: str) -> Said:
        done = CliRunner().invoke(
            app, words, input=typed, env=self.environ | environ, catch_exceptions=False
        )
        return Said(done.exit_code, done.stdout, done.stderr)

    def menu(self, *words: str) -> Said:
        return self.does("menu", *words)

    def staff(self, *words: str, typed: str = "", **environ: str) -> Said:
        return self.does("staff", *words, typed=typed, **environ)

    @property
    def environ(self) -> dict[str, str]:
        return {
            "DATA_DIR": str(self.folder),
            "MENUS_DIR": str(self.folder / "menus"),
            "CLOCK_OFFSET_S": str(self._ahead_s),
        }

    @property
    def file(self) -> Path:
        return self.folder / "menus" / "customer.yaml"

    def code(self, name: str) -> str:
        """The newest, and each works once: for another, the office's clock is put on."""
        period = (int(time.time()) + self._ahead_s) // PERIOD_S
        if (used := self._used.get(name, 0)) >= period:
            self._ahead_s += (used + 1 - period) * PERIOD_S
            period = used + 1
        self._used[name] = period
        return pyotp.TOTP(SEEDS[name]).at(period * PERIOD_S)

    def signs_in(self, name: str, **environ: str) -> None:
        typed = f"{name}-demo\n{self.code(name)}\n"
        said = self.staff("sign-in", name, typed=typed, **environ)
        assert said.code == 0, said.stderr

    def edits(self, old: str, new: str) -> None:
        source = self.file.read_text("utf-8")
        assert source.count(old) == 1, old
        self.file.write_text(source.replace(old, new), "utf-8")

    def comments(self, comment: str) -> None:
        """Another version, that looks like the one before."""
        self.edits("schema: 1\n", f"schema: 1\n# {comment}\n")

    def proposes(self, *words: str) -> int:
        """As njeri, who is signed in; the number of the proposal."""
        said = self.menu("publish", *words)
        assert said.code == 0, said.stdout + said.stderr
        found = re.search(r"is proposal (\d+)", said.stdout)
        assert found is not None, said.stdout
        return int(found[1])

    def live(self, mark: str = "live") -> str:
        """The version of the customer's pack that has this mark."""
        shown = self.menu("versions", "customer").stdout
        found = re.search(rf"^  {mark} +([0-9a-f]{{16}})  ", shown, re.MULTILINE)
        assert found is not None, shown
        return found[1]


def made(folder: Path) -> Office:
    """With the demo cast, and the shipped menus, published."""
    shutil.copytree("menus", folder / "menus", ignore=shutil.ignore_patterns("tests"))
    office = Office(folder)
    said = office.does("db", "seed")
    assert said.code == 0, said.stdout + said.stderr
    return office
