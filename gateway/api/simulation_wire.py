"""Simulations and dark observation in wire words."""

from __future__ import annotations

import json
from typing import Any, Final

from gateway.cutover.dark_findings import DarkFindings
from gateway.domain.drafts import DraftRecord
from gateway.domain.simulations import DarkWatchRecord, SimulationRecord, SimulationState
from gateway.domain.wire import instant

PATH: Final = "/v1/simulations"


def summary_wire(record: SimulationRecord) -> dict[str, Any]:
    """Without what was found."""
    address = f"{PATH}/{record.simulation_id}"
    return {
        "simulationId": record.simulation_id,
        "draftId": record.draft_id,
        "state": record.state.value,
        "candidate": {"tableVersion": record.table_version, "governanceVersion": record.governance_version},
        "base": {
            "activationNumber": record.base_activation_number,
            "tableVersion": record.base_table_version,
            "governanceVersion": record.base_governance_version,
        },
        "window": {"since": instant(record.since), "until": instant(record.until)},
        "requestedAt": instant(record.requested_at),
        "requestedBy": record.requested_by,
        "finishedAt": None if record.finished_at is None else instant(record.finished_at),
        "entriesExpected": record.expected,
        "entriesRead": record.entries,
        "resultHash": record.result_hash,
        "failure": record.failure,
        "statusUrl": address,
        "reportUrl": f"{address}/report" if record.state is SimulationState.DONE else None,
    }


def simulation_wire(record: SimulationRecord) -> dict[str, Any]:
    """With what was found."""
    return {**summary_wire(record), "result": None if record.result is None else json.loads(record.result)}


def dark_wire(watch: DarkWatchRecord, draft: DraftRecord | None) -> dict[str, Any]:
    """An observation with what it found so far; `draft`: as it stands now."""
    return {
        "draftId": watch.draft_id,
        "state": watch.state.value,
        "tableVersion": watch.table_version,
        "isCurrent": draft is not None and draft.table_version == watch.table_version,
        "startedAt": instant(watch.started_at),
        "startedBy": watch.started_by,
        "endedAt": None if watch.ended_at is None else instant(watch.ended_at),
        "readUntil": instant(watch.read_at),
        **DarkFindings.read(watch.found).as_json(),
    }
