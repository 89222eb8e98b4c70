"""Spectral over files, with the rules of this folder.

Source: https://docs.stoplight.io/docs/spectral/. It knows one place of a document at a time; the rules that compare
places are in `whole_document`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from tools.contract.reading import Finding
from tools.node.installation import NodeTools

HERE: Final = Path(__file__).parent
HOUSE_RULES: Final = HERE / "spectral.yaml"
FLAT_RULES: Final = HERE / "spectral-flat.yaml"

_COMMAND: Final = "@stoplight/spectral-cli/dist/index.js"
_NOTHING_FOUND, _SOMETHING_FOUND = 0, 1


class SpectralFailed(RuntimeError):
    """Spectral did not judge the files: a rule set or a file that it cannot read. The message holds what it said."""


def spectral(tools: NodeTools, files: Sequence[Path], *, flat: bool) -> dict[Path, list[Finding]]:
    """What is wrong in each file, in the order of the rules' findings. `flat`: with the rules of the flat document.

    Raises:
        SpectralFailed: it could not judge.
        NodeToolFailed: it took too long.
    """
    found: dict[Path, list[Finding]] = {file: [] for file in files}
    if not files:
        return found
    rules = FLAT_RULES if flat else HOUSE_RULES
    done = tools.run(
        _COMMAND, "lint", "--ruleset", rules, "--format", "json", "--quiet", "--fail-severity", "warn", *files
    )
    if done.returncode not in {_NOTHING_FOUND, _SOMETHING_FOUND}:
        raise SpectralFailed(f"Spectral ended with {done.returncode}: {(done.stderr or done.stdout)[-2_000:]}")
    by_path = {file.resolve(): file for file in files}
    for one in json.loads(done.stdout or "[]"):
        where = "/".join(str(part) for part in one["path"])
        found[by_path[Path(one["source"]).resolve()]].append(Finding(one["code"], where, one["message"]))
    return found
