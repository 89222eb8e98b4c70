"""Every field of every canonical object says whether it tells of a person, and the exported schemas repeat it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from adapters.canonical import DATA_CLASS, DATA_CLASSES, DOMAINS, CanonicalModel


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from _models(field.annotation)
    elif get_origin(annotation) is not None:
        for argument in get_args(annotation):
            yield from _models(argument)


REACHED = {one.__name__: one for domain in DOMAINS.values() for one in _models(domain)}


def test_every_field_is_classified_and_nothing_else() -> None:
    fields = {name: set(model.model_fields) for name, model in REACHED.items()}
    assert {name: set(classes) for name, classes in DATA_CLASSES.items()} == fields


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_schemas_say_it_of_every_member(domain: str) -> None:
    schema = DOMAINS[domain].model_json_schema()
    for model in (schema, *schema.get("$defs", {}).values()):
        for name, member in model["properties"].items():
            assert member[DATA_CLASS] in {"personal", "business", "none"}, name
    assert schema["properties"]["currencyCode" if domain not in {"customers", "products"} else "name"][DATA_CLASS]


def test_a_persons_members_are_personal() -> None:
    assert set(DATA_CLASSES["Contact"].values()) == {"personal"}
    assert DATA_CLASSES["Customer"]["name"] == DATA_CLASSES["Order"]["ship_to"] == "personal"
    free_texts = [
        (model, field)
        for model, classes in DATA_CLASSES.items()
        for field in classes
        if field == "description" and model != "Product"
    ]
    assert {DATA_CLASSES[model][field] for model, field in free_texts} == {"personal"}


def test_the_table_in_the_docs_is_the_one_that_counts() -> None:
    docs = (Path(__file__).parents[3] / "docs" / "privacy.md").read_text(encoding="utf-8")
    for model, classes in DATA_CLASSES.items():
        cells = [
            " ".join(f"`{to_camel(field)}`" for field, data_class in classes.items() if data_class == wanted)
            for wanted in ("personal", "business", "none")
        ]
        assert f"| {model} | {' | '.join(cells)} |" in docs


def test_other_models_are_left_as_they_are() -> None:
    class Reason(CanonicalModel):
        """Of no document."""

        reason: str

    assert DATA_CLASS not in Reason.model_json_schema()["properties"]["reason"]
