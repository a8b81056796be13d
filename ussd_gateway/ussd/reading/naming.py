"""Names that operators give: of packs, states, vars and fields, all by one pattern.

A pack's name also names its file and its versions, and so can be no path.
"""

import keyword
import re

from ussd_gateway.files import fields
from ussd_gateway.files.faults import Faults
from ussd_gateway.files.strict_yaml import Leaf, Node
from ussd_gateway.ussd.render import SECRETS

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_RESERVED = SECRETS | {"me", "result", "row", "again", "end"}


def check_name(key: Leaf, faults: Faults) -> bool:
    if key.text in _RESERVED or keyword.iskeyword(key.text):
        faults.add("E01", key.line, key.text, "this name is taken; choose another")
        return False
    return _is_plain(key, faults)


def pack_name(node: Node | None, faults: Faults) -> str:
    text = fields.word(node, faults, where="pack")
    if node is not None and text:
        _is_plain(Leaf(text, node.line), faults)
    return text


def _is_plain(key: Leaf, faults: Faults) -> bool:
    if _NAME.fullmatch(key.text):
        return True
    faults.add("E01", key.line, key.text, "names are of a-z, 0-9 and _, and begin with a-z")
    return False
