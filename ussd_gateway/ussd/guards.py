"""Guards: the tiny language in which menus ask yes or no, `to != me.msisdn`.

Names, literals, == != < <= > >=, in, and/or/not, and + - on money; no calls, no attributes, no
indexing. A guard is parsed as Python's grammar reads it, each node is looked up in a closed
list, its types are checked, and what comes out are plain closures. It is total: a comparison
with a value that is not there, or of two currencies, is false, and nothing is raised.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ussd_gateway.domain.money import Money
from ussd_gateway.files import fields
from ussd_gateway.files.faults import Faults
from ussd_gateway.ports import Scalar, VarType
from ussd_gateway.ussd.menu import Guard, Vars

length_max = 200
depth_max = 8

_Read = Callable[[Vars], Scalar | None]

_COMPARE: Mapping[type[ast.cmpop], Callable[[Scalar, Scalar], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}
_ORDERED = frozenset({"money", "count"})
# A literal text may stand beside any of these; two variables must be of one kind.
_TEXTUAL = frozenset({"text", "digits", "msisdn", "id"})


def parse(
    source: str, *, line: int, scope: Mapping[str, VarType], faults: Faults
) -> Guard | None:
    """The guard, or None and a fault (E09)."""
    try:
        if len(source) > length_max:
            raise _Refused(f"{len(source)} characters", f"write at most {length_max}")
        tree = ast.parse(source.strip(), mode="eval")
        names: set[str] = set()
        typed = _compile(tree.body, scope, names, 0)
        _need(typed, "bool", source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        faults.add("E09", line, repr(source), "write a guard such as `to != me.msisdn`")
        return None
    except _Refused as refused:
        faults.add("E09", line, refused.found, refused.advice)
        return None

    read = typed.read
    return Guard(line, frozenset(names), lambda values: read(values) is True)


class _Refused(Exception):
    def __init__(self, found: str, advice: str) -> None:
        super().__init__(found)
        self.found = found
        self.advice = advice


@dataclass(frozen=True, slots=True)
class _Typed:
    kind: str
    read: _Read
    literal: bool = False


def _compile(
    node: ast.expr, scope: Mapping[str, VarType], names: set[str], depth: int
) -> _Typed:
    if depth > depth_max:
        raise _Refused("too deep a guard", "say it in simpler steps")

    def inner(child: ast.expr) -> _Typed:
        return _compile(child, scope, names, depth + 1)

    match node:
        case ast.Name() | ast.Attribute():
            return _name(node, scope, names)
        case ast.Constant(value):
            return _literal(value)
        case ast.BoolOp(op, values):
            return _boolean(op, [inner(value) for value in values])
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            read = _need(inner(operand), "bool", "not").read
            return _Typed("bool", lambda known: read(known) is not True)
        case ast.BinOp(left, op, right) if isinstance(op, ast.Add | ast.Sub):
            return _sum(op, inner(left), inner(right))
        case ast.Compare(left, [ast.In()], [ast.Tuple(items) | ast.List(items)]):
            return _membership(inner(left), [inner(item) for item in items])
        case ast.Compare(left, [op], [right]) if type(op) in _COMPARE:
            return _comparison(op, inner(left), inner(right))
        case _:
            raise _Refused(
                f"`{ast.unparse(node)}`", "a guard has names, literals and operators"
            )


def _name(
    node: ast.Name | ast.Attribute, scope: Mapping[str, VarType], names: set[str]
) -> _Typed:
    name = ast.unparse(node)
    if name in ("true", "false"):
        raise _Refused(name, f"write {name.capitalize()}")
    if name not in scope:
        advice = fields.meant(name, scope) or "name a declared var, me.* or result.*"
        raise _Refused(name, advice)

    names.add(name)
    return _Typed(scope[name].kind, lambda known: known.get(name))


def _literal(value: object) -> _Typed:
    match value:
        case bool():
            return _Typed("bool", lambda _: value, literal=True)
        case int():
            return _Typed("count", lambda _: value, literal=True)
        case str():
            return _Typed("text", lambda _: value, literal=True)
        case _:
            raise _Refused(repr(value), "literals are texts, whole numbers, True and False")


def _boolean(op: ast.boolop, parts: list[_Typed]) -> _Typed:
    reads = [_need(part, "bool", "and/or").read for part in parts]
    if isinstance(op, ast.And):
        return _Typed("bool", lambda known: all(read(known) is True for read in reads))
    return _Typed("bool", lambda known: any(read(known) is True for read in reads))


def _sum(op: ast.operator, left: _Typed, right: _Typed) -> _Typed:
    a, b = _need(left, "money", "+ and -").read, _need(right, "money", "+ and -").read
    adds = isinstance(op, ast.Add)

    def add(known: Vars) -> Scalar | None:
        x, y = a(known), b(known)
        if not (isinstance(x, Money) and isinstance(y, Money) and x.currency == y.currency):
            return None
        return x + y if adds else x - y

    return _Typed("money", add)


def _membership(left: _Typed, items: list[_Typed]) -> _Typed:
    for item in items:
        _alike(left, item)
        if not item.literal:
            raise _Refused("`in`", "name the values themselves, such as ('en', 'sw')")
    read, allowed = left.read, frozenset(item.read({}) for item in items)
    return _Typed("bool", lambda known: read(known) in allowed)


def _comparison(op: ast.cmpop, left: _Typed, right: _Typed) -> _Typed:
    _alike(left, right)
    if not isinstance(op, ast.Eq | ast.NotEq) and left.kind not in _ORDERED:
        raise _Refused(f"{left.kind} has no order", "compare it by == or !=")
    a, b, compare = left.read, right.read, _COMPARE[type(op)]

    def holds(known: Vars) -> bool:
        x, y = a(known), b(known)
        if x is None or y is None:
            return False
        if isinstance(x, Money) and isinstance(y, Money) and x.currency != y.currency:
            return False
        return compare(x, y)

    return _Typed("bool", holds)


def _alike(left: _Typed, right: _Typed) -> None:
    if left.kind == right.kind:
        return
    if (left.literal or right.literal) and {left.kind, right.kind} <= _TEXTUAL:
        return
    raise _Refused(f"{left.kind} beside {right.kind}", "compare values of one type")


def _need(typed: _Typed, kind: str, where: str) -> _Typed:
    if typed.kind != kind:
        raise _Refused(f"{where}: {typed.kind}", f"a {kind} belongs here")
    return typed
