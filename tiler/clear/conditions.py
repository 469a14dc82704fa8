"""Conditions, order and pages over what is only known once the masks are read."""

import base64
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cmp_to_key
from typing import Any, Protocol, TypeVar

import orjson

from tiler.errors import QuestionError

PREFIX = "aoi:"
Condition = Callable[["Valued"], bool]

_COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "=": operator.eq,
    "<>": operator.ne,
}
_MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<="}
_DEEPEST = 20


class Valued(Protocol):
    """Something with properties."""

    def value(self, name: str) -> Any:  # noqa: ANN401 - JSON
        """Give a property, or ``None``."""


Row = TypeVar("Row", bound=Valued)


def split(filter_: Mapping[str, Any] | None) -> tuple[dict[str, Any] | None, Condition | None]:
    """Divide a CQL2 filter into what the database answers and what the masks do.

    Returns:
        CQL2 without ``aoi:`` properties, and a condition on them; ``None`` for what is not there.

    Raises:
        QuestionError: Both are mixed other than by ``and``, or ``aoi:`` stands where only a
            comparison with a number can be answered.
    """
    if filter_ is None:
        return None, None
    terms = list(_terms(filter_))
    stored = [term for term in terms if not _names_own(term, 0)]
    own = [_condition(term, 0) for term in terms if _names_own(term, 0)]
    if len(stored) == len(terms):
        return dict(filter_), None
    database = {"op": "and", "args": stored} if len(stored) > 1 else (stored or [None])[0]
    return database, lambda row: all(condition(row) for condition in own)


def _terms(node: Mapping[str, Any]) -> list[Any]:
    if node.get("op") == "and" and isinstance(node.get("args"), list):
        return (
            [term for each in node["args"] for term in _terms(each)]
            if all(isinstance(each, Mapping) for each in node["args"])
            else [node]
        )
    return [node]


def _names_own(node: object, depth: int) -> bool:
    if depth > _DEEPEST:
        raise QuestionError(f"filter is nested deeper than {_DEEPEST} levels")
    if isinstance(node, Mapping):
        return _own_name(node) is not None or any(
            _names_own(each, depth + 1) for each in node.values()
        )
    return isinstance(node, list) and any(_names_own(each, depth + 1) for each in node)


def _own_name(node: object) -> str | None:
    name = node.get("property") if isinstance(node, Mapping) else None
    if not isinstance(name, str):
        return None
    name = name.removeprefix("properties.")
    return name if name.startswith(PREFIX) else None


def _condition(node: Mapping[str, Any], depth: int) -> Condition:
    op, args = str(node.get("op")), node.get("args")
    if not isinstance(args, list):
        raise QuestionError("filter: wanted CQL2 JSON, an op with its args")
    if op in {"and", "or", "not"} and all(isinstance(each, Mapping) for each in args):
        parts = [_condition(each, depth + 1) for each in args]
        if op == "not":
            return lambda row: not parts[0](row)
        quantifier = all if op == "and" else any
        return lambda row: quantifier(part(row) for part in parts)
    if op == "between" and len(args) == 3:  # noqa: PLR2004 - a value and two bounds
        return _within(_property(args[0]), _number(args[1]), _number(args[2]))
    if op == "isNull" and len(args) == 1:
        name = _property(args[0])
        return lambda row: row.value(name) is None
    if op in _COMPARISONS and len(args) == 2:  # noqa: PLR2004 - it compares two
        if _own_name(args[0]) is None:
            op, args = _MIRRORED.get(op, op), args[::-1]
        return _compared(_COMPARISONS[op], _property(args[0]), _number(args[1]))
    raise QuestionError(
        f"filter: {op!r} cannot be answered with {PREFIX} properties; wanted a comparison with a"
        " number, between or isNull, and by and, or, not nothing but those"
    )


def _compared(compare: Callable[[Any, Any], bool], name: str, number: float) -> Condition:
    def holds(row: Valued) -> bool:
        value = row.value(name)
        return value is not None and compare(value, number)

    return holds


def _within(name: str, low: float, high: float) -> Condition:
    def holds(row: Valued) -> bool:
        value = row.value(name)
        return value is not None and low <= value <= high

    return holds


def _property(node: object) -> str:
    name = _own_name(node)
    if name is None:
        raise QuestionError(
            f"filter: {PREFIX} properties can be joined with others by and, no other way"
        )
    return name


def _number(node: object) -> float:
    if isinstance(node, bool) or not isinstance(node, int | float):
        raise QuestionError(f"filter: {PREFIX} properties are compared with numbers, not {node!r}")
    return node


@dataclass(frozen=True, slots=True)
class Order:
    """An order of rows; rows without a value come last either way."""

    fields: tuple[tuple[str, bool], ...]
    """Properties, each with whether it descends."""

    def key(self, row: Valued) -> list[Any]:
        """Give the values that a row is ordered by."""
        return [row.value(name) for name, _ in self.fields]

    def page(
        self, rows: Sequence[Row], token: str | None, limit: int
    ) -> tuple[list[Row], str | None]:
        """Order rows and give those after a token, with the token of the next page.

        The token holds the values of the last row, so that a product that arrives between two
        pages shifts nothing.

        Raises:
            QuestionError: The token is none.
        """

        def by_key(one: tuple[list[Any], Row], other: tuple[list[Any], Row]) -> int:
            return self._compare(one[0], other[0])

        keyed = sorted(((self.key(row), row) for row in rows), key=cmp_to_key(by_key))
        if token is not None:
            last = _read_token(token, len(self.fields))
            try:
                keyed = [(key, row) for key, row in keyed if self._compare(key, last) > 0]
            except TypeError as error:
                raise QuestionError("token belongs to another question") from error
        page = keyed[:limit]
        more = len(keyed) > limit
        return [row for _, row in page], _write_token(page[-1][0]) if more else None

    def _compare(self, mine: Sequence[Any], other: Sequence[Any]) -> int:
        for (_, descends), a, b in zip(self.fields, mine, other, strict=True):
            if a == b:
                continue
            if a is None or b is None:
                return 1 if a is None else -1
            greater = a > b if isinstance(a, str) == isinstance(b, str) else str(a) > str(b)
            return 1 if greater != descends else -1
        return 0


def _write_token(values: Sequence[Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(values)).decode().rstrip("=")


def _read_token(token: str, length: int) -> list[Any]:
    try:
        values = orjson.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except ValueError as error:
        raise QuestionError("token is none that was given with a next link") from error
    if not isinstance(values, list) or len(values) != length:
        raise QuestionError("token belongs to another question")
    return values
