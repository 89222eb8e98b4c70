"""Check OpenAPI documents against the rules of this folder: `python -m tools.contract.lint FILE...`.

Spectral holds the rules of one place (`spectral.yaml`, `spectral-flat.yaml`), Python those that compare places
(`whole_document`). A document of OpenAPI 3.0 must hold the rules of the flat one as well. Exit code 0: nothing found,
1: something found, 2: a file that cannot be read, or a tool that failed.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.contract import whole_document
from tools.contract.reading import Document, Finding
from tools.contract.spectral import SpectralFailed, spectral
from tools.node.installation import NodeToolFailed, NodeTools, node_tools


def lint(tools: NodeTools, files: Sequence[Path], *, flat: bool = False) -> dict[Path, list[Finding]]:
    """Everything that is wrong in each file. `flat`: hold every file to the rules of the flat document.

    Raises:
        OSError, ValueError: a file that is not there, or not JSON.
        SpectralFailed, NodeToolFailed: a tool failed.
    """
    documents: dict[Path, Document] = {path: json.loads(path.read_text(encoding="utf-8")) for path in files}
    flat_ones = [path for path, one in documents.items() if flat or str(one.get("openapi", "")).startswith("3.0")]
    others = [path for path in files if path not in flat_ones]
    found = {**spectral(tools, flat_ones, flat=True), **spectral(tools, others, flat=False)}
    return {path: [*found[path], *_compared(document)] for path, document in documents.items()}


def _compared(document: Document) -> list[Finding]:
    return [
        Finding(name, where, message)
        for name, rule in whole_document.RULES.items()
        for where, message in rule(document)
    ]


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tools.contract.lint", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--flat", action="store_true", help="hold every file to the rules of the flat document")
    given = parser.parse_args(arguments)
    try:
        found = lint(node_tools(), given.files, flat=given.flat)
    except (OSError, ValueError, SpectralFailed, NodeToolFailed) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    for path, findings in found.items():
        for finding in findings:
            sys.stdout.write(f"{path}: {finding}\n")
    return 1 if any(found.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
