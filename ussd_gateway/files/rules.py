"""Every rule that operators' files are held to: its code, why it is there, how to mend what
breaks it. `ussd-gateway menu lint --rules` prints this table; SARIF carries it.

Codes are never given to another rule. E is an error, W a warning; where a code is both, it
depends on how far it is broken.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """`reserved`: nothing breaks it, as the language has no place where that could be done."""

    code: str
    name: str
    why: str
    mend: str
    reserved: bool = False


_RULES = (
    # --- any file
    Rule(
        "E00", "strict-yaml",
        "A file is plain YAML: aliases, tags, control characters, depth and size surprise.",
        "Write each value out, in UTF-8, in one document.",
    ),
    Rule(
        "E01", "unknown-key",
        "A key or value that nothing reads is a slip: what was meant would not happen.",
        "Write what the advice names, or remove it.",
    ),
    Rule(
        "E02", "key-twice",
        "Of two equal keys only one could count, and readers would not see which.",
        "Keep one of them.",
    ),
    # --- packs: their states and the ways between them
    Rule(
        "E03", "one-kind",
        "A state is just one of menu, input, secret, list, call, decide, end.",
        "Make two states of it, or give it its kind.",
    ),
    Rule(
        "E04", "dangling-target",
        "A way that leads to no state, or to one that cannot be entered there, loses people.",
        "Name a state of this pack.",
    ),
    Rule(
        "W05", "unreachable",
        "A state that nothing leads to is never seen, and hides what was meant.",
        "Link it, or remove it.",
    ),
    Rule(
        "E06", "no-end",
        "A session that can come to no end is only ended by time.",
        "Lead the state on to an `end`.",
    ),
    Rule(
        "E07", "no-stop",
        "States that pass on without a screen, in a circle, would never answer the phone.",
        "Put a screen into the circle, or lead one of its ways out.",
    ),
    Rule(
        "E08", "missing-language",
        "Whoever chose a language is spoken to in it, on every screen and in every SMS.",
        "Write the text in every language of the file.",
    ),
    Rule(
        "E09", "unknown-name",
        "A name, filter or guard that is not known, or of another type, has nothing to show.",
        "Name a declared var, me.* or result.*, with a filter for its type.",
    ),
    Rule(
        "E10", "maybe-unset",
        "On some path the name is not set, or a lost session could not tell it.",
        "Set it on every path; after a secret use result.* only.",
    ),
    Rule(
        "E11", "too-long",
        "A text that is too long at its worst is cut, by the route or by the SMS's price.",
        "Shorten the text, or declare shorter values.",
    ),
    Rule(
        "E12", "forbidden-character",
        "A route does not carry this character: it would be shown as a space there.",
        "Write it in other words.",
    ),
    Rule(
        "W12", "not-gsm7",
        "What is not GSM-7 is shown in bare letters; a language that cannot be goes out as "
        "UCS-2, with half the room.",
        "Write it in letters of GSM-7, or know what it costs.",
    ),
    Rule(
        "E13", "key-clash",
        "One key would mean two things on one screen.",
        "Give each option a key of its own, apart from those that lead back, home or on.",
    ),
    Rule(
        "E14", "all-hidden",
        "A menu that hides every option leaves nothing to choose.",
        "Leave one option without `when`, or decide before the menu.",
    ),
    Rule(
        "E15", "slow-pattern",
        "A pattern that tries again and again holds up every phone. No field of the menu "
        "language takes a pattern.",
        "",
        reserved=True,
    ),
    Rule(
        "E16", "outcomes",
        "Each outcome that an action declares happens one day, and has to lead somewhere.",
        "Say where each outcome leads, and name no other; end a `decide` without `when`.",
    ),
    Rule(
        "E17", "timeout-outcome",
        "An action may not answer in time; of money it may then not be known whether it moved.",
        "Say where `timeout` leads, and of money `unknown`.",
    ),
    Rule(
        "E18", "money-without-secret",
        "Money moves on a PIN that is typed for just that, and then the session ends.",
        "Ask in a `secret`, and lead its outcomes to an `end`.",
    ),
    Rule(
        "E19", "secret-shown",
        "What is typed in secret is shown and kept nowhere.",
        "Remove it from the text.",
    ),
    Rule(
        "E20", "save-undeclared",
        "What is kept needs a declared place, of a type that fits what comes.",
        "Declare it under `vars`.",
    ),
    Rule(
        "E21", "shortcut",
        "A dialled string lands before any secret, in a state that is there.",
        "Lead it to a state that is reached before any secret.",
    ),
    Rule(
        "E22", "too-slow",
        "All that one answer waits for has to fit what the route waits for a screen.",
        "Shorten `within`, or put a screen between the calls.",
    ),
    Rule(
        "E23", "no-way-out",
        "A screen that leads neither back nor home, and asks for good input for ever, holds "
        "people.",
        "Say `retries`, or leave the ways back and home.",
    ),
    Rule(
        "E24", "list-source",
        "A list runs again on the way back: its action only reads, and gives rows.",
        "Take the rows from a read action that gives some.",
    ),
    Rule(
        "E25", "digit-named",
        "A text that names a digit which is no option there misleads whoever follows it.",
        "Name a digit of that screen, or none.",
    ),
    Rule(
        "W26", "state-removed",
        "Sessions stand at states, and carry vars, that the new version does not have.",
        "Say under `map` what takes the place of a state; give a var of a new type a new name.",
    ),
    Rule(
        "W27", "too-many-hops",
        "Reading and typing take time: the route's session would be over before this end.",
        "Ask for less on the way, or let a shortcut lead there.",
    ),
    Rule(
        "E28", "secret-in-input",
        "An `input` is kept and shown: a PIN or a code typed there would be, too.",
        "Ask for it in a `secret`.",
    ),
    Rule(
        "W29", "many-options",
        "More than 5 options are hard to hold in the head, and to read on a small screen.",
        "Put what belongs together into a menu of its own.",
    ),
    Rule(
        "E29", "too-many-options",
        "A menu of more than 7 options is given up.",
        "Put what belongs together into a menu of its own.",
    ),
    Rule(
        "W30", "deep",
        "Behind more than 3 menus few find what they look for, within the session's time.",
        "Move it up, or merge two menus.",
    ),
    Rule(
        "E30", "too-deep",
        "Behind more than 4 menus nobody finds it.",
        "Move it up, or merge two menus.",
    ),
    Rule(
        "W31", "near-duplicate",
        "Two options that read almost alike are taken for each other.",
        "Say in each what it alone does.",
    ),
    Rule(
        "E32", "currency",
        "An amount is shown with its currency, just once, and with no other beside it.",
        "Show amounts as {amount|money}, and write no currency beside them.",
    ),
    Rule(
        "W33", "digit-reused",
        "People know digits by heart: one that leads elsewhere now sends them there unasked.",
        "Give what is new a key of its own.",
    ),
    # --- tariffs, limits, what is on offer
    Rule(
        "E40", "columns",
        "A row is read by its columns: one too many or too few, and amounts shift.",
        "Write just these columns; put what has a comma in quotes.",
    ),
    Rule(
        "E41", "tariff-head",
        "A tariff says which service it is for, in which currency, from which day, what of a "
        "fee is tax, and what of a commission is the head office's.",
        "Write tariff, service, currency, from and tax_percent in each row, and "
        "head_office_percent where it is a commission's, nowhere else.",
    ),
    Rule(
        "E42", "tariff-band",
        "Each amount falls into one band, and into one only.",
        "Let each band begin one minor unit above the one before.",
    ),
    Rule(
        "E43", "tariff-of-service",
        "On any day a service works by one tariff, neither none nor two, each with one date; "
        "its parts have a band for all that it takes; and what is free costs nothing.",
        "Give each service one tariff that is in force today, and no two the same `from`; "
        "write that date alike in all rows of a tariff.",
    ),
    Rule(
        "E44", "amount",
        "An amount that cannot be read would be taken for another.",
        "Write it as 250000.00, without commas.",
    ),
    Rule(
        "E45", "offer",
        "What is on offer has a code of its own, the number of its merchant, and a name.",
        "Write code, merchant, name, currency and price in each row.",
    ),
    Rule(
        "E46", "open-top",
        "Bands that never end would price an amount that nobody thought of.",
        "Write the highest amount of each band; what is above the last is refused.",
    ),
    Rule(
        "E47", "nothing-left",
        "What is kept of a payment leaves its payee something.",
        "Lower the fee, or let the band begin at a greater amount.",
    ),
    Rule(
        "W47", "fee-over-amount",
        "Whoever pays the least of this band would pay more for it than it is worth.",
        "Lower the fee, or let the service begin at a greater amount.",
    ),
    Rule(
        "W48", "fee-falls",
        "Where a greater amount costs less, people pay more than they mean to; agents split.",
        "Let fees and commissions rise with the amount, or stay.",
    ),
    Rule(
        "W49", "tariff-narrower",
        "From its first day a tariff alone counts: what the one before it took is refused.",
        "Begin as low and end as high as before, or know what is left out.",
    ),
    Rule(
        "E50", "limits-order",
        "A day that is less than one payment, or a tier that has less than the one below, "
        "stops people where nobody meant to.",
        "Let each wider span, and each higher tier, have as much or more.",
    ),
    Rule(
        "W51", "limit-beyond-tariff",
        "What a tier may pay at once and no band prices is refused after all.",
        "Let the last band end at the limit or above, or lower the limit.",
    ),
    # --- who carries SMS
    Rule(
        "E52", "sms-route",
        "Whoever has a number that no provider carries is never told of their money.",
        "Lead every beginning, and + for all others, to providers of this file, each once.",
    ),
)  # fmt: skip

RULES: Mapping[str, Rule] = {rule.code: rule for rule in _RULES}
assert len(RULES) == len(_RULES), "a code has one rule"
