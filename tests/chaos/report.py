"""What a part of `make chaos` found: figures for a person, and promises that were broken."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table
from rich.text import Text

shown_max = 10
words_max = 600


@dataclass(slots=True)
class Report:
    name: str
    seed: int
    figures: dict[str, str] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)

    def add(self, figures: Mapping[str, str]) -> None:
        self.figures.update(figures)

    def show(self) -> None:
        console = Console(highlight=False, soft_wrap=True)
        table = Table.grid(padding=(0, 2))
        for name, figure in self.figures.items():
            table.add_row(Text(f"  {name}"), Text(figure, overflow="fold"))
        console.print(table)
        if not self.broken:
            console.print("  every promise kept\n", style="green")
            return
        console.print(f"  {len(self.broken)} promises BROKEN", style="bold red")
        for words in self.broken[:shown_max]:
            console.print(Text(f"    {words[:words_max]}"))
        console.print(f"  again: python -m tests.chaos {self.name} --seed {self.seed}\n")
