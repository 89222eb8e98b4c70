"""openapi-diff beside our own comparison: another reader's opinion on what a later document may not say any more.

Source: https://bitbucket.org/atlassian/openapi-diff. It compares the sets of bodies that two documents of OpenAPI 3.0
admit, so it sees breaks in schemas without knowing their names. It does not look at operation ids, names of schemas,
parameters of queries, patterns and values of enumerations, and reads nothing newer than 3.0: there our own rules
stand alone (`breaking`).
"""

from __future__ import annotations

import copy
import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tools.contract.reading import SCHEMAS, Document, Finding, every_node, named_schemas, operations
from tools.node.installation import NodeTools

_SCRIPT: Final = Path(__file__).with_name("openapi_diff.cjs")
_LIMIT_S: Final = 900.0
"""Longest that it may take for all documents together. It computes with sets of bodies, so its time grows steeply:
0.3 s for a document of two operations, minutes for one of twenty."""


class OpenapiDiffFailed(RuntimeError):
    """It could not compare; the message holds what it said."""


def differences(tools: NodeTools, earlier: Document, later: Sequence[Document]) -> list[list[Finding]]:
    """What breaks callers of `earlier` in each later document, all of OpenAPI 3.0.

    Raises:
        OpenapiDiffFailed: a document that it does not read.
        NodeToolFailed: it took too long.
    """
    with tempfile.TemporaryDirectory() as directory:
        paths = []
        for number, document in enumerate([earlier, *later]):
            path = Path(directory) / f"{number}.json"
            path.write_text(json.dumps(requests_closed(document)), encoding="utf-8")
            paths.append(path)
        done = tools.run(_SCRIPT, *paths, limit_s=_LIMIT_S)
    if done.returncode != 0:
        raise OpenapiDiffFailed(done.stderr[-2_000:])
    return [
        [Finding(one["code"], ", ".join(one["where"]), "breaks") for one in found] for found in json.loads(done.stdout)
    ]


def requests_closed(document: Document) -> Document:
    """A copy that says of its requests what holds of them: they admit no other members.

    The flat document leaves the word out, and a member more would look as if it took something from callers.
    """
    found: Document = copy.deepcopy(document)
    schemas = named_schemas(found)
    pending: list[Any] = [one.body["requestBody"] for one in operations(found) if "requestBody" in one.body]
    seen: set[str] = set()
    while pending:
        for _, node in every_node(pending.pop()):
            name = str(node.get("$ref", "")).removeprefix(SCHEMAS)
            if name in schemas and name not in seen:
                seen.add(name)
                pending.append(schemas[name])
    for name in seen:
        if "properties" in schemas[name]:
            schemas[name]["additionalProperties"] = False
    return found
