"""The texts of a pack on their way to a translator and back: `.po` files.

msgctxt  home.menu.options.1.text      where the text stands; as `menu diff` calls it
msgid    Send money                    in the first language of the pack
msgstr   Tuma pesa                     in the language of the file
"""

import re
from collections.abc import Iterator, Mapping

import polib

from ussd_gateway.ussd.tools import texts
from ussd_gateway.ussd.tools.texts import NotWritten, Place

_LANGUAGE = re.compile(r"[a-z]{2}")
_SLOT = re.compile(r"\{([^{}|]*)(?:\|([a-z]+)[^{}]*)?\}")


def exported(source: bytes, *, pack: str, language: str, septets: Mapping[str, str]) -> str:
    """The `.po` of a pack that loads. `septets`: what is told of the room on a screen, by the
    name of its state, or by `notices.` and the name of a notice. Raises NotWritten."""
    text = source.decode()
    first = texts.languages(text)[0]
    if not _LANGUAGE.fullmatch(language) or language == first:
        raise NotWritten([f"{language}: a language of two letters, and not {first}"])

    po = polib.POFile()
    po.metadata = {
        "Project-Id-Version": pack,
        "Language": language,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
    }
    for place in texts.places(text):
        english = place.said[first].text
        theirs = place.said.get(language)
        po.append(
            polib.POEntry(
                msgctxt=place.name,
                msgid=english,
                msgstr=theirs.text if theirs else "",
                comment="\n".join(_told(place.name, english, septets)),
            )
        )
    return f"{str(po).rstrip()}\n"


def imported(source: bytes, po_text: str) -> bytes:
    """The pack with the translations in it; a language that is new is added. Raises
    NotWritten with all that is wrong. Whether it still loads is for the loader to say."""
    text = source.decode()
    try:
        po = polib.pofile(po_text)
    except (OSError, ValueError) as error:
        raise NotWritten([f"no .po file: {error}"]) from None

    known = texts.languages(text)
    language, first = po.metadata.get("Language", ""), known[0]
    if not _LANGUAGE.fullmatch(language) or language == first:
        told = f"Language: {language or 'none'}: a language of two letters, and not {first}"
        raise NotWritten([told])
    places = {place.name: place for place in texts.places(text)}
    wrong = list(_wrong(po, places, first))
    entries = {str(entry.msgctxt): entry.msgstr.strip() for entry in po}
    if language not in known:
        wrong += [f"{name}: not in the file" for name in places if name not in entries]
    if wrong:
        raise NotWritten(wrong)
    return texts.rewritten(text, language, entries).encode()


def _told(name: str, english: str, septets: Mapping[str, str]) -> Iterator[str]:
    state = name if name.startswith("notices.") else name.partition(".")[0]
    if state in septets:
        yield f"{state}: {septets[state]}"
    slots = sorted({match[0] for match in _SLOT.finditer(english)})
    if slots:
        yield f"keep {', '.join(slots)}"


def _wrong(po: polib.POFile, places: Mapping[str, Place], first: str) -> Iterator[str]:
    seen: set[str] = set()
    for entry in po:
        name = str(entry.msgctxt)
        if entry.obsolete:
            yield f"{name}: obsolete: remove it, or export again"
        elif name not in places:
            yield f"{name}: the pack has no such text: export again"
        elif name in seen:
            yield f"{name}: twice"
        elif entry.msgid.strip() != places[name].said[first].text:
            yield f"{name}: its text was changed meanwhile: export again"
        elif entry.fuzzy or not entry.msgstr.strip():
            yield f"{name}: not translated"
        else:
            yield from _slots_wrong(name, entry.msgid, entry.msgstr)
        seen.add(name)


def _slots_wrong(name: str, english: str, translated: str) -> Iterator[str]:
    """The words of plural(...) are the language's own."""
    wanted, found = _slots(english), _slots(translated)
    for slot in sorted(wanted - found):
        yield f"{name}: {slot} is missing"
    for slot in sorted(found - wanted):
        yield f"{name}: {slot} is not in the text"


def _slots(text: str) -> set[str]:
    return {
        f"{{{match[1]}|{match[2]}}}" if match[2] else f"{{{match[1]}}}"
        for match in _SLOT.finditer(text)
    }
