"""What was found of one invariant, and the tally that is kept while looking."""

from dataclasses import dataclass, field

SHOWN_MAX = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """`shown` are the first few of the faults, in words, with the ids of their rows."""

    number: int | None  # of the invariant; None: a rule that has no number
    name: str
    checked: int
    unit: str  # of what was checked, in the plural: journals, accounts
    faults: int
    shown: tuple[str, ...]

    @property
    def ok(self) -> bool:
        return self.faults == 0


@dataclass(slots=True)
class Tally:
    number: int | None
    name: str
    unit: str
    checked: int = 0
    faults: int = 0
    shown: list[str] = field(default_factory=list)

    def wrong(self, words: str) -> None:
        self.faults += 1
        if len(self.shown) < SHOWN_MAX:
            self.shown.append(words)

    def finding(self) -> Finding:
        return Finding(
            self.number, self.name, self.checked, self.unit, self.faults, tuple(self.shown)
        )
