"""Evidence packs out of the record of a data directory itself. `evidence` imports this when no gateway is asked."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from gateway.api.evidence_schemas import EvidenceRequest
from gateway.api.evidence_subjects import subject_of
from gateway.api.visibility import Visibility
from gateway.cli.console import Failure, settings_of
from gateway.cli.record import reading
from gateway.cli.refusals import refused_words
from gateway.errors import Problem
from gateway.ledger.access_log import AccessLog, Asker
from gateway.ledger.evidence.desk import EvidenceDesk, Pack
from gateway.ledger.evidence.subjects import For
from gateway.ledger.key_files import KeyPurpose
from gateway.store.store import Store
from gateway.wiring.ledger_files import key_files, log_origin
from gateway.wiring.tools import open_tools
from routing_rules.canonical_text import rulebook_from_canonical

_CLIENT: Final = "command-line"


def made(data: Path, asked: Mapping[str, Any]) -> Pack:
    """Out of the record itself, whether its gateway runs or not; recorded there as an export of this machine's user."""
    settings = settings_of(data)
    try:
        request = EvidenceRequest.model_validate(asked)
    except ValidationError as error:
        first = error.errors()[0]
        raise Failure(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", 2) from error
    signer = partial(key_files(data, settings).signer, KeyPurpose.EVIDENCE)
    who = Asker(client=_CLIENT, person=getpass.getuser(), issuer="local")

    async def make(store: Store) -> Pack:
        newest = await store.reads.activations(1, None)
        if not newest:
            raise Failure(f"nothing was ever in force in {data}: start the gateway once")
        rulebook = rulebook_from_canonical(newest[0].rules, newest[0].governance)
        accesses = AccessLog(store, open_tools(data, settings.name))
        desk = EvidenceDesk(store, accesses, log_origin(settings), signer)
        subject = subject_of(request, Visibility(lambda: rulebook).filtered)
        return await desk.make(subject, For(held_size=request.held_size), who)

    try:
        return reading(data, make)
    except Failure as failure:
        cause = failure.__cause__
        if isinstance(cause, Problem):
            raise Failure(refused_words(cause), 2) from cause
        raise
