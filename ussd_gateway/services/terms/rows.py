"""Rows of CSV files, as operators write them."""

import csv
import io
from collections.abc import Iterator, Mapping

from ussd_gateway.files.faults import Faults

# Of a row: the code, what was found, and what to do.
Slip = tuple[str, str, str]


def read_rows(
    text: str, columns: tuple[str, ...], faults: Faults
) -> Iterator[tuple[int, Mapping[str, str]]]:
    """The rows that have just these columns, each with its line. What a comma without quotes
    comes to is a fault: the amounts behind it would be read wrong."""
    reader = csv.DictReader(io.StringIO(text), restkey="rest")
    try:
        if tuple(reader.fieldnames or ()) != columns:
            faults.add("E40", 1, "the first line", f"it must be: {','.join(columns)}")
            return
        for row in reader:
            if row.get("rest"):
                advice = 'put what has a comma in quotes, "1,050.00"'
                faults.add("E40", reader.line_num, "too many columns", advice)
            else:
                yield reader.line_num, row
    except csv.Error as error:
        faults.add("E40", reader.line_num, f"no CSV: {error}", "write plain rows of text")
