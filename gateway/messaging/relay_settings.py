"""Sizes and times of the relay."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RelaySettings:
    """Sizes and times of the relay; times in seconds.

    Attributes:
        batch_from: waiting events from which a batch is cheaper than singles (measured: between 10 and 16).
        batch_limit: events of one batch (the server's own limit is 1,000); `batch_beside_callers` while somebody waits.
        batch_bytes: bytes of the bodies of one batch.
        poll_s: how often an unwoken relay looks into the outbox, and notices a connection that was lost.
        look_s: how often the stream is looked at although nothing seems wrong; somebody may have deleted it.
        keep_s: how long acknowledged events can be published again.
        forget_s: how often older ones are deleted.
        remember_every: stream sequences after which the end is remembered; as many are read again after a crash.
        backoff_s, backoff_most_s: the first and the longest wait after a failure, each with jitter.
        share: of the time, while it catches up and callers wait; it rests for `rest_most_s` at most, because it waits
            for the network most of the time.
    """

    batch_from: int = 12
    batch_limit: int = 500
    batch_beside_callers: int = 250
    batch_bytes: int = 4_000_000
    poll_s: float = 0.5
    look_s: float = 30.0
    keep_s: float = 7 * 24 * 3600.0
    forget_s: float = 3600.0
    remember_every: int = 1_000
    backoff_s: float = 0.05
    backoff_most_s: float = 2.0
    share: float = 0.33
    rest_most_s: float = 0.03
