"""A message goes to the machine that was looked at and no other, within its time, and what comes back is bounded."""

from __future__ import annotations

import asyncio
import gzip
import socket
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from receiver import Answer, Receiver, free_port

from services.webhooks.sending import LONGEST_WAIT, MOST_REPLY, Outcome, Sender, _asked_wait
from services.webhooks.settings import WebhookSettings

Make = Callable[..., Receiver]


class Names:
    """A resolver that leads every name where it is told to, and counts how often it is asked."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers, self.asked = list(answers) or [["127.0.0.1"]], 0

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked += 1
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def post(settings: WebhookSettings, url: str, names: Names | None = None, body: bytes = b"{}") -> Outcome:
    sender = Sender(settings, names or Names())
    return asyncio.run(sender.send(url, {"webhook-id": "msg_1"}, body))


def changed(settings: WebhookSettings, **values: object) -> WebhookSettings:
    return WebhookSettings.model_validate(settings.model_dump() | values)


def test_a_message_arrives_with_its_headers_and_body(settings: WebhookSettings, receiver: Receiver) -> None:
    outcome = post(settings, f"http://hooks.example:{receiver.port}/a?b=c", body=b'{"x":1}')
    (request,) = receiver.requests
    assert (outcome.good, outcome.status, outcome.reply, outcome.fault) == (True, 200, "thanks", "")
    assert (request.method, request.path, request.body) == ("POST", "/a?b=c", b'{"x":1}')
    assert request.headers["host"] == f"hooks.example:{receiver.port}"
    assert (request.headers["content-type"], request.headers["webhook-id"]) == ("application/json", "msg_1")
    assert not {"cookie", "authorization"} & set(request.headers)


def test_the_name_is_resolved_once_and_only_numbers_are_connected_to(
    settings: WebhookSettings, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Any] = []
    real = socket.getaddrinfo

    def watch(host: Any, *arguments: Any, **more: Any) -> Any:
        seen.append(host)
        return real(host, *arguments, **more)

    monkeypatch.setattr(socket, "getaddrinfo", watch)
    names = Names(["127.0.0.1"], ["10.0.0.1"])
    assert post(settings, f"http://rebinding.example:{receiver.port}/", names).good
    assert names.asked == 1
    assert {h.decode() if isinstance(h, bytes) else h for h in seen} <= {"127.0.0.1"}


def test_a_name_that_leads_inside_the_second_time_is_refused_then(
    settings: WebhookSettings, receiver: Receiver
) -> None:
    names = Names(["127.0.0.1"], ["169.254.169.254"])
    url = f"http://rebinding.example:{receiver.port}/"
    assert post(settings, url, names).good
    outcome = post(settings, url, names)
    assert outcome.status == 0
    assert "leads to 169.254.169.254, which is link-local" in outcome.fault
    assert len(receiver.requests) == 1


def test_without_an_allowed_network_loopback_is_not_even_connected_to(
    settings: WebhookSettings, receiver: Receiver
) -> None:
    outcome = post(changed(settings, webhook_networks=""), f"https://hooks.example:{receiver.port}/")
    assert "which is loopback" in outcome.fault
    assert receiver.connections == 0


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_not_followed(settings: WebhookSettings, receivers: Make, status: int) -> None:
    other = receivers()
    first = receivers()
    first.answers = [Answer(status, {"Location": other.url})]
    outcome = post(settings, first.url)
    assert (outcome.good, outcome.status) == (False, status)
    assert "redirects are not followed" in outcome.fault
    assert other.requests == []


@pytest.mark.parametrize("status", [400, 401, 404, 410, 429, 500, 503])
def test_whatever_is_no_success_is_a_fault(settings: WebhookSettings, receiver: Receiver, status: int) -> None:
    receiver.answers = [Answer(status, body=b"no")]
    outcome = post(settings, receiver.url)
    assert (outcome.good, outcome.gone, outcome.reply) == (False, status == 410, "no")
    assert outcome.fault == f"the receiver answered {status}"


@pytest.mark.parametrize("status", [200, 201, 202, 204, 299])
def test_every_two_hundred_is_a_success(settings: WebhookSettings, receiver: Receiver, status: int) -> None:
    receiver.answers = [Answer(status, body=b"")]
    assert post(settings, receiver.url).good


def test_proxies_of_the_environment_are_not_heeded(
    settings: WebhookSettings, receivers: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy, target = receivers(), receivers()
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
    assert post(settings, target.url).good
    assert (len(proxy.requests), len(target.requests)) == (0, 1)


def test_where_the_first_machine_is_down_the_next_is_tried(settings: WebhookSettings, receiver: Receiver) -> None:
    assert post(settings, receiver.url, Names(["127.0.0.9", "127.0.0.1"])).good
    assert len(receiver.requests) == 1


def test_where_nobody_listens_the_fault_says_so(settings: WebhookSettings) -> None:
    outcome = post(settings, f"http://hooks.example:{free_port()}/")
    assert (outcome.status, outcome.fault.startswith("ConnectError")) == (0, True)


def test_ipv6_is_spoken(settings: WebhookSettings, receivers: Make) -> None:
    try:
        own = receivers(address="::1")
    except OSError:
        pytest.skip("this machine has no IPv6")
    assert post(settings, f"http://hooks.example:{own.port}/", Names(["::1"])).good
    assert post(settings, f"http://[::1]:{own.port}/", Names(["::1"])).good
    assert [r.headers["host"] for r in own.requests] == [f"hooks.example:{own.port}", f"[::1]:{own.port}"]


@pytest.mark.parametrize("answer", [Answer(delay=10), Answer(body=b"x" * 500, drip=0.05)], ids=["silent", "slow"])
def test_who_does_not_come_to_an_end_is_left(settings: WebhookSettings, receiver: Receiver, answer: Answer) -> None:
    receiver.answers = [answer]
    begun = time.monotonic()
    outcome = post(changed(settings, webhook_timeout_seconds=1), receiver.url)
    assert time.monotonic() - begun < 2
    assert (outcome.good, outcome.fault) == (False, "no answer within 1 s")


def test_a_resolver_that_does_not_answer_takes_no_longer_than_the_rest(settings: WebhookSettings) -> None:
    def slow(host: str, port: int) -> Sequence[str]:
        time.sleep(1.2)
        return ["127.0.0.1"]

    sender = Sender(changed(settings, webhook_timeout_seconds=1), slow)
    assert asyncio.run(sender.send("http://x.example/", {}, b"")).fault == "no answer within 1 s"


def test_of_a_long_reply_the_beginning_is_read_and_no_more(settings: WebhookSettings, receiver: Receiver) -> None:
    receiver.answers = [Answer(body=b"y" * 20_000_000)]
    outcome = post(settings, receiver.url)
    assert outcome.good
    assert outcome.reply == "y" * MOST_REPLY


def test_a_compressed_reply_is_not_unpacked(settings: WebhookSettings, receiver: Receiver) -> None:
    receiver.answers = [Answer(headers={"Content-Encoding": "gzip"}, body=gzip.compress(b"z" * 50_000_000))]
    outcome = post(settings, receiver.url)
    assert outcome.good
    assert "zzzz" not in outcome.reply


def test_a_reply_that_acts_on_a_terminal_is_made_harmless(settings: WebhookSettings, receiver: Receiver) -> None:
    receiver.answers = [Answer(500, body="\x1b[2J\x00\u202eevil".encode())]
    assert post(settings, receiver.url).reply == "[U+001B][2J[U+0000][U+202E]evil"


def test_a_reply_that_is_no_http_is_a_fault(settings: WebhookSettings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        async def talk() -> Outcome:
            return await Sender(settings, Names()).send(f"http://x.example:{port}/", {}, b"{}")

        async def both() -> Outcome:
            server.setblocking(False)
            sending = asyncio.create_task(talk())
            accepted, _ = await asyncio.get_running_loop().sock_accept(server)
            with accepted:
                await asyncio.get_running_loop().sock_sendall(accepted, b"SSH-2.0-OpenSSH\r\n")
                accepted.shutdown(socket.SHUT_WR)
                return await sending

        outcome = asyncio.run(both())
    assert (outcome.status, outcome.fault.startswith("RemoteProtocolError")) == (0, True)


def test_a_certificate_must_be_for_the_name_though_the_number_is_connected_to(
    settings: WebhookSettings, receivers: Make, pem: Path
) -> None:
    own = receivers(pem=pem)
    trusting = changed(settings, webhook_ca_file=str(pem))
    good = post(trusting, f"https://receiver.example:{own.port}/hook")
    assert (good.good, good.fault) == (True, "")
    assert own.requests[0].headers["host"] == f"receiver.example:{own.port}"
    wrong_name = post(trusting, f"https://other.example:{own.port}/hook")
    assert "Hostname mismatch" in wrong_name.fault
    by_number = post(trusting, f"https://127.0.0.1:{own.port}/hook")
    assert "IP address mismatch" in by_number.fault
    assert len(own.requests) == 1


def test_a_certificate_that_nobody_vouches_for_is_refused(
    settings: WebhookSettings, receivers: Make, pem: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(pem))
    own = receivers(pem=pem)
    outcome = post(settings, f"https://receiver.example:{own.port}/hook")
    assert "certificate verify failed" in outcome.fault.lower()
    assert own.requests == []


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("", 0), ("7", 7), ("-7", 0), ("soon", 0), ("9" * 30, LONGEST_WAIT), ("\u0661", 0), ("1.5", 0),
     ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Fri, 31 Dec 9999 23:59:59 GMT", LONGEST_WAIT)],
)  # fmt: skip
def test_a_wait_that_was_asked_for_is_heeded_up_to_a_bound(header: str, seconds: float) -> None:
    assert _asked_wait(header) == seconds
