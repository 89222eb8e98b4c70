"""Loaded by schemathesis: what it is told beyond the document, and how it may continue from one answer to the next.

Negative cases are sent as they were made; a body is only ever mended where it is meant to be right.
"""

from __future__ import annotations

import os
import re
import uuid
from typing import Any

import schemathesis
from schemathesis import Case, CheckContext, HookContext, Response
from schemathesis.core.parameters import ParameterLocation
from schemathesis.generation import GenerationMode
from schemathesis.generation.meta import CaseMetadata

from tests.fuzz.known import FOLLOWED, agreed, is_chosen, localised

_JSON = "application/json"
_KEY = "Idempotency-Key"
_TWICE = {_KEY: "idempotencyKey", "If-Match": "ifMatch"}
"""What may be said in a header or in the body, but not differently in both."""
_METHODS = ("get", "post", "put", "patch", "delete")
_examples: dict[str, dict[str, Any]] = {}
"""The localised example of each operation that takes a body, by its label (`POST /v1/orders`)."""
_header_patterns: dict[str, dict[str, str]] = {}
"""The patterns of its headers, by its label."""
_created: set[str] = set()
"""The addresses of the documents that were created."""


@schemathesis.hook
def before_load_schema(context: HookContext, raw_schema: dict[str, Any]) -> None:
    """Examples with nodes of the rulebook; links from a document to what can be done to it, with its ETag."""
    for path, item in raw_schema["paths"].items():
        for method in _METHODS:
            content = item.get(method, {}).get("requestBody", {}).get("content", {}).get(_JSON, {})
            for example in content.get("examples", {}).values():
                example["value"] = localised(example["value"])
                _examples.setdefault(f"{method.upper()} {path}", example["value"])
            _header_patterns[f"{method.upper()} {path}"] = {
                one["name"]: one["schema"]["pattern"]
                for one in item.get(method, {}).get("parameters", ())
                if one["in"] == "header" and "pattern" in one["schema"]
            }
    for path, item in raw_schema["paths"].items():
        if "post" in item and f"{path}/{{documentId}}" in raw_schema["paths"]:
            _link(raw_schema["paths"], path)


def _link(paths: dict[str, Any], collection: str) -> None:
    one = paths[f"{collection}/{{documentId}}"]
    acts = [
        item[method]["operationId"]
        for path, item in paths.items()
        if path.startswith(f"{collection}/{{documentId}}")
        for method in ("patch", "post")
        if method in item and item[method]["operationId"].startswith(os.environ.get(FOLLOWED, ""))
    ]
    where = {"documentId": "$response.body#/documentId"}
    for status in ("200", "201"):
        _add(paths[collection]["post"], status, one["get"]["operationId"], {"parameters": where})
    for operation_id in acts:
        link = {"parameters": where, "requestBody": {"ifMatch": "$response.body#/etag"}}
        _add(one["get"], "200", operation_id, link)


def _add(operation: dict[str, Any], status: str, operation_id: str, link: dict[str, Any]) -> None:
    answer = operation["responses"].get(status)
    if answer is not None:
        answer.setdefault("links", {})[f"{operation_id}After"] = {"operationId": operation_id, **link}


@schemathesis.hook
def after_call(context: HookContext, case: Case[Any], response: Response) -> None:
    """Remember what was created."""
    if case.method.upper() == "POST" and response.status_code in {200, 201} and "{" not in case.path:
        _created.add(f"{case.path}/{response.json()['documentId']}")


@schemathesis.check
def created_is_there(ctx: CheckContext, response: Response, case: Case[Any]) -> None:
    """What was created can be read. schemathesis' own check of this stays away from operations with optional headers,
    and reading has one."""
    asked = case.formatted_path
    if case.method.upper() == "GET" and asked in _created:
        assert response.status_code != 404, f"{asked} was created, and is not there"


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Two of three right bodies are made to agree with themselves; every right request has one key and one ETag."""
    if case.meta is None:
        return
    label = f"{case.method.upper()} {case.path}"
    headers = case.headers
    if _KEY in headers and not _tries_headers(case.meta):
        headers[_KEY] = str(uuid.uuid4())
    if case.meta.generation.mode is not GenerationMode.POSITIVE:
        return
    for name, pattern in _header_patterns.get(label, {}).items():
        # Where it finds no text for a pattern, schemathesis' coverage says "0" and calls it right.
        if name in headers and re.search(pattern, str(headers[name])) is None:
            headers.pop(name)
    if isinstance(case.body, dict):
        _mend(case.body, case, label, headers)


def _tries_headers(meta: CaseMetadata) -> bool:
    """Otherwise coverage says the same key in all its requests, or an empty one, for which v1 was released without a
    pattern; and most would be refused for that instead of what they try."""
    of_headers = meta.components.get(ParameterLocation.HEADER)
    tried = getattr(meta.phase.data, "parameter_location", None)
    return tried is ParameterLocation.HEADER or (of_headers is not None and of_headers.mode is GenerationMode.NEGATIVE)


def _mend(body: dict[str, Any], case: Case[Any], label: str, headers: Any) -> None:
    if label in _examples and is_chosen(body):
        case.body = body = agreed(body, _examples[label])
    for name, member in _TWICE.items():
        if name in headers and body.get(member) is not None:
            headers.pop(name)
    if _KEY not in headers and not body.get("idempotencyKey") and not body.get("externalId"):
        body["idempotencyKey"] = str(uuid.uuid4())
