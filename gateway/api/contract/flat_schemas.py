"""The schemas of the flat document: OpenAPI 3.0.3 with nothing that Salesforce External Services cannot read.

Source: https://help.salesforce.com/s/articleView?id=platform.external_services_schema_def_definition.htm (data types),
https://spec.openapis.org/oas/v3.0.3.html#schema-object (`nullable` instead of the type null).
"""

from __future__ import annotations

from typing import Any, Final

from gateway.api.contract.references import SCHEMAS, nodes, reachable

OPEN_MEMBERS: Final = "OpenMembers"
"""The named schema of every object whose members the gateway does not promise; Apex reads it as a map."""

_LEFT_OUT: Final = {"ProblemDocument": frozenset({"type"})}
"""Members that cannot be named in Apex. `code` tells the same as a problem's `type`."""

_KEPT: Final = (
    "type", "description", "format", "pattern", "minLength", "maxLength", "minimum", "maximum", "minItems", "maxItems"
)  # fmt: skip


class NotFlat(ValueError):
    """A defect of ours: a shape that has no flat form, such as a union of two objects."""


class FlatSchemas:
    """`request` schemas keep their enumerations. In answers these become texts with the values in the description:
    a value more in an answer's enumeration breaks a registered service, a longer description does not.

    A member of a request that may be null may also be left out, so the flat request says only that. In an answer
    the object itself is `nullable`, for beside a `$ref` OpenAPI 3.0 reads nothing.
    """

    def __init__(self, schemas: dict[str, Any], requests: Any, answers: Any) -> None:
        self._schemas = schemas
        self._answers = reachable(schemas, answers)
        self._wanted = self._answers | reachable(schemas, requests)
        self._nullable = {
            name for answer in self._answers for node in nodes(schemas[answer]) for name in _nullable_names(node)
        }

    def components(self) -> dict[str, Any]:
        """Every named schema, by name."""
        found = {name: self._named(name) for name in self._wanted if not self._is_scalar(name)}
        if OPEN_MEMBERS in found:
            raise NotFlat(f"{OPEN_MEMBERS} is the name of another schema")
        if any(node.get("$ref") == SCHEMAS + OPEN_MEMBERS for node in nodes(found)):
            found[OPEN_MEMBERS] = {
                "type": "object",
                "description": "Members that depend on the case.",
                "additionalProperties": True,
                "nullable": True,
            }
        return dict(sorted(found.items()))

    def member(self, schema: dict[str, Any], *, answer: bool) -> dict[str, Any]:
        """The schema of a property, a parameter or a body."""
        reference = schema.get("$ref")
        if isinstance(reference, str):
            name = reference.removeprefix(SCHEMAS)
            return self.member(self._schemas[name], answer=answer) if self._is_scalar(name) else {"$ref": reference}
        if "anyOf" in schema:
            return self._optional(schema, answer=answer)
        if schema.get("type") == "object":
            if schema.get("properties"):
                raise NotFlat(f"an inline object: {sorted(schema['properties'])}")
            return {"$ref": SCHEMAS + OPEN_MEMBERS}
        return self._plain(schema, answer=answer)

    def _optional(self, schema: dict[str, Any], *, answer: bool) -> dict[str, Any]:
        alternatives = [one for one in schema["anyOf"] if one != {"type": "null"}]
        if len(alternatives) != 1 or len(schema["anyOf"]) != 2:
            raise NotFlat(f"a union: {schema['anyOf']}")
        found = self.member(alternatives[0], answer=answer)
        if "$ref" in found:
            return found
        if "description" in schema:
            found["description"] = schema["description"]
        return {**found, **_default(schema), "nullable": True}

    def _plain(self, schema: dict[str, Any], *, answer: bool) -> dict[str, Any]:
        found: dict[str, Any] = {key: schema[key] for key in _KEPT if key in schema}
        if not isinstance(found.get("type"), str):
            raise NotFlat(f"a schema without one type: {schema}")
        values = [schema["const"]] if "const" in schema else schema.get("enum")
        if values and answer:
            told = f"One of {', '.join(map(str, values))}; there may come more."
            found["description"] = " ".join(filter(None, (found.get("description"), told)))
        elif values:
            found["enum"] = values
        if schema.get("examples"):
            found["example"] = schema["examples"][0]
        if "items" in schema:
            found["items"] = self.member(schema["items"], answer=answer)
        return {**found, **_default(schema)}

    def _named(self, name: str) -> dict[str, Any]:
        schema, answer = self._schemas[name], name in self._answers
        left_out = _LEFT_OUT.get(name, frozenset())
        members = {key: one for key, one in schema.get("properties", {}).items() if key not in left_out}
        found: dict[str, Any] = {"type": "object"}
        if "description" in schema:
            found["description"] = schema["description"]
        if members:
            found["properties"] = {key: self.member(one, answer=answer) for key, one in members.items()}
        else:
            found["additionalProperties"] = True
        required = [key for key in schema.get("required", []) if key in members]
        if required:
            found["required"] = required
        if name in self._nullable:
            found["nullable"] = True
        return found

    def _is_scalar(self, name: str) -> bool:
        return bool(self._schemas[name].get("type") != "object")


def _nullable_names(node: dict[str, Any]) -> list[str]:
    alternatives = node.get("anyOf", ())
    if {"type": "null"} not in alternatives:
        return []
    return [one["$ref"].removeprefix(SCHEMAS) for one in alternatives if "$ref" in one]


def _default(schema: dict[str, Any]) -> dict[str, Any]:
    """Defaults of plain values only: null is what leaving out means, and an empty list says nothing."""
    value = schema.get("default")
    return {} if value is None or isinstance(value, list | dict) else {"default": value}
