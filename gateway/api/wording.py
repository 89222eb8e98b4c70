"""Texts for callers: members are called in them as they are called on the wire.

Rules and canonical models know members by Python's names, and their messages say those.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, Final

from pydantic import BaseModel

from adapters.canonical import DOMAINS
from gateway.domain.facts import camel
from routing_rules import Facts


def _models(found: set[type[BaseModel]], annotation: Any) -> None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        if annotation not in found:
            found.add(annotation)
            for one in annotation.model_fields.values():
                _models(found, one.annotation)
        return
    for inner in getattr(annotation, "__args__", ()):
        _models(found, inner)


def _members() -> Iterable[str]:
    models: set[type[BaseModel]] = set()
    for document in DOMAINS.values():
        _models(models, document)
    yield from (name for model in models for name in model.model_fields)
    yield from (one.name for one in fields(Facts))


_NAMES: Final = sorted({name for name in _members() if "_" in name} - set(DOMAINS))
_NAME: Final = re.compile(rf"(?<![A-Za-z0-9_'\"-])({'|'.join(_NAMES)})(?![A-Za-z0-9_])")


def in_wire_words(text: str) -> str:
    """`business_unit 'x' is unknown` → `businessUnit 'x' is unknown`. What stands in quotation marks is a
    value and stays."""
    return _NAME.sub(lambda match: camel(match[1]), text)


def explanation_in_wire_words(explanation: Mapping[str, Any]) -> dict[str, Any]:
    """A routing explanation whose nearest miss names facts as `facts` does."""
    miss = explanation.get("whyNot")
    if not isinstance(miss, Mapping):
        return dict(explanation)
    changes = [{**one, "field": camel(one["field"])} for one in miss["changes"]]
    return {**explanation, "whyNot": {**miss, "effect": in_wire_words(miss["effect"]), "changes": changes}}
