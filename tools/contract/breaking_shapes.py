"""What breaks a caller when a schema changes.

A request may only grow wider, an answer only narrower, except that both may gain members: callers ignore members that
they do not know. A value more in an answer's enumeration is a break all the same: generated clients refuse it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from tools.contract.reading import COMPOSITION, SCHEMAS, Document, Finding, named_schemas, target

Direction = Literal["request", "answer"]

_UPPER: Final = ("maxLength", "maximum", "exclusiveMaximum", "maxItems", "maxProperties")
_LOWER: Final = ("minLength", "minimum", "exclusiveMinimum", "minItems", "minProperties")


@dataclass(slots=True)
class Shapes:
    """Compares schemas of two documents; a pair of named schemas is compared once for each direction."""

    before: Document
    after: Document
    _seen: set[tuple[str, str, Direction]] = field(default_factory=set)

    def compare(
        self, where: str, before: dict[str, Any], after: dict[str, Any], direction: Direction
    ) -> Iterator[Finding]:
        """Every break between two schemas and all inside them."""
        old, new = _Shape.of(self.before, before), _Shape.of(self.after, after)
        yield from _uses(where, old, new, direction)
        if old.name and new.name:
            if (old.name, new.name, direction) in self._seen:
                return
            self._seen.add((old.name, new.name, direction))
            where = f"{old.name} ({direction})"
        yield from _types(where, old, new)
        yield from _values(where, old, new, direction)
        yield from _forms(where, old, new)
        yield from _limits(where, old, new, direction)
        yield from self._members(where, old.schema, new.schema, direction)
        if "items" in old.schema and isinstance(new.schema.get("items"), dict):
            yield from self.compare(f"{where}[]", old.schema["items"], new.schema["items"], direction)
        if len(old.union) != len(new.union):
            yield Finding("type-changed", where, "the alternatives of a union changed")
        for one, other in zip(old.union, new.union, strict=False):
            yield from self.compare(f"{where}|", one, other, direction)

    def _members(self, where: str, old: dict[str, Any], new: dict[str, Any], direction: Direction) -> Iterator[Finding]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name, schema in before.items():
            if name not in after:
                yield Finding("property-removed", f"{where}.{name}", "is gone, or has another name")
            else:
                yield from self.compare(f"{where}.{name}", schema, after[name], direction)
        was, now = set(old.get("required", ())), set(new.get("required", ()))
        if direction == "request":
            for name in sorted(now - was):
                yield Finding("member-required", f"{where}.{name}", "is required of requests now")
            if old.get("additionalProperties") is not False and new.get("additionalProperties") is False:
                yield Finding("request-closed", where, "refuses other members now")
        else:
            for name in sorted((was - now) & set(after)):
                yield Finding("member-optional", f"{where}.{name}", "may be missing from answers now")


@dataclass(frozen=True, slots=True)
class _Shape:
    """A schema without its reference and without `or null`; those are kept beside it.

    `name`: of the named schema, or empty. `default`: what leaving it out means. `union`: the alternatives of a union
    that is more than `or null`.
    """

    schema: dict[str, Any]
    name: str
    nullable: bool
    default: Any
    union: list[Any]

    @classmethod
    def of(cls, document: Document, schema: dict[str, Any]) -> _Shape:
        found = target(document, schema)
        name = str(schema.get("$ref", "")).removeprefix(SCHEMAS)
        kinds, default = found.get("type"), found.get("default")
        nullable = found.get("nullable") is True or (isinstance(kinds, list) and "null" in kinds)
        for key in COMPOSITION:
            alternatives = [one for one in found.get(key, ()) if one != {"type": "null"}]
            nullable = nullable or len(alternatives) < len(found.get(key, ()))
            if len(alternatives) == 1:
                inner = cls.of(document, alternatives[0])
                return cls(inner.schema, name or inner.name, nullable or inner.nullable, default, inner.union)
            if alternatives:
                return cls(found, name, nullable, default, alternatives)
        return cls(found, name, nullable, default, [])

    @property
    def types(self) -> set[str]:
        kinds = self.schema.get("type")
        listed = kinds if isinstance(kinds, list) else [kinds] if kinds else []
        return {one for one in listed if one != "null"}

    @property
    def values(self) -> set[str] | None:
        if "const" in self.schema:
            return {repr(self.schema["const"])}
        return {repr(one) for one in self.schema["enum"]} if "enum" in self.schema else None


def _uses(where: str, old: _Shape, new: _Shape, direction: Direction) -> Iterator[Finding]:
    """What depends on the place, not on the named schema that stands there."""
    if old.name != new.name:
        yield Finding("schema-replaced", where, f"{old.name or 'no name'} became {new.name or 'no name'}")
    if direction == "request" and old.nullable and not new.nullable:
        yield Finding("type-changed", where, "requests may not say null any more")
    if direction == "answer" and new.nullable and not old.nullable:
        yield Finding("type-changed", where, "answers may be null now")
    if direction == "request" and old.default != new.default:
        yield Finding("default-changed", where, f"leaving it out meant {old.default!r} and means {new.default!r} now")


def _types(where: str, old: _Shape, new: _Shape) -> Iterator[Finding]:
    if old.types != new.types:
        yield Finding("type-changed", where, f"{sorted(old.types)} became {sorted(new.types)}")


def _values(where: str, old: _Shape, new: _Shape, direction: Direction) -> Iterator[Finding]:
    before, after = old.values, new.values
    if direction == "request":
        if after is not None and (before is None or before - after):
            gone = "all but those" if before is None else ", ".join(sorted(before - after))
            yield Finding("request-values-narrowed", where, f"requests may not say {gone} any more")
    elif before is not None and (after is None or after - before):
        more = "anything" if after is None else ", ".join(sorted(after - before))
        yield Finding("answer-values-added", where, f"answers may say {more} now")


def _forms(where: str, old: _Shape, new: _Shape) -> Iterator[Finding]:
    """Whether one pattern is wider than another is beyond a comparison: a person decides (`decisions.toml`)."""
    for key in ("pattern", "format"):
        if old.schema.get(key) != new.schema.get(key):
            yield Finding(f"{key}-changed", where, f"{old.schema.get(key)!r} became {new.schema.get(key)!r}")


def _limits(where: str, old: _Shape, new: _Shape, direction: Direction) -> Iterator[Finding]:
    for key in (*_UPPER, *_LOWER):
        before, after = old.schema.get(key), new.schema.get(key)
        if before == after:
            continue
        narrower = _is_narrower(key, before, after)
        if (direction == "request") == narrower:
            yield Finding("limit-changed", where, f"{key} {before} became {after}")


def _is_narrower(key: str, before: Any, after: Any) -> bool:
    if before is None or after is None:
        return before is None
    return bool(after < before) if key in _UPPER else bool(after > before)


def schema_names(before: Document, after: Document) -> Iterator[Finding]:
    """Named schemas are classes of generated clients."""
    for name in named_schemas(before):
        if name not in named_schemas(after):
            yield Finding("schema-removed", name, "is gone, or has another name")
