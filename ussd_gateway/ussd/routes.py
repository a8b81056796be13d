"""What a turn knows of the table of routes: which pack answers which service code, what is said
for others, and what each route can carry."""

from collections.abc import Mapping
from dataclasses import dataclass

from ussd_gateway.ports import Route


@dataclass(frozen=True, slots=True)
class Routes:
    service_codes: Mapping[str, str]  # to the name of a pack
    not_served: Mapping[str, str]  # by language
    by_name: Mapping[str, Route]

    def says_not_served(self, wished: str | None) -> str:
        """In the language wished for, or the first of the file."""
        return self.not_served.get(wished or "") or next(iter(self.not_served.values()))
