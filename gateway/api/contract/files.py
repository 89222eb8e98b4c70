"""Every file of the contract, made from the one description."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from gateway.api.contract.asyncapi import asyncapi_document
from gateway.api.contract.event_files import event_schemas
from gateway.api.contract.flat import flat_document
from gateway.api.contract.page import html_page

OPENAPI: Final = "openapi/openapi.json"
FLAT: Final = "openapi/openapi-salesforce.json"
PAGE: Final = "openapi/index.html"
ASYNCAPI: Final = "events/asyncapi.json"
EVENT_SCHEMAS: Final = "events/"


def contract_files(document: dict[str, Any], domains: Sequence[str]) -> dict[str, str]:
    """The text of each file by its path below the directory of the export. The same input gives the same bytes."""
    return {
        OPENAPI: _pretty(document),
        FLAT: _pretty(flat_document(document)),
        PAGE: html_page(document),
        ASYNCAPI: _pretty(asyncapi_document(document, domains)),
        **{EVENT_SCHEMAS + name: _pretty(schema) for name, schema in event_schemas(document, domains).items()},
    }


def write_files(directory: Path, files: dict[str, str]) -> list[Path]:
    """Write them below the directory, which is made where there is none; the paths written, in order."""
    written = []
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        written.append(path)
    return written


def _pretty(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"
