"""Signatures of messages, by the Standard Webhooks specification 1.0.0, and where their secrets come from.

A message is signed with HMAC-SHA256 over `id.timestamp.body`, so the signing secret must be at hand in clear whenever
one is sent. Rather than keep it in the database, it is derived from the server's master secret and the webhook's id by
HKDF (RFC 5869): whoever steals the database cannot sign, and there is nothing to encrypt or to lose.

A receiver checks a message so, with the raw body, before it is parsed:

    payload = verify_signature("whsec_...", request.headers, request.body)
    if seen_before(payload, request.headers["webhook-id"]):
        return 200                     # a message may come twice, with the same id

Any library for Standard Webhooks does the same; this module needs nothing but Python.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import time
from collections.abc import Mapping, Sequence
from typing import Any

from knowledge_base.errors import SignatureRefused

PREFIX = "whsec_"
INFO = b"touchstone webhook secret 1 "
TOLERANCE_SECONDS = 300.0
"""How far a message's time may be from the receiver's clock; older ones may have been recorded and sent again."""


def derive_secret(master: str, webhook: str) -> str:
    """The signing secret of a webhook, 32 bytes as `whsec_` and base64."""
    return PREFIX + base64.b64encode(hkdf(master.encode(), INFO + webhook.encode(), 32)).decode()


def hkdf(key: bytes, info: bytes, length: int, salt: bytes = b"") -> bytes:
    """HKDF with SHA-256, RFC 5869 sections 2.2 and 2.3: up to 8160 bytes out of a secret key."""
    extracted = hmac.new(salt or bytes(32), key, hashlib.sha256).digest()
    made, block = b"", b""
    for counter in range(1, -(-length // 32) + 1):
        block = hmac.new(extracted, block + info + bytes([counter]), hashlib.sha256).digest()
        made += block
    return made[:length]


def sign(secret: str, message: str, timestamp: int, body: bytes) -> str:
    """The signature of a message, such as `v1,K5oZ...=`.

    Args:
        secret: `whsec_` and base64; the prefix may be missing.
        message: its id; must not hold a dot.
        timestamp: of this attempt, seconds since the epoch.
        body: as it is sent, byte for byte.
    """
    signed = f"{message}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(_key(secret), signed, hashlib.sha256).digest()).decode()


def signed_headers(secrets: Sequence[str], message: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers of a message, signed with every secret."""
    signatures = " ".join(sign(secret, message, timestamp, body) for secret in secrets)
    return {"webhook-id": message, "webhook-timestamp": str(timestamp), "webhook-signature": signatures}


def verify_signature(
    secret: str,
    headers: Mapping[str, str],
    body: bytes | str,
    *,
    now: float | None = None,
    tolerance: float = TOLERANCE_SECONDS,
) -> Any:
    """The payload of a message, once it is certain who sent it.

    Args:
        secret: of the webhook, as `touchstone webhooks add` printed it.
        headers: of the request; their names in any case.
        body: of the request, as it came, not parsed and written again.
        now: seconds since the epoch; None: now.
        tolerance: seconds that the message's time may differ from `now`.

    Raises:
        SignatureRefused: a header is missing, the time is too far off, or no signature fits.
    """
    raw = body.encode() if isinstance(body, str) else body
    message, told, signatures = (_header(headers, f"webhook-{name}") for name in ("id", "timestamp", "signature"))
    if not told.isascii() or not told.isdecimal() or len(told) > 12:
        raise SignatureRefused(f"webhook-timestamp is {told[:20]!r}; it should be whole seconds since the epoch")
    away = abs((time.time() if now is None else now) - int(told))
    if away > tolerance:
        raise SignatureRefused(f"the message is {away:.0f} s from this clock, over {tolerance:.0f}; set its clock")
    expected = sign(secret, message, int(told), raw).encode()
    # All are compared, however early one fits.
    fits = [hmac.compare_digest(expected, each.encode()) for each in signatures.split(" ")]
    if not any(fits):
        raise SignatureRefused("no signature fits: another secret, or the body was changed on its way")
    return json.loads(raw)


def _header(headers: Mapping[str, str], name: str) -> str:
    found = next((value for key, value in headers.items() if key.lower() == name), "")
    if not found:
        raise SignatureRefused(f"the header {name} is missing")
    return found


def _key(secret: str) -> bytes:
    try:
        key = base64.b64decode(secret.removeprefix(PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        raise SignatureRefused(f"the secret cannot be read; give it as it was printed, {PREFIX} and base64")
    return key
