"""What the books should say: plain dicts, and the ledger's rules written out a second time.

Nothing of the ledger's code is used here, nor of the domain's, so that a fault in one of them
is not repeated. Days are counted since 1970, in the market's time (UTC + 3 hours).
"""

from datetime import date, timedelta
from typing import Any

from tests.simulation.asked import (
    Asked,
    ChoosePin,
    LetGo,
    Pay,
    Place,
    Post,
    Refund,
    Reverse,
    SetStatus,
)

_AHEAD_MS, _DAY_MS = 3 * 3_600_000, 86_400_000
_OUT, _IN = ("active", "frozen_in"), ("active",)

Row = dict[str, Any]
# An outcome's name, and its values but the receipt.
Said = tuple[str, dict[str, str]]
NOT_DONE: Said = ("timeout", {})
CLASHED: Said = ("conflict", {})


class Model:
    """`accounts`, `holds`, `journals`, `keys` and `tries` are by id."""

    def __init__(self) -> None:
        self.accounts: dict[int, Row] = {}
        self.holds: dict[int, Row] = {}
        self.journals: dict[int, Row] = {}
        self.keys: dict[str, tuple[str, Said]] = {}
        self.tries: dict[int, int] = {}
        self._issued: dict[int, int] = {}
        self._now_ms = 0

    def open(
        self, number: int, currency: str, side: int, floor: int | None, cap: int | None
    ) -> None:
        self.accounts[number] = {
            "currency": currency,
            "side": side,
            "debits": 0,
            "credits": 0,
            "debits_pending": 0,
            "credits_pending": 0,
            "floor": floor,
            "cap": cap,
            "seq": 0,
            "status": "active",
            "used_on": None,
            "used_day": 0,
            "used_month": 0,
        }

    def batch(self, asked: list[tuple[str, str, Asked]], now_ms: int) -> list[Said]:
        """What each of the commands (key, content, what is asked) comes to. Where a key is
        there twice, the later one comes after all that come first."""
        self._now_ms = now_ms
        said: dict[int, Said] = {}
        left = dict(enumerate(asked))
        while left:
            firsts: dict[str, int] = {}
            for place, (key, _, _) in left.items():
                firsts.setdefault(key, place)
            for place in firsts.values():
                said[place] = self._run(*left.pop(place))
        return [said[place] for place in range(len(asked))]

    def _run(self, key: str, content: str, asked: Asked) -> Said:
        if key in self.keys:
            known, stored = self.keys[key]
            return stored if known == content else CLASHED
        said = self._do(asked)
        if said != NOT_DONE:
            self.keys[key] = (content, said)
        return said

    def _do(self, asked: Asked) -> Said:
        values = {"seen": self._seen(asked.accounts)}
        match asked:
            case Pay():
                return self._pay(asked, values)
            case Place():
                return self._place(asked, values)
            case Post():
                return self._post_hold(asked, values)
            case LetGo():
                return self._let_go(asked, values)
            case Refund():
                return self._refund(asked, values)
            case Reverse():
                return self._reverse(asked, values)
            case SetStatus():
                return self._set_status(asked, values)
            case ChoosePin(person_id=person):
                tries, self.tries[person] = self.tries[person], 0
                return "ok", {"tries": str(tries)}

    def _pay(self, asked: Pay, values: dict[str, str]) -> Said:
        values["tries"] = ""
        if asked.pin is not None:
            person, right = asked.pin
            tries = self.tries[person]
            values["tries"] = str(tries)
            if tries >= 3:
                return "pin_locked", {"tries": str(tries)}
            if not right:
                # Nothing of it is undone where a later command of the batch breaks.
                self.tries[person] = tries + 1
                name = "pin_locked" if tries == 2 else "wrong_pin"
                return name, {"tries": str(tries)}
        if not self._fit(asked.legs):
            if asked.careless:
                return NOT_DONE
            self._right_pin(asked)
            return "low", values
        self._right_pin(asked)
        self._write("opening", asked.legs)
        if asked.counts:
            account_id, minor = asked.legs[0]
            self._use(account_id, abs(minor))
        return "ok", values

    def _right_pin(self, asked: Pay) -> None:
        if asked.pin is not None:
            self.tries[asked.pin[0]] = 0

    def _place(self, asked: Place, values: dict[str, str]) -> Said:
        if not self._fit(((asked.source, asked.minor), (asked.target, -asked.minor))):
            return NOT_DONE if asked.careless else ("low", values)
        self._pend(asked.source, asked.target, asked.minor)
        self.holds[asked.hold_id] = {
            "source": asked.source,
            "target": asked.target,
            "minor": asked.minor,
            "posted": 0,
            "state": "pending",
            "expires_at_ms": asked.expires_at_ms,
        }
        return "ok", values

    def _post_hold(self, asked: Post, values: dict[str, str]) -> Said:
        hold = self.holds[asked.hold_id]
        if hold["state"] != "pending":
            return hold["state"], values
        if self._now_ms >= hold["expires_at_ms"]:
            return "late", values
        legs = ((asked.source, asked.minor), (asked.target, -asked.minor))
        # What it holds itself is not in its own way.
        self._pend(asked.source, asked.target, -hold["minor"])
        if not self._fit(legs):
            self._pend(asked.source, asked.target, hold["minor"])
            return "low", values
        hold["state"] = "posted" if asked.minor == hold["minor"] else "part_posted"
        hold["posted"] = asked.minor
        self._write("opening", legs)
        return "ok", values

    def _let_go(self, asked: LetGo, values: dict[str, str]) -> Said:
        hold = self.holds[asked.hold_id]
        pending = hold["state"] == "pending"
        if not pending and not asked.careless:
            return hold["state"], values
        if asked.expires and pending and self._now_ms < hold["expires_at_ms"]:
            return "early", values
        if not pending:
            return NOT_DONE
        hold["state"] = "expired" if asked.expires else "voided"
        self._pend(hold["source"], hold["target"], -hold["minor"])
        return "ok", values

    def _refund(self, asked: Refund, values: dict[str, str]) -> Said:
        original = self.journals[asked.journal_id]
        left = self._left(original)
        values["left"] = " ".join(str(left[account_id]) for account_id in asked.accounts)
        if original["reversed"]:
            return "reversed", values
        if -left[asked.payee] < asked.minor or left[asked.payer] < asked.minor:
            return "too_much", values
        legs = ((asked.payee, asked.minor), (asked.payer, -asked.minor))
        if not self._fit(legs):
            return "low", values
        self._write("refund", legs)
        for account_id, minor in legs:
            original["back"][account_id] = original["back"].get(account_id, 0) + minor
        self._unuse(asked.payer, asked.minor, asked.journal_id >> 30)
        return "ok", values

    def _reverse(self, asked: Reverse, values: dict[str, str]) -> Said:
        original = self.journals[asked.journal_id]
        left = self._left(original)
        values["left"] = " ".join(str(left[account_id]) for account_id in asked.accounts)
        if original["reversed"]:
            return NOT_DONE if asked.careless else ("taken_back", values)
        if any(original["back"].values()):
            return "taken_back", values
        legs = tuple((account_id, -minor) for account_id, minor in original["legs"])
        if not self._fit(legs):
            return NOT_DONE if asked.careless else ("low", values)
        self._write("reversal", legs)
        original["back"], original["reversed"] = dict(legs), True
        return "ok", values

    def _set_status(self, asked: SetStatus, values: dict[str, str]) -> Said:
        one = self.accounts[asked.account_id]
        empty = one["debits"] == one["credits"] and not (
            one["debits_pending"] or one["credits_pending"]
        )
        if asked.status == "closed" and not empty:
            return "not_empty", values
        one["status"] = asked.status
        return "ok", values | {"status": asked.status}

    def _fit(self, legs: tuple[tuple[int, int], ...]) -> bool:
        return all(self._fits(self.accounts[number], minor) for number, minor in legs)

    def _fits(self, one: Row, minor: int) -> bool:
        """The legs of one command are of different accounts."""
        grows = minor if one["side"] == 1 else -minor
        if grows < 0:
            least = self._spendable(one) + grows
            return one["status"] in _OUT and (one["floor"] is None or least >= one["floor"])
        coming = one["debits_pending"] if one["side"] == 1 else one["credits_pending"]
        most = self.balance(one) + coming + grows
        return one["status"] in _IN and (one["cap"] is None or most <= one["cap"])

    def _write(self, kind: str, legs: tuple[tuple[int, int], ...]) -> None:
        day = self._today
        number = self._issued.get(day, 0)
        self._issued[day] = number + 1
        entries = []
        for account_id, minor in legs:
            one = self.accounts[account_id]
            one["debits" if minor > 0 else "credits"] += abs(minor)
            one["seq"] += 1
            entries.append((account_id, minor, self.balance(one), one["seq"]))
        self.journals[day << 30 | number] = {
            "kind": kind,
            "legs": legs,
            "entries": entries,
            "back": {},
            "reversed": False,
        }

    def _pend(self, source: int, target: int, minor: int) -> None:
        self.accounts[source]["debits_pending"] += minor
        self.accounts[target]["credits_pending"] += minor

    def _use(self, account_id: int, minor: int) -> None:
        one = self.accounts[account_id]
        day, month = self._used(one)
        one |= {
            "used_on": self._today,
            "used_day": day + minor,
            "used_month": month + minor,
        }

    def _unuse(self, account_id: int, minor: int, spent_on: int) -> None:
        """It counts no more, where the day or the month that it was spent in still counts."""
        one = self.accounts[account_id]
        if one["used_on"] is None or _month(one["used_on"]) != _month(spent_on):
            return
        one["used_month"] = max(0, one["used_month"] - minor)
        if one["used_on"] == spent_on:
            one["used_day"] = max(0, one["used_day"] - minor)
        one["used_day"] = min(one["used_day"], one["used_month"])

    def _used(self, one: Row) -> tuple[int, int]:
        """Today, and in this month."""
        on, today = one["used_on"], self._today
        if on is None or _month(on) != _month(today):
            return 0, 0
        return (one["used_day"] if on == today else 0), one["used_month"]

    @property
    def _today(self) -> int:
        return (self._now_ms + _AHEAD_MS) // _DAY_MS

    @staticmethod
    def balance(one: Row) -> int:
        return int(one["side"] * (one["debits"] - one["credits"]))

    def _spendable(self, one: Row) -> int:
        going = one["credits_pending"] if one["side"] == 1 else one["debits_pending"]
        return self.balance(one) - int(going)

    def _left(self, original: Row) -> dict[int, int]:
        back = original["back"]
        return {number: minor + back.get(number, 0) for number, minor in original["legs"]}

    def _seen(self, account_ids: tuple[int, ...]) -> str:
        words = []
        for number in account_ids:
            one = self.accounts[number]
            day, month = self._used(one)
            words.append(
                f"{number} {self.balance(one)} {self._spendable(one)} {one['seq']} "
                f"{one['status']} {day} {month}"
            )
        return ", ".join(words)


def day_of(number: int) -> date:
    return date(1970, 1, 1) + timedelta(number)


def _month(number: int) -> tuple[int, int]:
    return day_of(number).year, day_of(number).month
