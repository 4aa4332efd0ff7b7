"""Signatures are those of the Standard Webhooks specification, and receivers refuse everything else."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge_base.errors import SignatureRefused
from services.webhooks.signing import TOLERANCE_SECONDS, derive_secret, hkdf, sign, signed_headers, verify_signature

# From the test suite of the specification's own libraries.
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MESSAGE, AT, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

HEADERS = {"webhook-id": MESSAGE, "webhook-timestamp": str(AT), "webhook-signature": SIGNATURE}
OTHER = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="

RFC_5869 = [
    (b"\x0b" * 22, bytes(range(13)), bytes(range(0xF0, 0xFA)), 42,
     "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"),
    (b"\x0b" * 22, b"", b"", 42,
     "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"),
]  # fmt: skip


def verified(headers: dict[str, str], body: bytes | str = BODY, secret: str = SECRET, now: float = AT) -> object:
    return verify_signature(secret, headers, body, now=now)


@pytest.mark.parametrize(("key", "salt", "info", "length", "made"), RFC_5869)
def test_keys_are_derived_as_in_rfc_5869(key: bytes, salt: bytes, info: bytes, length: int, made: str) -> None:
    assert hkdf(key, info, length, salt).hex() == made


def test_a_message_is_signed_as_the_specification_has_it() -> None:
    assert sign(SECRET, MESSAGE, AT, BODY) == SIGNATURE
    assert sign(SECRET.removeprefix("whsec_"), MESSAGE, AT, BODY) == SIGNATURE


def test_a_signed_message_gives_its_payload() -> None:
    assert verified(HEADERS) == verified(HEADERS, BODY.decode()) == json.loads(BODY)


def test_names_of_headers_may_be_in_any_case() -> None:
    assert verified({name.title(): value for name, value in HEADERS.items()}) == json.loads(BODY)


@pytest.mark.parametrize("signatures", [f"{OTHER} {SIGNATURE}", f"v2,abc {SIGNATURE} {OTHER}", f"{SIGNATURE} v1a,xyz"])
def test_one_fitting_signature_of_several_is_enough(signatures: str) -> None:
    assert verified(HEADERS | {"webhook-signature": signatures}) == json.loads(BODY)


@pytest.mark.parametrize(
    "signature", [OTHER, SIGNATURE[:-4], SIGNATURE.removeprefix("v1,"), "v2" + SIGNATURE[2:], "v1,", "é",
                  SIGNATURE + "=", " "]
)  # fmt: skip
def test_any_other_signature_is_refused(signature: str) -> None:
    with pytest.raises(SignatureRefused, match="no signature fits"):
        verified(HEADERS | {"webhook-signature": signature})


@pytest.mark.parametrize("name", list(HEADERS))
def test_a_missing_header_is_named(name: str) -> None:
    with pytest.raises(SignatureRefused, match=f"{name} is missing"):
        verified({key: value for key, value in HEADERS.items() if key != name})


@pytest.mark.parametrize("told", ["hello", "-1", "1e9", "1614265330.5", " 1614265330", "\u0661", "9" * 400])
def test_a_time_that_is_none_is_refused(told: str) -> None:
    with pytest.raises(SignatureRefused, match="webhook-timestamp is"):
        verified(HEADERS | {"webhook-timestamp": told})


@pytest.mark.parametrize("away", [-1, 1])
def test_a_message_from_long_ago_or_from_the_future_is_refused(away: int) -> None:
    assert verified(HEADERS, now=AT + away * TOLERANCE_SECONDS)
    with pytest.raises(SignatureRefused, match="301 s from this clock"):
        verified(HEADERS, now=AT + away * (TOLERANCE_SECONDS + 1))


def test_without_a_moment_the_clock_counts() -> None:
    headers = signed_headers([SECRET], "msg_1", int(time.time()), BODY)
    assert verify_signature(SECRET, headers, BODY) == json.loads(BODY)
    with pytest.raises(SignatureRefused, match="from this clock"):
        verify_signature(SECRET, HEADERS, BODY)


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_!!!", "whsec_abc"])
def test_a_secret_that_cannot_be_read_is_told_without_showing_it(secret: str) -> None:
    with pytest.raises(SignatureRefused, match="secret cannot be read"):
        verified(HEADERS, secret=secret)


@given(st.binary(max_size=50), st.integers(0, 10**10), st.text("abc", min_size=1, max_size=9), st.data())
def test_whatever_is_changed_on_the_way_is_noticed(body: bytes, at: int, message: str, data: st.DataObject) -> None:
    raw = json.dumps({"x": body.hex()}).encode()
    headers = signed_headers([SECRET], f"msg_{message}", at, raw)
    assert verified(headers, raw, now=at) == {"x": body.hex()}
    place = data.draw(st.integers(0, len(raw) - 1))
    changed = raw[:place] + bytes([raw[place] ^ data.draw(st.integers(1, 255))]) + raw[place + 1 :]
    for other_headers, other_body in (
        (headers, changed), (headers | {"webhook-id": f"msg_{message}a"}, raw),
        (headers | {"webhook-timestamp": str(at + 1)}, raw),
    ):  # fmt: skip
        with pytest.raises(SignatureRefused, match="no signature fits"):
            verified(other_headers, other_body, now=at)


def test_each_webhook_has_a_secret_of_its_own_that_the_master_decides() -> None:
    secrets = {derive_secret(master, webhook) for master in ("m" * 32, "n" * 32) for webhook in ("wh_1", "wh_2")}
    assert len(secrets) == 4
    assert derive_secret("m" * 32, "wh_1") in secrets
    assert all(s.startswith("whsec_") and len(s) == 6 + 44 for s in secrets)


def test_while_the_master_changes_both_secrets_fit() -> None:
    old, new = derive_secret("o" * 32, "wh_1"), derive_secret("n" * 32, "wh_1")
    headers = signed_headers([new, old], MESSAGE, AT, BODY)
    assert verified(headers, secret=old) == verified(headers, secret=new) == json.loads(BODY)
    with pytest.raises(SignatureRefused):
        verified(headers, secret=derive_secret("x" * 32, "wh_1"))
