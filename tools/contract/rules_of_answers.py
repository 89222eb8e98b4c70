"""What holds in every document of ours: answers, problems, money, references, sizes.

The sizes are those of Salesforce External Services: 10 million characters of JSON, 3,000 active operations, and
https://help.salesforce.com/s/articleView?id=platform.external_services_schema_def_naming_description.htm.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Final

from tools.contract.reading import (
    SCHEMAS,
    Complaint,
    Document,
    Operation,
    contents,
    every_node,
    every_schema,
    named_schemas,
    operations,
)

_JSON: Final = "application/json"
_LONGEST_DESCRIPTION: Final = 1_333
_MOST_CHARACTERS: Final = 10_000_000
_MOST_OPERATIONS: Final = 3_000

_EVERYWHERE: Final = ("400", "405", "413", "429", "500", "503")
"""Any request can meet these: malformed, wrong method, too large, too many, a defect of ours, not ready."""


def status_declared(document: Document) -> Iterator[Complaint]:
    """Every status that can come is declared, for an undeclared one becomes an untyped default."""
    for operation in operations(document):
        declared = operation.body.get("responses", {})
        missing = [one for one in _expected(operation) if one not in declared]
        if missing:
            yield operation.where, f"the statuses {', '.join(missing)} are not declared"
        if not any(one.startswith("2") for one in declared):
            yield operation.where, "no status of success is declared"
        if "default" in declared:
            yield operation.where, "the status `default` stands for none"


def _expected(operation: Operation) -> list[str]:
    found = list(_EVERYWHERE)
    if operation.is_secured:
        found += ["401", "403"]
    if "{" in operation.path:
        found.append("404")
    if "requestBody" in operation.body:
        found += ["409", "415", "422"]
    return sorted(found)


def problem_as_json(document: Document) -> Iterator[Complaint]:
    """Every problem can be had as application/json, and is the problem document."""
    for operation in operations(document):
        for status, answer in operation.body.get("responses", {}).items():
            if status < "400":
                continue
            schema = answer.get("content", {}).get(_JSON, {}).get("schema", {})
            if schema.get("$ref") != f"{SCHEMAS}ProblemDocument":
                yield f"{operation.where}/responses/{status}", f"is no ProblemDocument as {_JSON}"


def problem_has_code(document: Document) -> Iterator[Complaint]:
    """The problem document names its kind as `code` as well, for `type` is a reserved word."""
    problem = named_schemas(document).get("ProblemDocument", {})
    if "code" not in problem.get("properties", {}) or "code" not in problem.get("required", ()):
        yield "schemas/ProblemDocument", "`code` is not among the required members"


def body_is_named(document: Document) -> Iterator[Complaint]:
    """JSON bodies are named schemas, so that generators have a word for them."""
    for operation in operations(document):
        for where, media_type, content in contents(operation):
            if media_type.endswith("json") and "$ref" not in content.get("schema", {}):
                yield where, "the body is no named schema"


def get_without_body(document: Document) -> Iterator[Complaint]:
    """A GET has no body: an empty one fails the validation of a registration."""
    for operation in operations(document):
        if operation.method in {"get", "head", "delete"} and "requestBody" in operation.body:
            yield operation.where, f"a {operation.method} has no body"


def no_fractions(document: Document) -> Iterator[Complaint]:
    """No `number`: callers read it as a binary double, and amounts are decimal. Amounts are strings."""
    for where, schema in every_schema(document):
        kinds = schema.get("type")
        if kinds == "number" or (isinstance(kinds, list) and "number" in kinds):
            yield where, "a `number` becomes a binary double: use a string with a pattern"


def reference_resolves(document: Document) -> Iterator[Complaint]:
    """Every reference leads to a named schema."""
    known = {f"{SCHEMAS}{name}" for name in named_schemas(document)}
    for where, node in every_node(document):
        reference = node.get("$ref")
        if isinstance(reference, str) and reference not in known:
            yield where, f"{reference} leads nowhere"


def description_length(document: Document) -> Iterator[Complaint]:
    """Descriptions are not cut: at most 1,333 characters."""
    for where, node in every_node(document):
        text = node.get("description")
        if isinstance(text, str) and len(text) > _LONGEST_DESCRIPTION:
            yield where, f"the description has {len(text)} characters; the limit is {_LONGEST_DESCRIPTION}"


def operation_told(document: Document) -> Iterator[Complaint]:
    """Every operation has a summary, every answer and every named object a description."""
    for operation in operations(document):
        if not operation.body.get("summary"):
            yield operation.where, "there is no summary"
        for status, answer in operation.body.get("responses", {}).items():
            if not answer.get("description"):
                yield f"{operation.where}/responses/{status}", "there is no description"
    for name, schema in named_schemas(document).items():
        if not schema.get("description"):
            yield f"schemas/{name}", "there is no description"


def path_parameter_declared(document: Document) -> Iterator[Complaint]:
    """Every name in an address is a required path parameter, and the other way round."""
    for operation in operations(document):
        named = {part[1:-1] for part in operation.path.split("/") if part.startswith("{")}
        declared = {
            one.get("name")
            for one in operation.body.get("parameters", ())
            if one.get("in") == "path" and one.get("required") is True
        }
        if named != declared:
            yield operation.where, f"the address names {sorted(named)}, the parameters {sorted(map(str, declared))}"


def required_exists(document: Document) -> Iterator[Complaint]:
    """What is required is described."""
    for where, schema in every_schema(document):
        unknown = set(schema.get("required", ())) - set(schema.get("properties", {}))
        if unknown:
            yield where, f"{sorted(unknown)} are required and not described"


def size(document: Document) -> Iterator[Complaint]:
    """The document is registered as a whole."""
    characters = len(json.dumps(document, ensure_ascii=False, indent=2))
    if characters > _MOST_CHARACTERS:
        yield "", f"the document has {characters} characters; the limit is {_MOST_CHARACTERS}"
    count = sum(1 for _ in operations(document))
    if count > _MOST_OPERATIONS:
        yield "paths", f"there are {count} operations; the limit is {_MOST_OPERATIONS}"


RULES: Final[dict[str, Any]] = {
    "status-declared": status_declared,
    "problem-as-json": problem_as_json,
    "problem-has-code": problem_has_code,
    "body-is-named": body_is_named,
    "get-without-body": get_without_body,
    "no-fractions": no_fractions,
    "reference-resolves": reference_resolves,
    "description-length": description_length,
    "operation-told": operation_told,
    "path-parameter-declared": path_parameter_declared,
    "required-exists": required_exists,
    "size": size,
}
