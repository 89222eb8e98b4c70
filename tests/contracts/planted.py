"""Faults that no document of ours may have, each with the rule that is meant to find it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Document = dict[str, Any]
Plant = Callable[[Document], None]

HOUSE: list[tuple[str, Plant]] = []


def plants(rule: str, kept: list[tuple[str, Plant]] = HOUSE) -> Callable[[Plant], Plant]:
    """Keep the fault under the rule that must find it."""

    def keep(plant: Plant) -> Plant:
        kept.append((rule, plant))
        return plant

    return keep


def create(document: Document) -> Document:
    """The operation that submits an order."""
    found: Document = document["paths"]["/v1/orders"]["post"]
    return found


def schema(document: Document, name: str = "TransactionAnswer") -> Document:
    """A named schema."""
    found: Document = document["components"]["schemas"][name]
    return found


def rename(members: Document, old: str, new: str) -> None:
    """Another key for the same value."""
    members[new] = members.pop(old)


@plants("operation-id-form")
def an_underscore_in_an_operation_id(document: Document) -> None:
    create(document)["operationId"] = "create_order"


@plants("operation-id-form")
def no_operation_id(document: Document) -> None:
    del create(document)["operationId"]


@plants("operation-id-form")
def an_operation_id_that_fits_no_identifier(document: Document) -> None:
    create(document)["operationId"] = "x" * 256


@plants("operation-operationId-unique")
def one_operation_id_twice(document: Document) -> None:
    create(document)["operationId"] = document["paths"]["/v1/orders"]["get"]["operationId"]


@plants("operation-id-unique")
def two_operation_ids_that_differ_in_case(document: Document) -> None:
    create(document)["operationId"] = document["paths"]["/v1/orders"]["get"]["operationId"].lower()


@plants("schema-name-form")
def an_underscore_in_a_schema_name(document: Document) -> None:
    document["components"]["schemas"]["Routed_to"] = schema(document, "RoutedTo")


@plants("schema-name-unique")
def two_schema_names_that_differ_in_case(document: Document) -> None:
    document["components"]["schemas"]["RoutedTO"] = schema(document, "RoutedTo")


@plants("property-name-form")
def an_underscore_in_a_property(document: Document) -> None:
    rename(schema(document)["properties"], "companyCode", "company_code")


@plants("property-name-form")
def a_property_that_fits_no_identifier(document: Document) -> None:
    schema(document)["properties"]["x" * 256] = {"type": "string"}


@plants("property-name-unique")
def two_properties_that_differ_in_case(document: Document) -> None:
    schema(document)["properties"]["companycode"] = {"type": "string"}


@plants("property-name-reserved")
def a_bare_currency(document: Document) -> None:
    schema(document)["properties"]["currency"] = {"type": "string"}


@plants("property-name-reserved")
def a_bare_type_outside_of_problems(document: Document) -> None:
    schema(document, "ErpNumberAnswer")["properties"]["type"] = {"type": "string"}


@plants("property-name-reserved")
def a_reserved_word_in_a_problem(document: Document) -> None:
    schema(document, "ProblemDocument")["properties"]["limit"] = {"type": "string"}


@plants("property-name-reserved")
def a_reserved_word_in_capitals(document: Document) -> None:
    schema(document)["properties"]["sObject"] = {"type": "string"}


@plants("parameter-name")
def an_underscore_in_a_parameter(document: Document) -> None:
    document["paths"]["/v1/transactions"]["get"]["parameters"][0]["name"] = "external_id"


@plants("parameter-name")
def a_reserved_word_as_a_parameter(document: Document) -> None:
    document["paths"]["/v1/transactions"]["get"]["parameters"][0]["name"] = "limit"


@plants("status-declared")
def a_status_that_is_not_declared(document: Document) -> None:
    del create(document)["responses"]["429"]


@plants("status-declared")
def a_catch_all_status(document: Document) -> None:
    create(document)["responses"]["default"] = {"description": "Something."}


@plants("status-declared")
def no_success(document: Document) -> None:
    answers = create(document)["responses"]
    create(document)["responses"] = {status: one for status, one in answers.items() if status >= "400"}


@plants("status-of-access-declared")
def no_answer_for_an_unknown_caller(document: Document) -> None:
    del create(document)["responses"]["401"]


@plants("status-of-address-declared")
def no_answer_for_an_unknown_document(document: Document) -> None:
    del document["paths"]["/v1/orders/{documentId}"]["get"]["responses"]["404"]


@plants("status-of-body-declared")
def no_answer_for_another_media_type(document: Document) -> None:
    del create(document)["responses"]["415"]


@plants("conflict-declared")
def no_answer_for_a_key_in_conflict(document: Document) -> None:
    operation = create(document)
    key = {"name": "Idempotency-Key", "in": "header", "schema": {"type": "string"}}
    operation.setdefault("parameters", []).append(key)
    del operation["responses"]["409"]


@plants("problem-as-json")
def a_problem_without_plain_json(document: Document) -> None:
    content = create(document)["responses"]["422"]["content"]
    content["application/problem+json"] = content.pop("application/json")


@plants("problem-as-json")
def a_problem_that_is_another_document(document: Document) -> None:
    content = create(document)["responses"]["422"]["content"]
    content["application/json"]["schema"] = {"$ref": "#/components/schemas/TransactionAnswer"}


@plants("problem-has-code")
def a_problem_that_need_not_have_its_code(document: Document) -> None:
    schema(document, "ProblemDocument")["required"].remove("code")


@plants("problem-has-code")
def a_problem_without_a_code(document: Document) -> None:
    del schema(document, "ProblemDocument")["properties"]["code"]


@plants("body-is-named")
def a_body_without_a_name(document: Document) -> None:
    create(document)["requestBody"]["content"]["application/json"]["schema"] = {"type": "array", "items": {}}


@plants("body-is-named")
def an_answer_without_a_name(document: Document) -> None:
    create(document)["responses"]["201"]["content"]["application/json"]["schema"] = {"type": "string"}


@plants("get-without-body")
def a_get_with_a_body(document: Document) -> None:
    document["paths"]["/v1/orders"]["get"]["requestBody"] = create(document)["requestBody"]


@plants("no-fractions")
def an_amount_as_a_binary_fraction(document: Document) -> None:
    schema(document)["properties"]["amount"] = {"type": "number"}


@plants("no-fractions")
def a_parameter_as_a_binary_fraction(document: Document) -> None:
    document["paths"]["/v1/transactions"]["get"]["parameters"][0]["schema"] = {"type": "number"}


@plants("invalid-ref")
def a_reference_to_nothing(document: Document) -> None:
    schema(document)["properties"]["routedTo"] = {"$ref": "#/components/schemas/Elsewhere"}


@plants("description-length")
def a_description_that_would_be_cut(document: Document) -> None:
    create(document)["description"] = "x" * 1_334


@plants("operation-told")
def an_operation_without_a_summary(document: Document) -> None:
    create(document)["summary"] = ""


@plants("schema-told")
def a_schema_without_a_description(document: Document) -> None:
    schema(document)["description"] = ""


@plants("oas3-schema")
def an_answer_without_a_description(document: Document) -> None:
    del create(document)["responses"]["422"]["description"]


@plants("path-params")
def an_address_whose_name_is_not_declared(document: Document) -> None:
    document["paths"]["/v1/orders/{documentId}"]["get"]["parameters"] = []


@plants("required-exists")
def a_required_member_that_nobody_describes(document: Document) -> None:
    schema(document)["required"].append("elsewhere")
