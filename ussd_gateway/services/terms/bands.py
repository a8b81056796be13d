"""The bands of a tariff, row by row: each begins one minor unit above the end of the last."""

from collections.abc import Mapping, Sequence

from ussd_gateway.domain.money import Money
from ussd_gateway.domain.tariff import Band
from ussd_gateway.files.faults import Faults
from ussd_gateway.services.terms.amounts import in_minor, plain
from ussd_gateway.services.terms.heads import Head
from ussd_gateway.services.terms.priced import BUSINESS, FREE
from ussd_gateway.services.terms.rows import Slip


class Order:
    """Where the next row has to begin. After a row with a fault that is where it says that it
    ends, so that each slip is told once."""

    def __init__(self) -> None:
        self._last: dict[Head, tuple[Head, int | None]] = {}
        self._stray: tuple[int | None] | None = None

    def lost(self, highest: int | None) -> None:
        """After a row whose head cannot be read: the next one may follow it."""
        self._stray = (highest,)

    def due(self, head: Head, lowest: int | None) -> int | None:
        """The lowest amount to write instead; None where it is right, or nobody can say."""
        last, highest = self._last.get(head[:2], (head, None))
        stray, self._stray = self._stray, None
        if lowest is None or highest is None or last != head or lowest == highest + 1:
            return None
        follows_stray = stray is not None and (stray[0] is None or lowest == stray[0] + 1)
        return None if follows_stray else highest + 1

    def ends(self, head: Head, highest: int | None) -> None:
        self._last[head[:2]] = head, highest


def add_band(
    bands: list[Band], row: Mapping[str, str], head: Head, order: Order, currency: str
) -> Slip | None:
    amounts = {name: in_minor(row[name], currency) for name in ("lowest", "highest", "fee")}
    lowest, highest, fee = amounts.values()
    turned = lowest is not None and highest is not None and highest < lowest
    due = order.due(head, lowest)
    order.ends(head, None if turned else highest)
    if row["highest"] == "":
        advice = "write the most that can be paid in one: what is above it is refused"
        return "E46", "highest is empty", advice
    for name, minor in amounts.items():
        if minor is None:
            return "E44", f"{name} is {row[name]!r}", "write an amount such as 500.00"
    assert lowest is not None, "told above"
    assert highest is not None, "told above"
    assert fee is not None, "told above"
    if turned:
        return "E42", "highest is under lowest", "write the greater amount as highest"
    bands.append(Band(lowest, highest, fee))
    if due is not None:
        return _untouched(row["lowest"], Money(lowest, currency), Money(due, currency))
    if fee and row["service"] in FREE:
        return "E43", f"{row['service']} is free", "each fee of it must be 0.00"
    if fee >= lowest and row["service"].endswith(BUSINESS):
        takes = f"{row['service']} takes {row['fee']} of {row['lowest']}"
        return "E47", takes, "lower the fee, or begin the band with a greater amount"
    return None


def warn(bands: Sequence[Band], line: int, row: Mapping[str, str], faults: Faults) -> None:
    """Of the band that was added last."""
    band = bands[-1]
    if band.fee > band.lowest:
        costs = f"{row['lowest']} costs {row['fee']}"
        faults.add("W47", line, costs, "lower the fee, or begin with a greater amount")
    if len(bands) > 1 and band.fee < bands[-2].fee:
        falls = f"{row['lowest']} costs {row['fee']}, less than what is below it"
        faults.add("W48", line, falls, "let fees rise with the amount, or stay")


def _untouched(written: str, lowest: Money, due: Money) -> Slip:
    """Of a band that does not begin where the one before it ends."""
    before = f"the band before ends at {plain(due - Money(1, due.currency))}"
    write = f"write {plain(due)}"
    if lowest < due:
        return (
            "E42",
            f"lowest is {written}: an overlap, {before}",
            f"{write}, or end that lower",
        )
    return "E42", f"lowest is {written}: a gap, {before}", f"{write}, or add what is between"
