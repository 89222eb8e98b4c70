"""The Dockerfile as a list of stages, so that tests can read it, and run what it runs."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
_TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage. `base` is the image of its FROM, `name` what it is called, `steps` its instructions in order."""

    base: str
    name: str
    steps: list[tuple[str, str]] = field(default_factory=list)

    def arguments(self, instruction: str) -> list[str]:
        """What every instruction of that kind says, on one line each."""
        return [argument for kind, argument in self.steps if kind == instruction]

    def words(self, instruction: str) -> list[str]:
        """The last instruction of that kind, in its exec form."""
        found: list[str] = json.loads(self.arguments(instruction)[-1])
        return found

    def environment(self) -> dict[str, str]:
        """What ENV sets, unexpanded."""
        pairs = (word.split("=", 1) for argument in self.arguments("ENV") for word in argument.split())
        return dict(pairs)  # type: ignore[arg-type]

    def health_check(self) -> list[str]:
        """The command of HEALTHCHECK."""
        argument = self.arguments("HEALTHCHECK")[-1]
        found: list[str] = json.loads(argument[argument.index("[") :])
        return found


def _stages() -> list[Stage]:
    lines = [line for line in _TEXT.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    joined = "\n".join(lines).replace("\\\n", " ")
    stages: list[Stage] = []
    for line in joined.splitlines():
        instruction, argument = line.split(maxsplit=1)
        argument = " ".join(argument.split())
        if instruction == "FROM":
            base, _, name = argument.partition(" AS ")
            stages.append(Stage(base, name))
        else:
            stages[-1].steps.append((instruction, argument))
    return stages


STAGES = _stages()
BUILD, FINAL = STAGES[0], STAGES[-1]
