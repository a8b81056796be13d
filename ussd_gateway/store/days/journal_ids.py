"""A journal's id tells its business date: days since 1970, then its number of that day.

id = days << 30 | number        so the journals of a day are a range of the primary key
"""

from datetime import date

NUMBER_BITS = 30
_DAY_ZERO = date(1970, 1, 1).toordinal()


def first_id(day: date) -> int:
    """Journals of `day` have this id or a higher one, and those of the day before a lower."""
    return day.toordinal() - _DAY_ZERO << NUMBER_BITS


def id_behind(day: date) -> int:
    """Journals of `day` have a lower id, those of the day after it this or a higher one."""
    return first_id(day) + (1 << NUMBER_BITS)


def day_of(journal_id: int) -> date:
    return date.fromordinal((journal_id >> NUMBER_BITS) + _DAY_ZERO)
