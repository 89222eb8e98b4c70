"""Whether a document breaks callers of a released one: `python -m tools.contract.breaking RELEASED PRESENT`.

A registration in Salesforce External Services may gain, and not lose or rename, operations, their required
parameters, properties and objects; generated clients break on more than that. What v1 cannot take is a v2.
What a person has accepted stands in `decisions.toml`; a decision that nothing needs is an error as well.
Exit code 0: nothing breaks, 1: something does, 2: a file that cannot be read.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tools.contract.breaking_shapes import Direction, Shapes, schema_names
from tools.contract.decisions import COMMITTED, DecisionsInvalid, read_decisions, undecided
from tools.contract.reading import Document, Finding, Operation, operations


def breaks(before: Document, after: Document) -> list[Finding]:
    """Everything in `after` that a caller of `before` cannot live with."""
    return [*schema_names(before, after), *_operations(before, after)]


def _operations(before: Document, after: Document) -> Iterator[Finding]:
    shapes = Shapes(before, after)
    present = {(one.method, one.path): one for one in operations(after)}
    for old in operations(before):
        new = present.get((old.method, old.path))
        if new is None:
            yield Finding("operation-removed", old.where, "is gone, or has another address")
            continue
        yield from _identity(old, new)
        yield from _access(old, new)
        yield from _parameters(old, new, shapes)
        yield from _body(old, new, shapes)
        yield from _answers(old, new, shapes)


def _identity(old: Operation, new: Operation) -> Iterator[Finding]:
    before, after = old.body.get("operationId"), new.body.get("operationId")
    if before != after:
        yield Finding("operation-renamed", old.where, f"{before} became {after}")


def _access(old: Operation, new: Operation) -> Iterator[Finding]:
    if new.is_secured and not old.is_secured:
        yield Finding("access-narrowed", old.where, "needs a token now")
    before, after = old.body.get("x-any-scope-of"), new.body.get("x-any-scope-of")
    if after is not None and old.is_secured:
        gone = sorted(set(before or ()) - set(after))
        if gone or before is None:
            yield Finding("access-narrowed", old.where, f"the scopes {gone} do not suffice any more")


def _parameters(old: Operation, new: Operation, shapes: Shapes) -> Iterator[Finding]:
    before, after = _named(old), _named(new)
    for key, one in before.items():
        where = f"{old.where} {key[0]}"
        if key not in after:
            yield Finding("parameter-removed", where, "is gone, or has another name or place")
            continue
        if after[key].get("required") and not one.get("required"):
            yield Finding("member-required", where, "is required now")
        yield from shapes.compare(where, one.get("schema", {}), after[key].get("schema", {}), "request")
    for key, one in after.items():
        if key not in before and one.get("required"):
            yield Finding("member-required", f"{old.where} {key[0]}", "is new and required")


def _named(operation: Operation) -> dict[tuple[str, str], dict[str, Any]]:
    return {(one["name"], one["in"]): one for one in operation.body.get("parameters", ())}


def _body(old: Operation, new: Operation, shapes: Shapes) -> Iterator[Finding]:
    before, after = old.body.get("requestBody"), new.body.get("requestBody")
    where = f"{old.where}/requestBody"
    if before is None:
        if after is not None and after.get("required"):
            yield Finding("member-required", where, "is new and required")
        return
    if after is None:
        yield Finding("body-removed", where, "is gone")
        return
    if after.get("required") and not before.get("required"):
        yield Finding("member-required", where, "is required now")
    yield from _contents(where, before, after, shapes, is_answer=False)


def _answers(old: Operation, new: Operation, shapes: Shapes) -> Iterator[Finding]:
    after = new.body.get("responses", {})
    for status, answer in old.body.get("responses", {}).items():
        where = f"{old.where}/responses/{status}"
        if status not in after:
            yield Finding("status-removed", where, "is gone")
            continue
        for name in answer.get("headers", {}):
            if name not in after[status].get("headers", {}):
                yield Finding("header-removed", where, f"the header {name} is gone")
        yield from _contents(where, answer, after[status], shapes, is_answer=True)
    for status in after:
        # A problem more is a problem document that every caller can read; another success is another meaning.
        if status.startswith("2") and status not in old.body.get("responses", {}):
            yield Finding("status-added", f"{old.where}/responses/{status}", "is a new way to succeed")


def _contents(
    where: str, before: dict[str, Any], after: dict[str, Any], shapes: Shapes, *, is_answer: bool
) -> Iterator[Finding]:
    for media_type, content in before.get("content", {}).items():
        other = after.get("content", {}).get(media_type)
        if other is None:
            yield Finding("media-type-removed", where, f"{media_type} is gone")
            continue
        direction: Direction = "answer" if is_answer else "request"
        yield from shapes.compare(where, content.get("schema", {}), other.get("schema", {}), direction)


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tools.contract.breaking", description=__doc__)
    parser.add_argument("released", type=Path)
    parser.add_argument("present", type=Path)
    parser.add_argument("--decisions", type=Path, default=COMMITTED, help="what a person has accepted (TOML)")
    given = parser.parse_args(arguments)
    documents = []
    for path in (given.released, given.present):
        try:
            documents.append(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError) as error:
            sys.stderr.write(f"{path}: {error}\n")
            return 2
    try:
        version = str(documents[1]["info"]["version"])
        found = undecided(breaks(*documents), read_decisions(given.decisions), given.released.name, version)
    except (KeyError, TypeError):
        sys.stderr.write(f"{given.present}: has no version\n")
        return 2
    except DecisionsInvalid as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for line in found:
        sys.stdout.write(f"{line}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
