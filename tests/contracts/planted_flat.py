"""Faults that the flat document may not have, each with the rule that is meant to find it."""

from __future__ import annotations

from tests.contracts.planted import Document, Plant, create, plants, schema

FLAT: list[tuple[str, Plant]] = []


@plants("flat-version", FLAT)
def a_newer_openapi(document: Document) -> None:
    document["openapi"] = "3.1.0"


@plants("flat-no-composition", FLAT)
def a_union(document: Document) -> None:
    schema(document)["properties"]["amount"] = {"anyOf": [{"type": "string"}, {"type": "integer"}]}


@plants("flat-no-composition", FLAT)
def a_negation(document: Document) -> None:
    schema(document)["properties"]["amount"]["not"] = {"type": "integer"}


@plants("flat-no-composition", FLAT)
def a_union_in_a_parameter(document: Document) -> None:
    parameter = document["paths"]["/v1/transactions"]["get"]["parameters"][0]
    parameter["schema"] = {"type": "string", "oneOf": [{"maxLength": 1}]}


@plants("flat-one-type", FLAT)
def a_list_of_types(document: Document) -> None:
    schema(document)["properties"]["amount"] = {"type": ["string", "null"]}


@plants("flat-one-type", FLAT)
def no_type_at_all(document: Document) -> None:
    schema(document)["properties"]["amount"] = {"description": "Any."}


@plants("oas3-schema", FLAT)
def a_constant(document: Document) -> None:
    schema(document)["properties"]["amount"]["const"] = "1"


@plants("no-$ref-siblings", FLAT)
def a_word_beside_a_reference(document: Document) -> None:
    schema(document)["properties"]["routedTo"]["nullable"] = True


@plants("flat-no-inline-object", FLAT)
def an_inline_object(document: Document) -> None:
    schema(document)["properties"]["routedTo"] = {"type": "object", "properties": {"systemId": {"type": "string"}}}


@plants("flat-no-inline-object", FLAT)
def a_list_of_inline_objects(document: Document) -> None:
    schema(document)["properties"]["routedTo"] = {"type": "array", "items": {"type": "object"}}


@plants("flat-no-list-of-lists", FLAT)
def a_list_of_lists(document: Document) -> None:
    lists = {"type": "array", "items": {"type": "array", "items": {"type": "string"}}}
    schema(document)["properties"]["amount"] = lists


@plants("flat-no-list-of-lists", FLAT)
def a_list_of_what_is_a_list_by_name(document: Document) -> None:
    document["components"]["schemas"]["Amounts"] = {"type": "array", "items": {"type": "string"}}
    schema(document)["properties"]["amount"] = {"type": "array", "items": {"$ref": "#/components/schemas/Amounts"}}


@plants("array-items", FLAT)
def a_list_of_nothing(document: Document) -> None:
    schema(document)["properties"]["amount"] = {"type": "array"}


@plants("flat-only-json", FLAT)
def another_media_type(document: Document) -> None:
    content = create(document)["responses"]["422"]["content"]
    content["application/problem+json"] = content["application/json"]


@plants("flat-only-json", FLAT)
def another_media_type_of_a_body(document: Document) -> None:
    content = create(document)["requestBody"]["content"]
    content["text/plain"] = content["application/json"]


@plants("flat-no-answer-headers", FLAT)
def a_header_of_an_answer(document: Document) -> None:
    create(document)["responses"]["201"]["headers"] = {"Location": {"schema": {"type": "string"}}}


@plants("flat-no-open-enumeration", FLAT)
def an_enumeration_in_an_answer(document: Document) -> None:
    schema(document, "RoutedTo")["properties"]["side"]["enum"] = ["legacy", "cloud"]


@plants("flat-no-callbacks", FLAT)
def a_callback(document: Document) -> None:
    create(document)["callbacks"] = {"posted": {}}


@plants("flat-no-headers-asked", FLAT)
def a_header_of_a_request(document: Document) -> None:
    header = {"name": "Idempotency-Key", "in": "header", "required": False, "schema": {"type": "string"}}
    create(document)["parameters"] = [header]
