"""Spectral over files, with the rules of this folder.

Source: https://docs.stoplight.io/docs/spectral/. It knows one place of a document at a time; the rules that compare
places are in `whole_document`.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from tools.contract.reading import Finding
from tools.node.installation import NodeTools

HERE: Final = Path(__file__).parent
HOUSE_RULES: Final = HERE / "spectral.yaml"
FLAT_RULES: Final = HERE / "spectral-flat.yaml"

_COMMAND: Final = "@stoplight/spectral-cli/dist/index.js"
_EXAMPLES: Final = frozenset({"example", "examples"})

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
    with tempfile.TemporaryDirectory() as folder:
        copies = {_without_examples(file, Path(folder, f"{place}.json")): file for place, file in enumerate(files)}
        done = tools.run(
            _COMMAND, "lint", "--ruleset", rules, "--format", "json", "--quiet", "--fail-severity", "warn", *copies
        )
    if done.returncode not in {_NOTHING_FOUND, _SOMETHING_FOUND}:
        raise SpectralFailed(f"Spectral ended with {done.returncode}: {(done.stderr or done.stdout)[-2_000:]}")
    by_path = {copy.resolve(): file for copy, file in copies.items()}
    for one in json.loads(done.stdout or "[]"):
        where = "/".join(str(part) for part in one["path"])
        found[by_path[Path(one["source"]).resolve()]].append(Finding(one["code"], where, one["message"]))
    return found


def _without_examples(file: Path, copy: Path) -> Path:
    """Examples are most of a document, and Spectral takes eight times as long with them. That they hold their schemas
    is a test's business."""
    copy.write_text(json.dumps(_cut(json.loads(file.read_text(encoding="utf-8")))), encoding="utf-8")
    return copy


def _cut(value: Any, *, named: bool = False) -> Any:
    """`named`: the keys are names of somebody's, as those of properties."""
    if isinstance(value, list):
        return [_cut(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _cut(one, named=not named and key == "properties")
        for key, one in value.items()
        if named or key not in _EXAMPLES
    }
