"""How things are named so that nothing is posted twice: references, hashes, commitments."""

from __future__ import annotations

import hmac
from hashlib import sha256
from typing import Final, Literal
from unicodedata import normalize

CROCKFORD: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base32 alphabet: no I, L, O, U, so that a person can read a reference out aloud."""

_PAIRS: Final = tuple(high + low for high in CROCKFORD for low in CROCKFORD)

REFERENCE_LENGTH: Final = 16

Direction = Literal["do", "undo"]


def crockford(value: int, length: int) -> str:
    """`value` in Crockford base32, most significant first, exactly `length` characters (5 bits each)."""
    if value < 0 or value >> (5 * length):
        raise ValueError(f"the value does not fit {length} characters")
    # two characters at a time: ids are drawn several times for every document
    pairs = [_PAIRS[(value >> shift) & 1_023] for shift in range(10 * ((length + 1) // 2 - 1), -1, -10)]
    return "".join(pairs)[-length:]


def external_reference(transaction_id: str, step: int, direction: Direction) -> str:
    """What a posting is called at the ERP: 16 characters, the same for every attempt of this step.

    The first 80 bits of SHA-256 over (transaction, step, do | undo). SAP's `REF_DOC_NO` has room for just 16.
    """
    digest = sha256(f"{transaction_id}/{step}/{direction}".encode()).digest()
    return crockford(int.from_bytes(digest[:10], "big"), REFERENCE_LENGTH)


def content_hash(body: bytes) -> str:
    """SHA-256 of a canonical body, in hexadecimal; tells whether a repeat says the same."""
    return sha256(body).hexdigest()


def payload_commitment(salt: bytes, body: bytes) -> str:
    """What the ledger holds of a payload: SHA-256(salt ‖ body). Without the salt it tells nothing about the body."""
    return sha256(salt + body).hexdigest()


def key_commitment(key: bytes, source: str, domain: str, external_id: str) -> str:
    """What the ledger holds of a natural key: an HMAC, so that external ids are not readable from the ledger."""
    message = f"{source}\x00{domain}\x00{external_id}".encode()
    return hmac.new(key, message, sha256).hexdigest()


def person_commitment(key: bytes, person: str) -> str:
    """What the ledger holds of a person (`Caller.person_or_client`): the same for all that one person does, through
    whatever client; an HMAC, so that nobody without the key finds out who it is."""
    return hmac.new(key, b"person\x00" + same_person(person).encode(), sha256).hexdigest()


def same_person(person: str) -> str:
    """The claim as persons are compared: `A.Meyer@x.example` and `a.meyer@x.example` are one, also in full-width
    letters. Issuers and people spell one account in several ways, and no second person must come of that. (Unicode
    Standard Annex 15, NFKC; Unicode 16, section 3.13, case folding)"""
    return normalize("NFKC", normalize("NFKC", person).casefold()).strip()


def person_or_none(key: bytes, person: str | None) -> str | None:
    """The commitment of a person that the token names; None for a machine that nobody stands behind."""
    return None if person is None else person_commitment(key, person)
