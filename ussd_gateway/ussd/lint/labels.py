"""What a person has to choose from: W29 and E29, too much; W31, what is taken for another."""

import re
import unicodedata
from itertools import combinations

from ussd_gateway.files.faults import Faults
from ussd_gateway.ussd.menu import Menu, Program, Text

options_warned_above = 5
options_max = 7

# Words this short differ in one letter as a rule: Toa, Tuma.
short_word_max = 4

_BESIDE_WORDS = re.compile(r"[^\w]+")


def check(program: Program, faults: Faults) -> None:
    for name, state in program.states.items():
        if isinstance(state, Menu):
            _check_count(name, state, faults)
            for language in program.languages:
                _check_alike(name, state, language, faults)


def _check_count(name: str, state: Menu, faults: Faults) -> None:
    """Options that exclude each other by their guards count: who edits the one sees all."""
    count = len(state.options)
    if count <= options_warned_above:
        return
    most, code = options_warned_above, "W29"
    if count > options_max:
        most, code = options_max, "E29"
    line = list(state.options.values())[most].line
    faults.add(code, line, f"{name} has {count} options", f"at most {most}: make two menus")


def _check_alike(name: str, state: Menu, language: str, faults: Faults) -> None:
    labels = [(key, _words(option.text, language)) for key, option in state.options.items()]
    for (key, words), (other, others) in combinations(labels, 2):
        if _alike(words, others):
            line = state.options[other].text.line_in(language)
            found = f"{key} and {other} of {name} in {language}"
            faults.add("W31", line, found, "they read almost alike: say what each alone does")


def _words(text: Text, language: str) -> list[str]:
    """As the eye takes them: without case, accents, spaces and signs. A slot is one word."""
    written = "".join(
        part if isinstance(part, str) else f" {part.name.replace('.', '_')} "
        for part in text.parts[language]
    )
    bare = unicodedata.normalize("NFKD", written.casefold())
    bare = "".join(char for char in bare if not unicodedata.combining(char))
    return _BESIDE_WORDS.sub(" ", bare).split()


def _alike(words: list[str], others: list[str]) -> bool:
    if "".join(words) == "".join(others):
        return True
    if len(words) != len(others):
        return False
    pairs = [pair for pair in zip(words, others, strict=True) if pair[0] != pair[1]]
    return len(pairs) == 1 and _one_slip(*pairs[0])


def _one_slip(word: str, other: str) -> bool:
    """Whether one letter more, less or another makes long words of each other. Numbers differ
    in a digit, and mean it."""
    if any(char.isdigit() for char in word + other):
        return False
    short, long = sorted((word, other), key=len)
    if len(long) <= short_word_max or len(long) - len(short) > 1:
        return False
    same = 0
    while same < len(short) and short[same] == long[same]:
        same += 1
    if len(short) == len(long):
        return short[same + 1 :] == long[same + 1 :]
    return short[same:] == long[same + 1 :]
