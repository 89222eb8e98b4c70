"""Documents followed from their creation on: submit, read, change with the ETag that was read, or undo."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.clients.running import Running
from tests.fuzz.campaign import CHAINS, Campaign, Chain, campaign

ROUND_S = 10
MOST_ROUNDS = 6
"""What is tried is a matter of chance: rounds of ten seconds until each kind of act was met, one minute at most."""


def acts(document: dict[str, Any], ending: str) -> list[Chain]:
    """Chains of submission, reading and one act, for every domain that has it. `ending`: "" is a change."""
    found: list[Chain] = []
    for path, item in document["paths"].items():
        if path.endswith(f"/{{documentId}}{ending}") and ("post" in item if ending else "patch" in item):
            collection = path.split("/{")[0]
            method = "POST" if ending else "PATCH"
            found.append((f"POST {collection}", f"GET {collection}/{{documentId}}", f"{method} {path}"))
    return found


def follow(running: Running, folder: Path, document: dict[str, Any], seed: int = 1) -> tuple[Campaign, list[str]]:
    """Rounds until every kind of act was met after a reading; what was found, and the kinds that never were."""
    wanted = {
        name: acts(document, ending)
        for name, ending in (("change", ""), ("cancel", "/cancel"), ("reverse", "/reverse"))
    }
    whole = Campaign()
    for number in range(MOST_ROUNDS):
        paths = "|".join(sorted({chain[0].split("/v1/")[1] for chains in wanted.values() for chain in chains}))
        if not paths:
            break
        whole.add(follow_once(running, folder, paths, seed=seed + number))
        wanted = {name: chains for name, chains in wanted.items() if not any(whole.chains[one] for one in chains)}
    return whole, sorted(name for name, chains in wanted.items() if chains)


def follow_once(running: Running, folder: Path, collections: str, *, seed: int) -> Campaign:
    """One round. `collections`: their names, with a bar between."""
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
    )
