"""Names: operation ids become actions, schemas become Apex classes, properties and parameters become members.

Sources: https://help.salesforce.com/s/articleView?id=platform.external_services_schema_def_naming_description.htm
(valid Apex identifiers), https://developer.salesforce.com/docs/atlas.en-us.apexcode.meta/apexcode/apex_reserved_words.htm
(words that get a prefix). Apex does not tell upper case from lower case.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from tools.contract.reading import Complaint, Document, every_schema, named_schemas, operations

_LOWER_CAMEL: Final = re.compile(r"[a-z][a-zA-Z0-9]*")
_UPPER_CAMEL: Final = re.compile(r"[A-Z][a-zA-Z0-9]*")
_LONGEST: Final = 255
"""Characters of an Apex identifier."""

RESERVED: Final = frozenset(
    "type order "  # not reserved in Apex itself, but words of Flow and SOQL that get a prefix
    "abstract activate and any array as asc autonomous begin bigdecimal blob boolean break bulk by byte case cast "
    "catch char class collect commit const continue currency date datetime decimal default delete desc do double else "
    "end enum exception exit export extends false final finally float for from global goto group having hint if "
    "implements import in inner insert instanceof int integer interface into join like limit list long loop map merge "
    "new not null nulls number object of on or outer override package parallel pragma private protected public "
    "retrieve return rollback select set short sobject sort static string super switch synchronized system testmethod "
    "then this throw time transaction trigger true try undelete update upsert using virtual void webservice when "
    "where while".split()
)

_RFC_9457: Final = ("ProblemDocument", "type")
"""A problem's `type` cannot be called otherwise; every problem also carries `code`, and the flat document only that."""


def operation_id_form(document: Document) -> Iterator[Complaint]:
    """Every operation has an id in lowerCamelCase."""
    for operation in operations(document):
        name = operation.body.get("operationId", "")
        if not _LOWER_CAMEL.fullmatch(name):
            yield operation.where, f"the operationId {name!r} is not lowerCamelCase"


def operation_id_unique(document: Document) -> Iterator[Complaint]:
    """No two operation ids differ in case only."""
    yield from _doubles((one.where, one.body.get("operationId", "")) for one in operations(document))


def schema_name_form(document: Document) -> Iterator[Complaint]:
    """Schema names are CamelCase."""
    for name in named_schemas(document):
        if not _UPPER_CAMEL.fullmatch(name):
            yield f"schemas/{name}", "the name of a schema is letters and digits and begins with a capital"


def schema_name_unique(document: Document) -> Iterator[Complaint]:
    """No two schema names differ in case only."""
    yield from _doubles((f"schemas/{name}", name) for name in named_schemas(document))


def property_name_form(document: Document) -> Iterator[Complaint]:
    """Properties are lowerCamelCase: every other character, the underscore too, would be encoded."""
    for where, name in _properties(document):
        if not _LOWER_CAMEL.fullmatch(name):
            yield where, f"the property {name!r} is not lowerCamelCase"


def property_name_unique(document: Document) -> Iterator[Complaint]:
    """No two properties of a schema differ in case only."""
    for where, schema in every_schema(document):
        yield from _doubles((f"{where}/{name}", name) for name in schema.get("properties", {}))


def property_name_reserved(document: Document) -> Iterator[Complaint]:
    """No property is a reserved word by itself."""
    for where, name in _properties(document):
        if name.lower() in RESERVED and where != "schemas/" + "/".join(_RFC_9457):
            yield where, f"{name!r} is a reserved word: say which one, as in documentType, currencyCode, systemId"


def parameter_name(document: Document) -> Iterator[Complaint]:
    """Parameters in addresses are named as properties are; headers have their registered names."""
    for operation in operations(document):
        for one in operation.body.get("parameters", ()):
            name = one.get("name", "")
            if one.get("in") == "header":
                continue
            if not _LOWER_CAMEL.fullmatch(name) or name.lower() in RESERVED:
                yield operation.where, f"the parameter {name!r} is not lowerCamelCase, or a reserved word"


def name_length(document: Document) -> Iterator[Complaint]:
    """Names fit into an Apex identifier."""
    for operation in operations(document):
        if len(operation.body.get("operationId", "")) > _LONGEST:
            yield operation.where, f"the operationId has more than {_LONGEST} characters"
    for name in named_schemas(document):
        if len(name) > _LONGEST:
            yield f"schemas/{name}", f"the name has more than {_LONGEST} characters"
    for where, name in _properties(document):
        if len(name) > _LONGEST:
            yield where, f"the name has more than {_LONGEST} characters"


def _properties(document: Document) -> Iterator[tuple[str, str]]:
    for where, schema in every_schema(document):
        for name in schema.get("properties", {}):
            yield f"{where}/{name}", name


def _doubles(named: Iterable[tuple[str, str]]) -> Iterator[Complaint]:
    seen: dict[str, str] = {}
    for where, name in named:
        first = seen.setdefault(name.lower(), where)
        if first != where:
            yield where, f"{name!r} is, but for its case, the name of {first} too"


RULES: Final = {
    "operation-id-form": operation_id_form,
    "operation-id-unique": operation_id_unique,
    "schema-name-form": schema_name_form,
    "schema-name-unique": schema_name_unique,
    "property-name-form": property_name_form,
    "property-name-unique": property_name_unique,
    "property-name-reserved": property_name_reserved,
    "parameter-name": parameter_name,
    "name-length": name_length,
}
