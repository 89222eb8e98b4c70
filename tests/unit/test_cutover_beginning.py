"""What docs/cutover.md says of its beginning makes the rulebook that its journey begins with."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import routing_rules
from routing_rules import load_rulebook
from tests.journeys.cutover_world import first_rulebook

DOCUMENT = Path(__file__).parents[2] / "docs" / "cutover.md"


def test_the_commands_of_the_beginning_make_the_journeys_rulebook(tmp_path: Path):
    (block,) = re.findall(r"^```sh\n(.*?)^```", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    shutil.copytree(Path(routing_rules.__file__).parent / "tables", tmp_path / "rulebook")
    subprocess.run(["bash", "-eu", "-c", block], cwd=tmp_path, check=True, timeout=120)
    first_rulebook(tmp_path / "wanted")
    made, wanted = load_rulebook(tmp_path / "rulebook"), load_rulebook(tmp_path / "wanted")
    assert (made.version, made.governance_version) == (wanted.version, wanted.governance_version)
