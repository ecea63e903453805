"""Ed25519 signing (RFC 8032) with the standard library alone, for exam stations that have no cryptography package.

It is slow (a few hundredths of a second) and not hardened against a spy on the same machine; the stick's key lies on
the stick anyway. Verifying is the laptop's, with `exam_kit.store.keys`. Tested against the RFC's vectors and OpenSSL.
"""

from __future__ import annotations

import hashlib

__all__ = ["public_key", "sign"]

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P

Extended = tuple[int, int, int, int]
"""A point of the curve in extended coordinates (X, Y, Z, T): x = X/Z, y = Y/Z, x·y = T/Z."""

_BASE_Y = 4 * pow(5, P - 2, P) % P
_BASE_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202
BASE: Extended = (_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % P)


def public_key(seed: bytes) -> bytes:
    """The 32 bytes of the public half; `seed` is the 32 bytes of the private one."""
    scalar, _prefix = _expand(seed)
    return _encode(_times(scalar, BASE))


def sign(seed: bytes, message: bytes) -> bytes:
    """The 64 bytes of the signature over `message`."""
    scalar, prefix = _expand(seed)
    public = _encode(_times(scalar, BASE))
    nonce = _number(prefix + message) % ORDER
    commitment = _encode(_times(nonce, BASE))
    challenge = _number(commitment + public + message) % ORDER
    return commitment + int.to_bytes((nonce + challenge * scalar) % ORDER, 32, "little")


def _expand(seed: bytes) -> tuple[int, bytes]:
    if len(seed) != 32:
        raise ValueError("an Ed25519 key has 32 bytes")
    digest = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], "little") & ((1 << 254) - 8) | (1 << 254)
    return scalar, digest[32:]


def _number(message: bytes) -> int:
    return int.from_bytes(hashlib.sha512(message).digest(), "little")


def _add(one: Extended, two: Extended) -> Extended:
    a = (one[1] - one[0]) * (two[1] - two[0]) % P
    b = (one[1] + one[0]) * (two[1] + two[0]) % P
    c = 2 * one[3] * two[3] * D % P
    d = 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(scalar: int, point: Extended) -> Extended:
    total: Extended = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = _add(total, point)
        point = _add(point, point)
        scalar >>= 1
    return total


def _encode(point: Extended) -> bytes:
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return int.to_bytes(y | ((x & 1) << 255), 32, "little")
