"""Keys of signed notes (C2SP signed-note, tlog-cosignature): Ed25519, told apart by name, id and signature type."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from enum import IntEnum
from hashlib import sha256
from typing import Final, Protocol, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from gateway.ledger.errors import KeyMisused, Malformed
from gateway.ledger.lines import base64_text, parse_base64

KEY_ID_BYTES: Final = 4
SIGNATURE_BYTES: Final = 64
_KEY_BYTES: Final = 32
_TIME_BYTES: Final = 8
_MAX_NAME: Final = 255
_MARK: Final = "PRIVATE+KEY+"
_WHITE_CONTROLS: Final = "\t\n\v\f\r\x85"


class SignatureType(IntEnum):
    """What a key's signatures are; the byte stands in front of its public key and enters its id."""

    ED25519 = 1
    COSIGNATURE = 4


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key under a name.

    A key of type COSIGNATURE signs the time with the text: its payload is `u64be time ‖ signature` over
    `cosignature/v1\\ntime <t>\\n` and the text.

    Raises:
        Malformed: no such key can be.
    """

    name: str
    public: bytes
    signature_type: SignatureType = SignatureType.ED25519

    def __post_init__(self) -> None:
        check_name(self.name)
        if len(self.public) != _KEY_BYTES:
            raise Malformed(f"verifier key {self.name}: {len(self.public)} bytes are no Ed25519 key")

    @property
    def key_id(self) -> bytes:
        """SHA-256(name ‖ 0A ‖ type ‖ public key), the first four bytes."""
        return sha256(self.name.encode() + b"\n" + self._encoded()).digest()[:KEY_ID_BYTES]

    @property
    def text(self) -> str:
        """`name+id in hex+base64(type ‖ public key)`, as people hand it on."""
        return f"{self.name}+{self.key_id.hex()}+{base64_text(self._encoded())}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a verifier key's text. The base64 may hold a `+`: the name and the id may not. Raises `Malformed`."""
        name, parts = text.partition("+")[0], text.split("+", 2)
        if len(parts) != 3:
            raise Malformed(f"verifier key {name[:40]!r}: not name+id+key")
        encoded = parse_base64(parts[2], f"verifier key {name}")
        try:
            kind = SignatureType(encoded[0])
        except (IndexError, ValueError) as error:
            raise Malformed(f"verifier key {name}: neither of the types 01 (Ed25519) and 04 (cosignature)") from error
        key = cls(name, encoded[1:], kind)
        if parts[1] != key.key_id.hex():
            raise Malformed(
                f"verifier key {name}: its id is {key.key_id.hex()}, not {parts[1][:16]!r}; was it mistyped?"
            )
        return key

    def verifies(self, text: str, payload: bytes) -> bool:
        """Whether this key made the payload (what follows the key id in a signature line) for that note text."""
        if self.signature_type is SignatureType.COSIGNATURE:
            if len(payload) != _TIME_BYTES + SIGNATURE_BYTES or payload[0] & 0x80:
                return False
            message, signature = cosigned_message(text, signed_at(payload)), payload[_TIME_BYTES:]
        else:
            message, signature = text.encode(), payload
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):  # ValueError: the 32 bytes are no point of the curve
            return False
        return True

    def _encoded(self) -> bytes:
        return bytes([self.signature_type]) + self.public


class Signer(Protocol):
    """Whoever signs notes: a key in this process, or a key service."""

    @property
    def key(self) -> VerifierKey:
        """What verifies its signatures."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of Ed25519 over the message."""
        ...


class SigningKey:
    """A private key in memory."""

    def __init__(self, name: str, seed: bytes, signature_type: SignatureType = SignatureType.ED25519) -> None:
        """`seed`: the 32 bytes of RFC 8032. Raises `Malformed`."""
        if len(seed) != _KEY_BYTES:
            raise Malformed(f"signing key {name}: {len(seed)} bytes are no Ed25519 seed")
        self._seed = seed
        self._private = Ed25519PrivateKey.from_private_bytes(seed)
        self._key = VerifierKey(name, self._private.public_key().public_bytes_raw(), signature_type)

    @classmethod
    def generate(cls, name: str, signature_type: SignatureType = SignatureType.ED25519) -> Self:
        """A new key. Raises `Malformed` for a name that no key can have."""
        return cls(name, Ed25519PrivateKey.generate().private_bytes_raw(), signature_type)

    @property
    def key(self) -> VerifierKey:
        """What verifies its signatures."""
        return self._key

    def sign(self, message: bytes) -> bytes:
        """The 64 bytes of Ed25519 over the message."""
        return self._private.sign(message)

    def secret_text(self) -> str:
        """`PRIVATE+KEY+name+id+base64(type ‖ seed)`, as Go's `note.NewSigner` reads it. For a key file only."""
        encoded = base64_text(bytes([self._key.signature_type]) + self._seed)
        return f"{_MARK}{self._key.name}+{self._key.key_id.hex()}+{encoded}"

    @classmethod
    def parse_secret(cls, text: str) -> Self:
        """Read `secret_text`. Raises `KeyMisused`, without a byte of the secret in its message."""
        parts = text.removeprefix(_MARK).split("+", 2)
        if not text.startswith(_MARK) or len(parts) != 3:
            raise KeyMisused("the file holds no signing key (PRIVATE+KEY+name+id+…)")
        try:
            encoded = parse_base64(parts[2], "signing key")
            key = cls(parts[0], encoded[1:], SignatureType(encoded[0]))
        except (Malformed, IndexError, ValueError):
            raise KeyMisused("the file holds no signing key of a type that we know") from None
        if key.key.key_id.hex() != parts[1]:
            raise KeyMisused("the signing key in the file is damaged: its id is that of another key")
        return key


def cosigned_message(text: str, time: int) -> bytes:
    """What a cosignature signs (tlog-cosignature, Ed25519 signed message). `time` in s since 1970."""
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def signed_at(payload: bytes) -> int:
    """The time in a cosignature's payload, in s since 1970."""
    return int.from_bytes(payload[:_TIME_BYTES], "big")


def payload_of(signer: Signer, text: str, time: int | None = None) -> bytes:
    """What stands behind the key id in a signature line over a note text.

    `time`: in s since 1970, for a cosignature and only for one. Raises `KeyMisused` if it is not so.
    """
    if (time is None) is (signer.key.signature_type is SignatureType.COSIGNATURE):
        raise KeyMisused(f"{signer.key.name}: a cosignature states its time, any other signature has none")
    if time is None:
        return signer.sign(text.encode())
    return time.to_bytes(_TIME_BYTES, "big") + signer.sign(cosigned_message(text, time))


def check_name(name: str) -> None:
    """A key name is not empty and has no Unicode space, no `+` and no control character. Raises `Malformed`."""
    if not 1 <= len(name) <= _MAX_NAME:
        raise Malformed(f"key name: 1 to {_MAX_NAME} characters, not {len(name)}")
    for one in name:
        if one == "+" or ord(one) < 0x20 or one in _WHITE_CONTROLS or unicodedata.category(one) in {"Zs", "Zl", "Zp"}:
            raise Malformed(f"key name {name[:40]!r}: a space, '+' or control character")
