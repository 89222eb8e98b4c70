"""Drafts, their reviews and activations in wire words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, Final

from gateway.cutover.draft_files import read
from gateway.cutover.gates.registry import GateVerdict
from gateway.cutover.review import Review
from gateway.cutover.three_persons import Judged
from gateway.domain.activations import ActivationRequest
from gateway.domain.drafts import ApprovalRecord, DraftEditRecord, DraftRecord, WaiverRecord
from gateway.domain.facts import camel
from gateway.domain.simulations import SimulationRecord
from gateway.domain.wire import instant
from routing_rules import Change, Finding, Proof, RowPlace

SHOWN_CHANGES: Final = 500
"""Boxes that a review lists; nobody reads on, and their number is told."""
SHOWN_ROWS: Final = 500


def rule(table_version: str, governance_version: str) -> dict[str, str]:
    """Both versions."""
    return {"tableVersion": table_version, "governanceVersion": governance_version}


def draft_wire(draft: DraftRecord) -> dict[str, Any]:
    """A draft without its files."""
    return {
        "draftId": draft.draft_id,
        "title": draft.title,
        "state": draft.state,
        "version": draft.version,
        "etag": draft.etag,
        "rule": rule(draft.table_version, draft.governance_version),
        "baseActivationNumber": draft.base_activation_number,
        "createdAt": instant(draft.created_at),
        "updatedAt": instant(draft.updated_at),
        "activationId": draft.activation_id,
        "effectiveAt": None if draft.effective_at is None else instant(draft.effective_at),
        "activationNumber": draft.activation_number,
    }


def files_wire(stored: str) -> list[dict[str, str]]:
    """The files of a draft's row."""
    return [{"fileName": name, "text": text} for name, text in sorted(read(stored).items())]


def review_wire(review: Review) -> dict[str, Any]:
    """All that reviewers judge by."""
    analysis, standing = review.analysis, review.standing
    base = review.rules
    told = analysis.too_many_cells is None
    missing = set(standing.missing)
    counted = {one.waiver_id for one in standing.counted()}
    return {
        **draft_wire(review.draft),
        "basedOnWhatIsInForce": review.draft.base_activation_number == base.activation_number,
        "inForce": rule(base.rulebook.version, base.rulebook.governance_version),
        "inForceActivationNumber": base.activation_number,
        "files": files_wire(review.draft.files),
        "edits": [_edit(one, review.names) for one in review.edits],
        "changes": [_change(one) for one in analysis.changes[:SHOWN_CHANGES]] if told else None,
        "changesInAll": len(analysis.changes),
        "changesWhy": analysis.too_many_cells,
        "groundChanges": [one.as_json() for one in analysis.ground[:SHOWN_CHANGES]],
        "touches": [
            {"domain": domain, "owners": sorted(owners), "approved": domain not in missing}
            for domain, owners in standing.owners.items()
        ],
        "proof": _proof(analysis.proof),
        "failedExamples": [str(one) for one in analysis.failures],
        "coverage": {
            "rows": len(analysis.coverage.rows),
            "rowsWithoutExample": [
                _row(RowPlace.of(one.row)) for one in analysis.coverage.without_example()[:SHOWN_ROWS]
            ],
        },
        "simulation": None if review.simulation is None else _simulation(review.simulation),
        "approvals": [_approval(one, review.names) for one in standing.judged()],
        "waivers": [_waiver(one, review, one.waiver_id in counted) for one in standing.waivers],
        "gates": gates_wire(review.verdicts),
    }


def gates_wire(verdicts: Iterable[GateVerdict]) -> list[dict[str, Any]]:
    """What each gate says."""
    return [one.as_json() for one in verdicts]


def approval_wire(approval: ApprovalRecord) -> dict[str, Any]:
    """An approval, with all that it names."""
    return {
        "approvalId": approval.approval_id,
        "draftId": approval.draft_id,
        "approvedAt": instant(approval.approved_at),
        "draftVersion": approval.draft_version,
        "rule": rule(approval.table_version, approval.governance_version),
        "baseActivationNumber": approval.base_activation_number,
        "baseRule": rule(approval.base_table_version, approval.base_governance_version),
        "simulationId": approval.simulation_id,
        "simulationDigest": approval.simulation_digest,
    }


def waiver_wire(waiver: WaiverRecord) -> dict[str, Any]:
    """A waiver."""
    return {
        "waiverId": waiver.waiver_id,
        "draftId": waiver.draft_id,
        "gate": waiver.gate,
        "waivedAt": instant(waiver.waived_at),
        "expiresAt": instant(waiver.expires_at),
    }


def activation_wire(request: ActivationRequest) -> dict[str, Any]:
    """A request to bring rules into force."""
    failure: Mapping[str, Any] = {} if request.failure is None else json.loads(request.failure)
    return {
        "activationId": request.activation_id,
        "draftId": request.draft_id,
        "state": request.state.value,
        "rule": rule(request.table_version, request.governance_version),
        "baseActivationNumber": request.base_activation_number,
        "requestedAt": instant(request.requested_at),
        "effectiveAt": instant(request.effective_at),
        "settledAt": None if request.settled_at is None else instant(request.settled_at),
        "activationNumber": request.activation_number,
        "failedGates": list(failure.get("gates", [])),
    }


def _simulation(simulation: SimulationRecord) -> dict[str, Any]:
    return {
        "simulationId": simulation.simulation_id,
        "digest": simulation.result_hash,
        "windowStart": instant(simulation.since),
        "windowEnd": instant(simulation.until),
        "entries": simulation.entries,
        "finishedAt": None if simulation.finished_at is None else instant(simulation.finished_at),
    }


def _acting(person: str, client: str, names: Mapping[str, str]) -> dict[str, Any]:
    return {"person": person, "personName": names.get(person), "client": client}


def _edit(edit: DraftEditRecord, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "version": edit.version,
        "editedBy": _acting(edit.person, edit.client, names),
        "editedAt": instant(edit.edited_at),
        "rule": rule(edit.table_version, edit.governance_version),
        "baseActivationNumber": edit.base_activation_number,
    }


def _approval(judged: Judged, names: Mapping[str, str]) -> dict[str, Any]:
    approval = judged.approval
    wire = approval_wire(approval)
    del wire["draftId"]
    return {
        **wire,
        "approvedBy": _acting(approval.person, approval.client, names),
        "teams": json.loads(approval.teams),
        "counts": not judged.void,
        "voidReasons": list(judged.void),
        "domains": sorted(judged.domains),
    }


def _waiver(waiver: WaiverRecord, review: Review, counts: bool) -> dict[str, Any]:
    wire = waiver_wire(waiver)
    del wire["draftId"]
    return {
        **wire,
        "waivedBy": _acting(waiver.person, waiver.client, review.names),
        "reason": review.reasons.get(waiver.waiver_id),
        "counts": counts,
    }


def _change(change: Change) -> dict[str, Any]:
    return {
        "domain": change.domain,
        "conditions": _cells(change.where),
        "changed": [
            {"column": camel(name), "before": before, "after": after}
            for name, (before, after) in change.changed.items()
        ],
        "rowsBefore": list(change.rows_before),
        "rowsAfter": list(change.rows_after),
    }


def _cells(where: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"column": camel(column), "text": text} for column, text in where.items()]


def _proof(proof: Proof) -> dict[str, Any]:
    return {
        "clean": proof.clean,
        "cells": proof.cells,
        "more": proof.more,
        "findings": [_finding(one) for one in proof.findings],
    }


def _finding(finding: Finding) -> dict[str, Any]:
    witness = None
    if finding.witness is not None:
        # A schema version is of records; a witness is none.
        values = finding.witness.as_json()
        witness = {
            camel("currency_code" if name == "currency" else name): value
            for name, value in values.items()
            if value is not None and name != "schema_version"
        }
    return {
        "code": finding.code.value,
        "severity": finding.severity.value,
        "domain": finding.domain,
        "message": finding.message,
        "mend": finding.mend,
        "witness": witness,
        "conditions": _cells(finding.where),
        "rows": [_row(one) for one in finding.rows],
    }


def _row(place: RowPlace) -> dict[str, Any]:
    return {"row": place.row, "fileName": place.file, "line": place.line}
