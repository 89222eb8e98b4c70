"""How many requests a caller may make: a bucket for each client, and one for each address of unknown callers.

The framework's own limiter knows addresses only, so that all callers behind a proxy would share one bucket. A bucket
holds `requests` and is refilled evenly over `window_s` (the generic cell rate algorithm, ITU-T I.371: one instant for
each key is all that it remembers). The counts are of one process.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from gateway.errors import Problem

MOST_KEYS: Final = 10_000
"""Buckets that are remembered. The one that was not used for longest goes first: it is the fullest."""

_OF_CLIENTS: Final = "default"
_OF_ADDRESSES: Final = "unauthenticated"
"""Names of the policies in the header fields."""
_SECOND_NS: Final = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class RateLimits:
    """`requests` of one client in `window_s` seconds; `of_clients`: other numbers for some clients, by client id.

    `refused`: refusals that callers without a good token get at one address in a window. 0 is no limit each time;
    what a gateway has if nobody says otherwise stands in the settings.
    """

    requests: int = 0
    window_s: int = 60
    of_clients: Mapping[str, int] = field(default_factory=dict)
    refused: int = 0


@dataclass(frozen=True, slots=True)
class Quota:
    """A bucket after a request. `reset_s`: seconds until it is full again. `retry_after_s`: None if the request passed,
    else seconds until the next one may.

    Source of the fields: draft-ietf-httpapi-ratelimit-headers (`RateLimit-Policy`, `RateLimit`).
    """

    policy: str
    requests: int
    window_s: int
    remaining: int
    reset_s: int
    retry_after_s: int | None = None

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        """The two fields of the draft."""
        name = self.policy.encode("ascii")
        return [
            (b"ratelimit-policy", b'"%s";q=%d;w=%d' % (name, self.requests, self.window_s)),
            (b"ratelimit", b'"%s";r=%d;t=%d' % (name, self.remaining, self.reset_s)),
        ]

    @property
    def member(self) -> dict[str, object]:
        """The same in the body."""
        return {
            "policy": self.policy,
            "quota": self.requests,
            "windowS": self.window_s,
            "remaining": self.remaining,
            "resetS": self.reset_s,
        }

    def check(self) -> None:
        """Raise `rate-limited` if the request did not pass."""
        if self.retry_after_s is not None:
            of_whom = "of this client" if self.policy == _OF_CLIENTS else "that were refused, from this address,"
            raise Problem(
                "rate-limited",
                f"More than {self.requests} requests {of_whom} in {self.window_s} s.",
                retry_after_s=self.retry_after_s,
            )


class Rates:
    """The buckets of this process. `now_ns`: nanoseconds of a clock that never goes back. `most_keys`: clients, and
    addresses, that are remembered."""

    def __init__(self, limits: RateLimits, now_ns: Callable[[], int], most_keys: int = MOST_KEYS) -> None:
        self._limits = limits
        self._clients = _Buckets(_OF_CLIENTS, limits.window_s, now_ns, most_keys)
        self._addresses = _Buckets(_OF_ADDRESSES, limits.window_s, now_ns, most_keys)

    def of_client(self, client: str) -> Quota | None:
        """Take one request of the client's; None where there is no limit."""
        return self._clients.take(client, self._limits.of_clients.get(client, self._limits.requests))

    def of_address(self, address: str) -> Quota | None:
        """Take one refusal of an unknown caller's; None where there is no limit."""
        return self._addresses.take(address, self._limits.refused)


class _Buckets:
    """By key, the instant at which its bucket is full again; full ones need not be known."""

    def __init__(self, policy: str, window_s: int, now_ns: Callable[[], int], most_keys: int) -> None:
        self._most_keys = most_keys
        self._policy = policy
        self._window_s = window_s
        self._now_ns = now_ns
        self._full_at: dict[str, int] = {}

    def take(self, key: str, requests: int) -> Quota | None:
        if not requests:
            return None
        now, each = self._now_ns(), self._window_s * _SECOND_NS // requests
        full_at = max(self._full_at.pop(key, now), now) + each
        over = full_at - now - each * requests
        if over > 0:
            full_at -= each
        elif len(self._full_at) >= self._most_keys:
            del self._full_at[next(iter(self._full_at))]
        self._full_at[key] = full_at  # last in the order of use
        return Quota(
            self._policy,
            requests,
            self._window_s,
            remaining=requests - _up(full_at - now, each),
            reset_s=_up(full_at - now, _SECOND_NS),
            retry_after_s=_up(over, _SECOND_NS) if over > 0 else None,
        )


def _up(dividend: int, divisor: int) -> int:
    """The quotient, rounded up."""
    return -(-dividend // divisor)
