"""JSON without its ambiguities: RFC 8259 with the restrictions of I-JSON (RFC 7493), and limits.

The usual parsers take the last of two equal names, read `NaN`, read UTF-16, and build integers of four thousand
digits; each of these lets two readers of one body see different documents.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import Any, Final

from gateway.api.limits import Limits
from gateway.api.problems import malformed
from gateway.errors import Problem

_ESCAPE: Final = re.compile(rb"\\.", re.DOTALL)
_STRING: Final = re.compile(rb'"[^"]*"')
_ONE_KIND_OF_BRACKET: Final = bytes.maketrans(b"{}", b"[]")
_ALL_BUT_STRUCTURE: Final = bytes(byte for byte in range(256) if byte not in b'[]{}"')
_REMEDY: Final = "Send one JSON object in UTF-8 (RFC 8259), with unique member names."


def parse_object(raw: bytes, limits: Limits) -> dict[str, Any]:
    """The object that `raw` holds. Raises the problem `invalid-request`."""
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _refused(f"the body is not UTF-8 at byte {error.start}") from error
    if not text.strip():
        raise _refused("the body is empty")
    if is_deeper(raw, limits.depth):
        raise _refused(f"the body is nested deeper than {limits.depth} levels")
    try:
        value = _decoder(limits).decode(text)
    except json.JSONDecodeError as error:
        raise _refused(f"the body is not JSON at line {error.lineno}, column {error.colno}") from error
    except RecursionError as error:
        raise _refused(f"the body is nested deeper than {limits.depth} levels") from error
    if not isinstance(value, dict):
        raise _refused("the body is not a JSON object")
    if len(raw) > min(limits.text, limits.items):  # what is shorter than every limit on its parts needs no look at them
        _refuse_large(value, "", limits)
    if "\\u0000" in text:
        _refuse_nul(value, "")
    return value


def is_deeper(raw: bytes, depth: int) -> bool:
    """Whether brackets outside strings nest deeper than `depth`. A few passes in C, whatever the body holds."""
    if raw.count(b"{") + raw.count(b"[") <= depth:
        return False
    if b"\\" in raw:
        raw = _ESCAPE.sub(b"", raw)
    brackets = raw.translate(None, _ALL_BUT_STRUCTURE)
    brackets = _STRING.sub(b"", brackets).translate(_ONE_KIND_OF_BRACKET, b'"')
    # Each round takes away the innermost level. What cannot be taken away is unbalanced: for the parser to refuse.
    for _ in range(depth):
        shorter = brackets.replace(b"[]", b"")
        if len(shorter) == len(brackets):
            break
        brackets = shorter
    return b"[]" in brackets or brackets.count(b"[") > depth


@lru_cache(16)
def _decoder(limits: Limits) -> json.JSONDecoder:
    """The standard parser with hooks for what it would let pass; made once, for a batch has as many bodies as lines."""

    def number(kind: type) -> Any:
        def read(digits: str) -> Any:
            if len(digits) > limits.digits:
                raise _refused(f"a number has more than {limits.digits} characters")
            return kind(digits)

        return read

    def constant(name: str) -> None:
        raise _refused(f"{name} is not JSON")

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise _duplicate(pairs)
        return found

    return json.JSONDecoder(
        object_pairs_hook=members, parse_int=number(int), parse_float=number(float), parse_constant=constant
    )


def _refuse_large(value: object, where: str, limits: Limits) -> None:
    if isinstance(value, str):
        if len(value) > limits.text:
            raise _refused(f"the text is longer than {limits.text} characters", where)
    elif isinstance(value, dict):
        if len(value) > limits.items:
            raise _refused(f"an object has more than {limits.items} members", where)
        for name, one in value.items():
            if len(name) > limits.text:
                raise _refused("a member name is too long", _below(where, name))
            _refuse_large(one, _below(where, name), limits)
    elif isinstance(value, list):
        if len(value) > limits.items:
            raise _refused(f"the list is longer than {limits.items}", where)
        for index, one in enumerate(value):
            _refuse_large(one, f"{where}[{index}]", limits)


def _below(where: str, name: str) -> str:
    """The path of a member; a name that the caller invented is shortened."""
    return f"{where}.{name[:64]}" if where else name[:64]


def _duplicate(pairs: list[tuple[str, Any]]) -> Problem:
    seen: set[str] = set()
    for name, _ in pairs:
        if name in seen:
            return _refused("the member is given twice in one object", name[:64])
        seen.add(name)
    raise AssertionError("no duplicate among the pairs")


def _refuse_nul(value: object, where: str) -> None:
    """U+0000 ends a text in many systems behind us, and PostgreSQL does not store it."""
    if isinstance(value, str) and "\x00" in value:
        raise _refused("the text holds the character U+0000", where)
    if isinstance(value, dict):
        for name, one in value.items():
            _refuse_nul(name, where)
            _refuse_nul(one, _below(where, name))
    elif isinstance(value, list):
        for index, one in enumerate(value):
            _refuse_nul(one, f"{where}[{index}]")


def _refused(message: str, field: str = "") -> Problem:
    return malformed(field, message, _REMEDY)
