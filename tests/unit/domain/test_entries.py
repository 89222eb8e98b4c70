import json
from hashlib import sha256

import pytest
import rfc8785

from gateway.domain.entries import EntryKind, EntryTooLarge, ledger_entry

WORDS = """
accepted routed waiting held released dispatched inquired posted rejected unknown in_doubt compensating compensated
cancelled replayed pinned pin_released adopted linked unlinked merged unmerged erased draft_saved checked simulated
approved activation_prepared activated activation_failed rolled_back gate_passed gate_failed gate_waived overlay_set
overlay_lifted auto_paused queried exported checkpoint_held key_rotated exception_opened exception_moved repaired
period_closed period_reopened tied_out tie_out_voided hold_set hold_lifted
""".split()


def test_kinds_are_the_contract():
    assert sorted(kind.value for kind in EntryKind) == sorted(WORDS)


def test_stored_bytes_are_the_hashed_bytes_in_canonical_form():
    entry = ledger_entry(
        EntryKind.ROUTED,
        trace="txn_1",
        seq=2,
        at=1_700_000_000_000_001,
        actor="salesforce",
        lineage="lin_1",
        members={"stage": "pilot", "absent": None, "rule": {"row": "r1", "activationNumber": 3}},
    )
    content = json.loads(entry.body)
    assert entry.body == rfc8785.dumps(content)
    assert entry.leaf_hash == sha256(b"\x00" + entry.body).digest()
    assert content["at"] == 1_700_000_000_000_001
    assert "absent" not in content
    assert (entry.trace, entry.seq, entry.kind) == ("txn_1", 2, "routed")


def test_an_entry_that_no_bundle_can_hold_is_refused():
    with pytest.raises(EntryTooLarge, match="65535"):
        ledger_entry(EntryKind.ROUTED, trace="t", seq=1, at=1, actor="a", members={"x": "y" * 65_536})
