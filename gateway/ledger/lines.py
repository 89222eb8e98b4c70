"""The lines that the text formats are made of: decimals, base64 and hashes, read strictly.

Strictly: of the texts that a lenient reader takes for the same value, one is valid. So nobody can change a published
byte without an alarm. Base64 is RFC 4648 section 4 with its padding; the bits that it does not use are zero.
"""

from __future__ import annotations

import re
from base64 import b64encode
from binascii import Error as Base64Error
from binascii import a2b_base64
from typing import Final

from gateway.ledger.errors import Malformed

HASH_BYTES: Final = 32
MAX_SIZE: Final = 2**63 - 1
"""Largest tree size and index: what a signed 64-bit integer holds, as in other implementations."""
MAX_PROOF_LINES: Final = 63
"""Most hashes of a proof: one for each level below a tree of MAX_SIZE leaves (tlog-witness says 63 too)."""

_DECIMAL: Final = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)


def parse_decimal(text: str, what: str) -> int:
    """A size or an index without leading zeros. Raises `Malformed`, which names `what`."""
    if _DECIMAL.fullmatch(text) is None or int(text) > MAX_SIZE:
        raise Malformed(f"{what}: {text[:40]!r} is no decimal from 0 to 2^63 - 1")
    return int(text)


def base64_text(data: bytes) -> str:
    """Standard base64 with padding."""
    return b64encode(data).decode("ascii")


def parse_base64(text: str, what: str) -> bytes:
    """The bytes. Raises `Malformed`, which names `what`."""
    try:
        data = a2b_base64(text.encode("ascii"), strict_mode=True)
    except (UnicodeEncodeError, Base64Error) as error:
        raise Malformed(f"{what}: {text[:40]!r} is no base64") from error
    if base64_text(data) != text:
        raise Malformed(f"{what}: {text[:40]!r} is not the one base64 form of its bytes")
    return data


def parse_hash(text: str, what: str) -> bytes:
    """A SHA-256 hash as a base64 line. Raises `Malformed`, which names `what`."""
    data = parse_base64(text, what)
    if len(data) != HASH_BYTES:
        raise Malformed(f"{what}: {len(data)} bytes are no SHA-256 hash")
    return data


def parse_proof(lines: list[str], what: str) -> tuple[bytes, ...]:
    """The hashes of a proof, one base64 line each. Raises `Malformed`, which names `what`."""
    if len(lines) > MAX_PROOF_LINES:
        raise Malformed(f"{what}: {len(lines)} proof lines, at most {MAX_PROOF_LINES} are possible")
    return tuple(parse_hash(line, f"{what}, proof line {number}") for number, line in enumerate(lines, 1))
