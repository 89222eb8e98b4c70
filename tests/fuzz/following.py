"""Documents followed from their creation on: submit, read, change with the ETag that was read, or undo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.clients.running import Running
from tests.fuzz.campaign import CHAINS, Campaign, Chain, campaign

ACTS = {"change": ("PATCH", ""), "cancel": ("POST", "/cancel"), "reverse": ("POST", "/reverse")}
"""By name, with which its operation ids begin: the method, and what follows the document's address."""
ROUND_S = 6
MOST_ROUNDS = 6
"""What is tried is a matter of chance: rounds of some seconds until an act was met."""


def chains_to(act: str, document: dict[str, Any]) -> list[Chain]:
    """Submission, reading and the act, for every domain that has it, masters left out: theirs say less."""
    method, ending = ACTS[act]
    undone = {path.split("/{")[0] for path in document["paths"] if path.endswith(("/cancel", "/reverse"))}
    return [
        (f"POST {collection}", f"GET {collection}/{{documentId}}", f"{method} {collection}/{{documentId}}{ending}")
        for collection in sorted(undone)
        if method.lower() in document["paths"].get(f"{collection}/{{documentId}}{ending}", {})
    ]


def follow(running: Running, folder: Path, document: dict[str, Any], seed: int = 1) -> tuple[Campaign, list[str]]:
    """Rounds until every act was met after a reading; what was found, and the acts that never were."""
    whole, unmet = Campaign(), []
    for act in ACTS:
        chains = chains_to(act, document)
        collections = "|".join(chain[0].rsplit("/", 1)[1] for chain in chains)
        for number in range(MOST_ROUNDS if chains else 0):
            whole.add(follow_once(running, folder, collections, seed=seed + number, act=act))
            if any(whole.chains[chain] for chain in chains):
                break
        else:
            unmet.append(act)
    return whole, unmet


def follow_once(running: Running, folder: Path, collections: str, *, seed: int, act: str = "") -> Campaign:
    """One round. `collections`: their names, with a bar between; `act`: the only one to which a reading leads."""
    return campaign(
        running,
        folder,
        examples=1_000,
        phases="stateful",
        mode="positive",
        configuration=CHAINS,
        seed=seed,
        seconds=ROUND_S,
        operations=f"^/v1/({collections})(/|$)",
        followed=act,
    )
