"""The bytes of a sealed value: they must not change, or every visitor is signed out."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV

from intastellar_auth.core.seal import from_cookie, make_sealer
from intastellar_auth.errors import SealBroken

SECRET = b"kV3xTq8LZr1mYb6NpWc4Hs9JdFg2Ae7U"
BOUND = b"\x92\xa5login\xa4site"  # msgpack of ["login", "site"]

# Two secrets whose keys happen to have one id: it has only 32 bits.
ALIKE = (b"a secret of this test, number 022024", b"a secret of this test, number 067686")


def nonce(size: int) -> bytes:
    return b"n" * size


def derived(secret: bytes, info: bytes) -> bytes:
    """Return 32 bytes by HKDF-SHA256 (RFC 5869 sections 2.2 and 2.3), without a salt."""
    extracted = hmac.digest(b"\0" * 32, secret, "sha256")
    return hmac.digest(extracted, info + b"\x01", "sha256")


def test_a_sealed_value_is_the_same_bytes_in_every_version() -> None:
    """CK-13: the version, the key's id, the nonce; prefix and binding are authenticated."""
    key = derived(SECRET, b"intastellar-auth 1 " + BOUND)
    prefix = b"\x01" + hashlib.sha256(b"key id" + key).digest()[:4]
    encrypted = AESGCMSIV(key).encrypt(nonce(12), b"value", prefix + BOUND)
    sealed = make_sealer([SECRET], ("login", "site"), nonce).seal(b"value")
    assert sealed == prefix + nonce(12) + encrypted


def test_of_two_keys_with_one_id_the_newest_opens_what_it_seals() -> None:
    """CK-12: a rotation to such a key signs visitors out once, not for good."""
    first, second = (make_sealer([secret], ("purpose",), nonce) for secret in ALIKE)
    assert first.newest.prefix == second.newest.prefix
    for secrets in (ALIKE, ALIKE[::-1]):
        both = make_sealer(secrets, ("purpose",), nonce)
        assert both.open(both.seal(b"value")) == b"value"


@pytest.mark.parametrize("text", [b"A", b"AA", b"A*AA", b"AA=A"])
def test_a_cookie_that_is_not_base64_is_called_that(text: bytes) -> None:
    with pytest.raises(SealBroken, match="not base64"):
        from_cookie(text)
