"""Our documents hold the rules; a fault planted into a copy is found by the rule for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tools.contract.lint import FLAT_RULES, RULES, lint, main

Document = dict[str, Any]
Plant = Callable[[Document], None]
PLANTS: list[tuple[str, Plant]] = []


def plants(rule: str) -> Callable[[Plant], Plant]:
    def kept(plant: Plant) -> Plant:
        PLANTS.append((rule, plant))
        return plant

    return kept


def _create(document: Document) -> Document:
    found: Document = document["paths"]["/v1/orders"]["post"]
    return found


def _schema(document: Document, name: str = "TransactionAnswer") -> Document:
    found: Document = document["components"]["schemas"][name]
    return found


def _rename(members: Document, old: str, new: str) -> None:
    members[new] = members.pop(old)


@plants("operation-id-form")
def an_underscore_in_an_operation_id(document: Document) -> None:
    _create(document)["operationId"] = "create_order"


@plants("operation-id-form")
def no_operation_id(document: Document) -> None:
    del _create(document)["operationId"]


@plants("operation-id-unique")
def two_operation_ids_that_differ_in_case(document: Document) -> None:
    _create(document)["operationId"] = "createcustomer"


@plants("schema-name-form")
def an_underscore_in_a_schema_name(document: Document) -> None:
    document["components"]["schemas"]["Routed_to"] = _schema(document, "RoutedTo")


@plants("schema-name-unique")
def two_schema_names_that_differ_in_case(document: Document) -> None:
    document["components"]["schemas"]["RoutedTO"] = _schema(document, "RoutedTo")


@plants("property-name-form")
def an_underscore_in_a_property(document: Document) -> None:
    _rename(_schema(document)["properties"], "companyCode", "company_code")


@plants("property-name-unique")
def two_properties_that_differ_in_case(document: Document) -> None:
    _schema(document)["properties"]["companycode"] = {"type": "string"}


@plants("property-name-reserved")
def a_bare_currency(document: Document) -> None:
    _schema(document)["properties"]["currency"] = {"type": "string"}


@plants("property-name-reserved")
def a_bare_type_outside_of_problems(document: Document) -> None:
    _schema(document, "ErpNumberAnswer")["properties"]["type"] = {"type": "string"}


@plants("property-name-reserved")
def a_reserved_word_in_capitals(document: Document) -> None:
    _schema(document)["properties"]["sObject"] = {"type": "string"}


@plants("parameter-name")
def an_underscore_in_a_parameter(document: Document) -> None:
    document["paths"]["/v1/transactions"]["get"]["parameters"][0]["name"] = "external_id"


@plants("name-length")
def a_name_that_fits_no_identifier(document: Document) -> None:
    _schema(document)["properties"]["x" * 256] = {"type": "string"}


@plants("status-declared")
def a_status_that_is_not_declared(document: Document) -> None:
    del _create(document)["responses"]["429"]


@plants("status-declared")
def a_catch_all_status(document: Document) -> None:
    _create(document)["responses"]["default"] = {"description": "Something."}


@plants("problem-as-json")
def a_problem_without_plain_json(document: Document) -> None:
    content = _create(document)["responses"]["422"]["content"]
    content["application/problem+json"] = content.pop("application/json")


@plants("problem-has-code")
def a_problem_without_its_code(document: Document) -> None:
    _schema(document, "ProblemDocument")["required"].remove("code")


@plants("body-is-named")
def a_body_without_a_name(document: Document) -> None:
    _create(document)["requestBody"]["content"]["application/json"]["schema"] = {"type": "array", "items": {}}


@plants("get-without-body")
def a_get_with_a_body(document: Document) -> None:
    document["paths"]["/v1/orders"]["get"]["requestBody"] = _create(document)["requestBody"]


@plants("no-fractions")
def an_amount_as_a_binary_fraction(document: Document) -> None:
    _schema(document)["properties"]["amount"] = {"type": "number"}


@plants("reference-resolves")
def a_reference_to_nothing(document: Document) -> None:
    _schema(document)["properties"]["routedTo"] = {"$ref": "#/components/schemas/Elsewhere"}


@plants("description-length")
def a_description_that_would_be_cut(document: Document) -> None:
    _create(document)["description"] = "x" * 1_334


@plants("operation-told")
def an_operation_without_a_summary(document: Document) -> None:
    _create(document)["summary"] = ""


@plants("path-parameter-declared")
def an_address_whose_name_is_not_declared(document: Document) -> None:
    document["paths"]["/v1/orders/{documentId}"]["get"]["parameters"] = []


@plants("required-exists")
def a_required_member_that_nobody_describes(document: Document) -> None:
    _schema(document)["required"].append("elsewhere")


@plants("size")
def more_operations_than_may_be_active(document: Document) -> None:
    for number in range(3_000):
        document["paths"][f"/v1/more{number}"] = {"get": {}}


@plants("flat-version")
def a_newer_openapi(document: Document) -> None:
    document["openapi"] = "3.1.0"


@plants("flat-no-composition")
def a_union(document: Document) -> None:
    _schema(document)["properties"]["amount"] = {"anyOf": [{"type": "string"}, {"type": "integer"}]}


@plants("flat-no-composition")
def a_negation(document: Document) -> None:
    _schema(document)["properties"]["amount"]["not"] = {"type": "integer"}


@plants("flat-one-type")
def a_list_of_types(document: Document) -> None:
    _schema(document)["properties"]["amount"] = {"type": ["string", "null"]}


@plants("flat-only-3-0-keywords")
def a_constant(document: Document) -> None:
    _schema(document)["properties"]["amount"]["const"] = "1"


@plants("flat-reference-alone")
def a_word_beside_a_reference(document: Document) -> None:
    _schema(document)["properties"]["routedTo"]["nullable"] = True


@plants("flat-no-inline-object")
def an_inline_object(document: Document) -> None:
    _schema(document)["properties"]["routedTo"] = {"type": "object", "properties": {"systemId": {"type": "string"}}}


@plants("flat-no-list-of-lists")
def a_list_of_lists(document: Document) -> None:
    lists = {"type": "array", "items": {"type": "array", "items": {"type": "string"}}}
    _schema(document)["properties"]["amount"] = lists


@plants("flat-list-has-items")
def a_list_of_nothing(document: Document) -> None:
    _schema(document)["properties"]["amount"] = {"type": "array"}


@plants("flat-only-json")
def another_media_type(document: Document) -> None:
    content = _create(document)["responses"]["422"]["content"]
    content["application/problem+json"] = content["application/json"]


@plants("flat-no-answer-headers")
def a_header_of_an_answer(document: Document) -> None:
    _create(document)["responses"]["201"]["headers"] = {"Location": {"schema": {"type": "string"}}}


@plants("flat-no-open-enumeration")
def an_enumeration_in_an_answer(document: Document) -> None:
    _schema(document, "RoutedTo")["properties"]["side"]["enum"] = ["legacy", "cloud"]


@plants("flat-no-callbacks")
def a_callback(document: Document) -> None:
    _create(document)["callbacks"] = {"posted": {}}


@plants("flat-no-headers-asked")
def a_header_of_a_request(document: Document) -> None:
    header = {"name": "Idempotency-Key", "in": "header", "required": False, "schema": {"type": "string"}}
    _create(document)["parameters"] = [header]


@pytest.mark.parametrize(("rule", "plant"), PLANTS, ids=[plant.__name__ for _, plant in PLANTS])
def test_a_planted_fault_is_found_by_its_rule(rule: str, plant: Plant, document: Document, flat: Document) -> None:
    plant(flat)
    assert list({**RULES, **FLAT_RULES}[rule](flat))
    if rule in RULES:
        plant(document)
        assert list(RULES[rule](document))


def test_ours_hold_the_rules(document: Document, flat: Document) -> None:
    assert lint(document, flat=False) == []
    assert lint(flat, flat=True) == []


def test_the_committed_documents_hold_the_rules(capsys: pytest.CaptureFixture[str]) -> None:
    folder = Path(__file__).parents[2] / "docs" / "openapi"
    names = ("openapi.json", "openapi-salesforce.json", "released/v1.json", "released/v1-salesforce.json")
    assert main([str(folder / name) for name in names]) == 0, capsys.readouterr().out


def test_every_rule_has_a_planted_fault() -> None:
    assert {rule for rule, _ in PLANTS} == {*RULES, *FLAT_RULES}


def test_the_command_ends_with_a_code(
    document: Document, flat: Document, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good, bad = tmp_path / "good.json", tmp_path / "bad.json"
    good.write_text(json.dumps(document))
    an_inline_object(flat)
    bad.write_text(json.dumps(flat))
    assert main([str(good)]) == 0
    assert capsys.readouterr().out == ""
    assert main([str(good), str(bad)]) == 1
    assert "flat-no-inline-object: schemas/TransactionAnswer/routedTo" in capsys.readouterr().out
    assert main([str(tmp_path / "none.json")]) == 2
