"""The share bucket: which part of the customers a pilot takes.

The bucket depends on the key alone, not on table, version or share, so raising a share only adds and lowering it only
takes away. docs/rules.md, 'Share bucket'.
"""

from __future__ import annotations

from decimal import Decimal
from hashlib import sha256
from typing import Final

from routing_rules.facts import Facts
from routing_rules.model import Outcome, Stage

BUCKETS: Final = 10_000
BUCKET_RULE: Final = 'first 8 bytes, big-endian, of SHA-256("share/v1" followed by the share key), modulo 10000'
_PREFIX: Final = b"share/v1"


def share_bucket(key: str) -> int:
    """As BUCKET_RULE says, the key in UTF-8."""
    return int.from_bytes(sha256(_PREFIX + key.encode()).digest()[:8], "big") % BUCKETS


def share_threshold(share: Decimal) -> int:
    """The first bucket that stays in legacy: a percentage with two decimals is a whole number of buckets."""
    return int(share * 100)


def in_share(bucket: int | None, share: Decimal) -> bool:
    """A document without a key is in the share only if everything is."""
    return (BUCKETS - 1 if bucket is None else bucket) < share_threshold(share)


def bucket_of(facts: Facts) -> int | None:
    """The bucket of the facts' share key; of facts that were read back the recorded one."""
    return facts.recorded_bucket if facts.share_key is None else share_bucket(facts.share_key)


def is_allowed(outcome: Outcome, facts: Facts) -> bool:
    """Whether the root is on the pilot's allow-list; facts that were read back say what was recorded."""
    if outcome.stage is not Stage.PILOT:
        return False
    if facts.root_external_id is None:
        return bool(facts.recorded_allow_hit)
    return facts.root_external_id in outcome.allow
