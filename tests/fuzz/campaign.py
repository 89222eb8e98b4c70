"""One run of schemathesis against a gateway, and what its report says."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from adapters.canonical import DOMAINS
from tests.clients.running import Running
from tests.fuzz.known import FOLLOWED, localised

ROOT = Path(__file__).parents[2]
NOT_FUZZED = "^/v1/(cutover|drafts|rulebooks|simulations)(/|$)"
"""What changes the rules for all: a slice frozen by one case would be the answer to all later ones."""
SCOPES = ("documents:submit", "documents:read", "ledger:read", "operations:act")
PHASES = "examples,coverage,fuzzing,stateful"
_COMMAND = Path(sys.executable).with_name("schemathesis")
WHOLE = Path(__file__).with_name("schemathesis.toml")
CHAINS = Path(__file__).with_name("chains.toml")

Chain = tuple[str, ...]


@dataclass(slots=True)
class Campaign:
    """What was tried and found. `cases`: requests, each judged by every check. `chains`: how often operations that
    succeeded followed on one another, each from the answer of the one before."""

    cases: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    by_phase: Counter[str] = field(default_factory=Counter)
    posted: Counter[str] = field(default_factory=Counter)
    failures: Counter[tuple[str, str]] = field(default_factory=Counter)
    chains: Counter[Chain] = field(default_factory=Counter)
    said: str = ""

    def add(self, other: Campaign) -> None:
        """Count another run in."""
        self.cases += other.cases
        for name in ("statuses", "by_phase", "posted", "failures", "chains"):
            getattr(self, name).update(getattr(other, name))
        self.said += other.said

    def __str__(self) -> str:
        lines = [
            f"{self.cases} cases",
            f"by phase: {dict(self.by_phase)}",
            f"by status: {dict(sorted(self.statuses.items()))}",
        ]
        lines += [f"created or changed by {label}: {count}" for label, count in sorted(self.posted.items())]
        lines += [f"chain {' → '.join(chain)}: {count}" for chain, count in self.chains.most_common(12)]
        lines += [f"FAILED {check} at {label}: {count}" for (check, label), count in self.failures.items()]
        return "\n".join(lines)


def document_of(base_url: str) -> dict[str, Any]:
    """The description that the gateway serves."""
    found: dict[str, Any] = httpx.get(f"{base_url}/openapi.json", trust_env=False, timeout=30).raise_for_status().json()
    return found


def post_examples(running: Running, document: dict[str, Any]) -> dict[str, int]:
    """Submit the example of every domain, so that later ones find what they refer to; the status of each."""
    headers = {"Authorization": f"Bearer {running.token('salesforce', *SCOPES)}"}
    found = {}
    with httpx.Client(base_url=running.base_url, headers=headers, trust_env=False, timeout=60) as client:
        for path, example in examples_of(document).items():
            answer = client.post(path, json=localised(example))
            found[path] = answer.status_code
            assert answer.status_code in {200, 201}, f"{path}: {answer.status_code} {answer.text}"
    return found


def examples_of(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The first example of every submission, by path, in the order of the document."""
    return {
        path: next(iter(content["examples"].values()))["value"]
        for path, item in document["paths"].items()
        if path.removeprefix("/v1/") in DOMAINS and "post" in item
        for content in [item["post"]["requestBody"]["content"]["application/json"]]
        if content.get("examples")
    }


def campaign(
    running: Running,
    folder: Path,
    *,
    examples: int,
    phases: str = PHASES,
    mode: str = "all",
    configuration: Path = WHOLE,
    seed: int = 1,
    seconds: int | None = None,
    limit_s: float = 3_600,
    operations: str | None = None,
    followed: str = "",
) -> Campaign:
    """Run schemathesis with all checks in all modes. `examples`: cases that it makes up of one operation, at most.

    `operations`: only those whose path matches this pattern. `followed`: as `FOLLOWED` says.

    Raises AssertionError if it did not come to its end.
    """
    report = folder / f"report-{len(list(folder.glob('report-*')))}.ndjson"
    command: list[str | Path] = [
        *(_COMMAND, f"--config-file={configuration}", "run", f"{running.base_url}/openapi.json"),
        *("--checks", "all", "--mode", mode, "--phases", phases, "--max-examples", str(examples)),
        *("--exclude-path-regex", NOT_FUZZED),
        *("--seed", str(seed), "--report", "ndjson", f"--report-ndjson-path={report}"),
        *("--header", f"Authorization: Bearer {running.token('salesforce', *SCOPES)}"),
    ]
    if seconds is not None:
        command += ["--max-time", str(seconds)]
    if operations is not None:
        command += ["--include-path-regex", operations]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "NO_PROXY": "*", FOLLOWED: followed},
        capture_output=True,
        text=True,
        check=False,
        timeout=limit_s,
    )
    assert done.returncode in {0, 1}, (
        f"schemathesis ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
    )
    found = Campaign(said=done.stdout)
    ended = False
    for event in _events(report):
        ended = ended or "EngineFinished" in event
        if "ScenarioFinished" in event:
            _count(event["ScenarioFinished"], found)
    assert ended, f"schemathesis did not come to its end:\n{done.stdout[-3000:]}"
    return found


def _events(report: Path) -> Iterator[dict[str, Any]]:
    with report.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _count(scenario: dict[str, Any], found: Campaign) -> None:
    recorder = scenario["recorder"]
    cases: dict[str, Any] = recorder.get("cases", {})
    interactions: dict[str, Any] = recorder.get("interactions", {})
    found.cases += len(cases)
    found.by_phase[scenario["phase"]] += len(cases)
    for name, case in cases.items():
        status = _status(interactions, name)
        if status is None:
            continue
        found.statuses[status] += 1
        label = _label(case)
        if status < 300 and not label.startswith(("GET", "OPTIONS", "HEAD")):
            found.posted[label] += 1
        chain = tuple(_label(cases[one]) for one in _ancestry(cases, name) if (_status(interactions, one) or 500) < 300)
        if status < 300 and len(chain) > 1 and len(set(chain)) > 1:
            found.chains[chain] += 1
    for name, checks in recorder.get("checks", {}).items():
        for check in checks:
            if check["status"] != "success":
                found.failures[check["name"], _label(cases[name])] += 1


def _ancestry(cases: dict[str, Any], name: str) -> list[str]:
    """The case and those that it came from, the earliest first."""
    found = [name]
    while (parent := cases[found[0]].get("parent_id")) is not None and parent in cases:
        found.insert(0, parent)
    return found


def _label(case: dict[str, Any]) -> str:
    return f"{case['value']['method']} {case['value']['path']}"


def _status(interactions: dict[str, Any], name: str) -> int | None:
    answer = (interactions.get(name) or {}).get("response")
    return None if answer is None else int(answer["status_code"])
