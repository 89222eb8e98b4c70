"""A validator of the part of JSON Schema 2020-12 that the contract uses; it refuses any other keyword.

`nullable` is OpenAPI 3.0's.

Source: https://json-schema.org/draft/2020-12/json-schema-validation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime
from typing import Any

_TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "boolean": bool,
    "null": type(None),
}
_ANNOTATIONS = {
    "$schema",
    "$id",
    "$defs",
    "description",
    "title",
    "default",
    "examples",
    "example",
    "nullable",
    "x-data-class",
}


class Validator:
    """`root`: the document in which references are followed."""

    def __init__(self, root: dict[str, Any]) -> None:
        self._root = root

    def complaints(self, value: Any, schema: dict[str, Any] | None = None, where: str = "$") -> list[str]:
        """Everything that is wrong with a value."""
        return list(self._check(value, self._root if schema is None else schema, where))

    def _check(self, value: Any, schema: dict[str, Any], where: str) -> Iterator[str]:
        if value is None and schema.get("nullable") is True:
            return
        for key, wanted in schema.items():
            if key in _ANNOTATIONS or key in {"then", "else"}:
                continue
            check = getattr(self, "_" + key.lstrip("$").lower(), None)
            if check is None:
                raise NotImplementedError(f"{where}: the keyword {key}")
            yield from check(value, wanted, schema, where)

    def _ref(self, value: Any, wanted: str, _: Any, where: str) -> Iterator[str]:
        target: Any = self._root
        for part in wanted.removeprefix("#/").split("/"):
            target = target[part]
        yield from self._check(value, target, where)

    def _type(self, value: Any, wanted: Any, _: Any, where: str) -> Iterator[str]:
        for name in wanted if isinstance(wanted, list) else [wanted]:
            if name == "integer":
                if isinstance(value, int) and not isinstance(value, bool):
                    return
            elif isinstance(value, _TYPES[name]):
                return
        yield f"{where}: {value!r} is no {wanted}"

    def _const(self, value: Any, wanted: Any, _: Any, where: str) -> Iterator[str]:
        if value != wanted:
            yield f"{where}: {value!r} is not {wanted!r}"

    def _enum(self, value: Any, wanted: list[Any], _: Any, where: str) -> Iterator[str]:
        if value not in wanted:
            yield f"{where}: {value!r} is none of {wanted}"

    def _pattern(self, value: Any, wanted: str, _: Any, where: str) -> Iterator[str]:
        # `$` of JSON Schema is the very end, as in ECMA 262; Python's lets a line feed follow.
        if isinstance(value, str) and (not re.search(wanted, value) or value.endswith("\n")):
            yield f"{where}: {value!r} does not match {wanted}"

    def _format(self, value: Any, wanted: str, _: Any, where: str) -> Iterator[str]:
        read = {"date": date.fromisoformat, "date-time": datetime.fromisoformat}[wanted]
        if not isinstance(value, str):
            return
        try:
            read(value)
        except ValueError:
            yield f"{where}: {value!r} is no {wanted}"

    def _minlength(self, value: Any, wanted: int, _: Any, where: str) -> Iterator[str]:
        if isinstance(value, str) and len(value) < wanted:
            yield f"{where}: shorter than {wanted}"

    def _maxlength(self, value: Any, wanted: int, _: Any, where: str) -> Iterator[str]:
        if isinstance(value, str) and len(value) > wanted:
            yield f"{where}: longer than {wanted}"

    def _minimum(self, value: Any, wanted: int, _: Any, where: str) -> Iterator[str]:
        if isinstance(value, int) and value < wanted:
            yield f"{where}: below {wanted}"

    def _maximum(self, value: Any, wanted: int, _: Any, where: str) -> Iterator[str]:
        if isinstance(value, int) and value > wanted:
            yield f"{where}: above {wanted}"

    def _minitems(self, value: Any, wanted: int, _: Any, where: str) -> Iterator[str]:
        if isinstance(value, list) and len(value) < wanted:
            yield f"{where}: fewer than {wanted}"

    def _maxitems(self, value: Any, wanted: int, _: Any, where: str) -> Iterator[str]:
        if isinstance(value, list) and len(value) > wanted:
            yield f"{where}: more than {wanted}"

    def _required(self, value: Any, wanted: list[str], _: Any, where: str) -> Iterator[str]:
        if isinstance(value, dict):
            yield from (f"{where}: {name} is missing" for name in wanted if name not in value)

    def _properties(self, value: Any, wanted: dict[str, Any], _: Any, where: str) -> Iterator[str]:
        if isinstance(value, dict):
            for name, schema in wanted.items():
                if name in value:
                    yield from self._check(value[name], schema, f"{where}.{name}")

    def _additionalproperties(self, value: Any, wanted: Any, schema: Any, where: str) -> Iterator[str]:
        others = [name for name in value if name not in schema.get("properties", {})] if isinstance(value, dict) else []
        if wanted is False:
            yield from (f"{where}: {name} is unknown" for name in others)
        elif isinstance(wanted, dict):
            for name in others:
                yield from self._check(value[name], wanted, f"{where}.{name}")

    def _propertynames(self, value: Any, wanted: dict[str, Any], _: Any, where: str) -> Iterator[str]:
        if isinstance(value, dict):
            for name in value:
                yield from self._check(name, wanted, f"{where} (name)")

    def _items(self, value: Any, wanted: dict[str, Any], _: Any, where: str) -> Iterator[str]:
        if isinstance(value, list):
            for number, one in enumerate(value):
                yield from self._check(one, wanted, f"{where}[{number}]")

    def _allof(self, value: Any, wanted: list[Any], _: Any, where: str) -> Iterator[str]:
        for schema in wanted:
            yield from self._check(value, schema, where)

    def _anyof(self, value: Any, wanted: list[Any], _: Any, where: str) -> Iterator[str]:
        tried = [list(self._check(value, schema, where)) for schema in wanted]
        if all(tried):
            yield f"{where}: no alternative fits: {tried[0]}"

    def _if(self, value: Any, wanted: dict[str, Any], schema: Any, where: str) -> Iterator[str]:
        branch = "else" if list(self._check(value, wanted, where)) else "then"
        yield from self._check(value, schema.get(branch, {}), where)
