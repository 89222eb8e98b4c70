"""Check OpenAPI documents against the rules of this folder: `python -m tools.contract.lint FILE...`.

A document of OpenAPI 3.0 must hold the rules of the flat one as well. Exit code 0: nothing found, 1: something found,
2: a file that cannot be read.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Final

from tools.contract import rules_of_answers, rules_of_flat, rules_of_names
from tools.contract.reading import Document, Finding, Rule

RULES: Final[dict[str, Rule]] = {**rules_of_names.RULES, **rules_of_answers.RULES}
FLAT_RULES: Final[dict[str, Rule]] = dict(rules_of_flat.RULES)


def lint(document: Document, *, flat: bool) -> list[Finding]:
    """Everything that is wrong, in the order of the rules. `flat`: with the rules of the flat document."""
    rules = {**RULES, **FLAT_RULES} if flat else RULES
    return [Finding(name, where, message) for name, rule in rules.items() for where, message in rule(document)]


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(prog="python -m tools.contract.lint", description=__doc__)
    parser.add_argument("files", nargs="+", type=Path)
    parser.add_argument("--flat", action="store_true", help="hold every file to the rules of the flat document")
    given = parser.parse_args(arguments)
    found = 0
    for path in given.files:
        try:
            document = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            sys.stderr.write(f"{path}: {error}\n")
            return 2
        flat = given.flat or str(document.get("openapi", "")).startswith("3.0")
        for finding in lint(document, flat=flat):
            sys.stdout.write(f"{path}: {finding}\n")
            found += 1
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
