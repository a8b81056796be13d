"""What is wrong in an operator's file: all of it, each with its line and what to do."""

from dataclasses import dataclass

# Of one file, errors and warnings each. Whoever has as many mends these first.
faults_max = 200
# Of the characters of each: more helps nobody.
found_max = 160
advice_max = 400


@dataclass(frozen=True, slots=True)
class Fault:
    """Codes beginning with E keep the file from loading; with W they are told and no more.
    What each code means stands in `rules`."""

    code: str
    file: str
    line: int
    found: str
    advice: str

    @property
    def warns(self) -> bool:
        return self.code.startswith("W")

    @property
    def severity(self) -> str:
        return "warning" if self.warns else "error"

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.code} {self.found}: {self.advice}"


class Faults:
    """The faults of one file, as they are found."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._found: list[Fault] = []
        self._known: set[tuple[str, int, str]] = set()
        self._counts = {True: 0, False: 0}  # of warnings, of errors

    def add(self, code: str, line: int, found: str, advice: str) -> None:
        """One slip is told once, however many ways there are to it."""
        fault = Fault(
            code, self._file, line, _shown(found, found_max), _shown(advice, advice_max)
        )
        alike = (code, line, fault.found)
        if alike not in self._known and self._counts[fault.warns] < faults_max:
            self._known.add(alike)
            self._counts[fault.warns] += 1
            self._found.append(fault)

    @property
    def errors(self) -> list[Fault]:
        return [fault for fault in self.in_order if not fault.warns]

    @property
    def warnings(self) -> tuple[Fault, ...]:
        return tuple(fault for fault in self.in_order if fault.warns)

    @property
    def in_order(self) -> list[Fault]:
        return sorted(self._found, key=lambda fault: (fault.line, fault.code))


def _shown(text: str, length_max: int) -> str:
    """On one line, and not for ever."""
    line = text.replace("\n", "\\n")
    return line if len(line) <= length_max else f"{line[:length_max]}..."
