"""What is wrong in an operator's file: all of it, each with its line and what to do."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """Codes beginning with E keep the file from loading; with W they are told and no more."""

    code: str
    file: str
    line: int
    found: str
    advice: str

    @property
    def warns(self) -> bool:
        return self.code.startswith("W")

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.code} {self.found}: {self.advice}"


class Faults:
    """The faults of one file, as they are found."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._found: list[Fault] = []

    def add(self, code: str, line: int, found: str, advice: str) -> None:
        self._found.append(Fault(code, self._file, line, found, advice))

    @property
    def errors(self) -> list[Fault]:
        return [fault for fault in self.in_order if not fault.warns]

    @property
    def warnings(self) -> tuple[Fault, ...]:
        return tuple(fault for fault in self.in_order if fault.warns)

    @property
    def in_order(self) -> list[Fault]:
        return sorted(self._found, key=lambda fault: (fault.line, fault.code))
