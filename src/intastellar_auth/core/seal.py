"""Authenticated encryption with a key per purpose, and rotation without a logout.

A sealed value is ``version | key id | nonce | ciphertext``. The purpose, the cookie's name, the
issuer and the client are associated data, so a value sealed for one place opens in no other: a
login cookie is no session (CVE-2023-48309), a cookie of one provider means nothing at the callback
of another (CVE-2026-73419). This file knows nothing of what it seals.
"""

from __future__ import annotations

import binascii
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCMSIV
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from intastellar_auth.errors import SealBroken

_VERSION: Final = b"\x01"
_KEY_ID: Final = 4
_NONCE: Final = 12
_PREFIX: Final = len(_VERSION) + _KEY_ID
_HEAD: Final = _PREFIX + _NONCE

_TO_URL: Final = bytes.maketrans(b"+/", b"-_")
# The characters of the other alphabet become one of neither, or a value had two spellings.
_FROM_URL: Final = bytes.maketrans(b"-_+/", b"+/..")
_PADDING: Final = (b"", b"===", b"==", b"=")
# What the last character can be: the bits of it that encode nothing are zero (RFC 4648 3.5).
_ANY: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
_LAST: Final = (_ANY, b"", _ANY[::16], _ANY[::4])

_from_json = msgspec.json.Decoder(bytes).decode
_to_json = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class _Key:
    prefix: bytes
    aead: AESGCMSIV
    associated: bytes


@dataclass(frozen=True, slots=True)
class Sealer:
    """Seals and opens values of one purpose. Made once at start-up: keys cost, uses do not."""

    newest: _Key
    keys: dict[bytes, _Key]
    token_bytes: Callable[[int], bytes]

    def seal(self, value: bytes) -> bytes:
        """Return ``value`` sealed with the newest key.

        The nonce is random; AES-GCM-SIV (RFC 8452) keeps a repeated one from being a disaster.
        """
        key, nonce = self.newest, self.token_bytes(_NONCE)
        return key.prefix + nonce + key.aead.encrypt(nonce, value, key.associated)

    def open(self, sealed: bytes) -> bytes:
        """Return what ``sealed`` holds; raises ``SealBroken``, always with the same words."""
        key = self.keys.get(sealed[:_PREFIX])
        if key is not None:
            try:
                return key.aead.decrypt(sealed[_PREFIX:_HEAD], sealed[_HEAD:], key.associated)
            except (InvalidTag, ValueError):
                pass
        raise SealBroken("the value was altered, is for another purpose, or its key is gone")


def make_sealer(
    secrets: Sequence[bytes],
    binding: Sequence[str],
    token_bytes: Callable[[int], bytes],
) -> Sealer:
    """Return the sealer for one purpose.

    ``secrets`` are newest first: the first seals, all open. ``binding`` says what the value is for
    (purpose, cookie name, issuer, client); msgpack keeps its parts apart, so that no two bindings
    give the same bytes (CVE-2023-35941 was a plain concatenation).
    """
    bound = msgspec.msgpack.encode(list(binding))
    keys = [_derive(secret, bound) for secret in secrets]
    return Sealer(keys[0], {key.prefix: key for key in reversed(keys)}, token_bytes)


def _derive(secret: bytes, bound: bytes) -> _Key:
    """RFC 5869; the label is the binding, so that keys of two purposes are unrelated."""
    key = HKDF(SHA256(), length=32, salt=None, info=b"intastellar-auth 1 " + bound).derive(secret)
    prefix = _VERSION + hashlib.sha256(b"key id" + key).digest()[:_KEY_ID]
    return _Key(prefix, AESGCMSIV(key), prefix + bound)


def to_text(value: bytes) -> str:
    """Return ``value`` in the URL-safe alphabet of RFC 4648 section 5, without padding."""
    encoded = binascii.b2a_base64(value, newline=False).translate(_TO_URL)
    return encoded.rstrip(b"=").decode("ascii")


def from_text(text: bytes) -> bytes:
    """Return what ``text`` encodes; raises ``SealBroken`` where ``to_text`` cannot have made it."""
    over = len(text) % 4
    if text[-1:] in _LAST[over]:
        try:
            return binascii.a2b_base64(text.translate(_FROM_URL) + _PADDING[over], strict_mode=True)
        except binascii.Error:
            pass
    raise SealBroken("the value is not base64url")


def to_cookie(value: bytes) -> str:
    """Return ``value`` in the alphabet of RFC 4648 section 4, all of it good in a cookie.

    RFC 6265 section 4.1.1. For the session alone: the other alphabet takes another microsecond to
    read, and there is one to read for every new cookie.
    """
    return binascii.b2a_base64(value, newline=False).decode("ascii")


def from_cookie(text: bytes) -> bytes:
    """Return what ``text`` encodes; raises ``SealBroken`` where ``to_cookie`` cannot have made it.

    Read as a string of JSON: msgspec decodes one in half the time of the standard library. It is
    written again and compared, or spare bits, needless padding and escapes came through.
    """
    quoted = b'"%b"' % text
    try:
        value = _from_json(quoted)
    except msgspec.MsgspecError:
        raise SealBroken("the value is not base64") from None
    if _to_json(value) != quoted:
        raise SealBroken("the value is not base64 as it is written")
    return value
