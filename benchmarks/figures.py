"""A figure and the floor that it is held against: samples of both, taken in turns.

No time stands alone: machines differ, and this one is never still. What is compared, aimed at
and recorded is the ratio of two medians of one run. A spread (greatest less least, over the
median) above a fifth is marked: the machine was noisy, and the ratio is worth less.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from statistics import median

noisy_above = 0.20


@dataclass(frozen=True, slots=True)
class Floor:
    name: str
    samples: Sequence[float]


@dataclass(frozen=True, slots=True)
class Figure:
    """`at_most` and `at_least` are aims for the ratio; `value_at_most` is one for the value."""

    name: str
    samples: Sequence[float]
    unit: str
    floor: Floor
    at_most: float | None = None
    at_least: float | None = None
    value_at_most: float | None = None

    @property
    def value(self) -> float:
        return median(self.samples)

    @property
    def ratio(self) -> float:
        return self.value / median(self.floor.samples)

    @property
    def spread(self) -> float:
        return max(map(_spread, (self.samples, self.floor.samples)))

    @property
    def noisy(self) -> bool:
        return self.spread > noisy_above

    @property
    def met(self) -> bool | None:
        """None where there is no aim."""
        if self.at_most is not None:
            return self.ratio <= self.at_most
        if self.at_least is not None:
            return self.ratio >= self.at_least
        if self.value_at_most is not None:
            return self.value <= self.value_at_most
        return None

    @property
    def aim(self) -> str:
        if self.at_most is not None:
            return f"<= {self.at_most:g}"
        if self.at_least is not None:
            return f">= {self.at_least:g}"
        return f"<= {self.value_at_most:g} {self.unit}" if self.value_at_most else ""


@dataclass(frozen=True, slots=True)
class Subject:
    """What one part of the benchmarks found. `notes` are facts that belong to it."""

    title: str
    figures: list[Figure] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def table(subjects: Sequence[Subject]) -> str:
    lines = [_line(("", "measured", "ratio", "of", "aim", "", "spread", ""))]
    for subject in subjects:
        lines += ["", subject.title]
        lines += [_row(figure) for figure in subject.figures]
        lines += [f"    {note}" for note in subject.notes]
    return "\n".join(lines)


def written(subject: Subject) -> dict[str, object]:
    """For JSON."""
    return {
        "title": subject.title,
        "notes": subject.notes,
        "figures": [
            {
                **asdict(figure),
                "value": figure.value,
                "ratio": figure.ratio,
                "spread": figure.spread,
                "noisy": figure.noisy,
                "met": figure.met,
            }
            for figure in subject.figures
        ],
    }


def _row(figure: Figure) -> str:
    verdict = {None: "", True: "met", False: "MISSED"}[figure.met]
    noisy = "noisy" if figure.noisy else ""
    return _line(
        (
            f"  {figure.name}",
            f"{_rounded(figure.value)} {figure.unit}",
            _rounded(figure.ratio),
            figure.floor.name,
            figure.aim,
            verdict,
            f"{figure.spread:.0%}",
            noisy,
        )
    )


def _line(cells: Sequence[str]) -> str:
    name, value, ratio, of, aim, verdict, spread, noisy = cells
    return (
        f"{name:<40}{value:>13}{ratio:>8}  {of:<18}{aim:<11}{verdict:<7}{spread:>7} {noisy}"
    ).rstrip()


def _rounded(number: float) -> str:
    if number >= 100:
        return f"{number:,.0f}"
    return f"{number:.1f}" if number >= 10 else f"{number:.3g}"


def _spread(samples: Sequence[float]) -> float:
    return (max(samples) - min(samples)) / median(samples)
