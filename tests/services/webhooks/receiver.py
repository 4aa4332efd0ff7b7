"""A web server on loopback that takes messages, keeps them, and answers as a test tells it to."""

from __future__ import annotations

import datetime
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from services.database import Database
from services.webhooks.deliveries import Delivery, list_deliveries
from services.webhooks.endpoints import NewWebhook, add_webhook
from services.webhooks.outbox import announce
from services.webhooks.settings import WebhookSettings


@dataclass
class Answer:
    """How a request is answered: after `delay` seconds, byte by byte with `drip` seconds between them if not 0."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b"thanks"
    delay: float = 0.0
    drip: float = 0.0


@dataclass(frozen=True)
class Request:
    method: str
    path: str
    headers: dict[str, str]
    body: bytes


class Receiver:
    """Answers by `answers`, the last of them for ever."""

    def __init__(self, *answers: Answer, pem: Path | None = None, address: str = "127.0.0.1") -> None:
        self.answers = list(answers) or [Answer()]
        self.requests: list[Request] = []
        self.connections = 0
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._server = _Server((address, 0), _Handler, bind_and_activate=False)
        self._server.receiver = self
        if ":" in address:
            self._server.address_family = socket.AF_INET6
            self._server.socket.close()
            self._server.socket = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        self._server.server_bind()
        self._server.server_activate()
        if pem is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(pem)
            self._server.context = context
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hook"

    @property
    def ids(self) -> list[str]:
        """Ids of the messages that came, in order."""
        return [r.headers["webhook-id"] for r in self.requests]

    def close(self) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def take(self, request: Request) -> Answer:
        with self._lock:
            self.requests.append(request)
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def pause(self, seconds: float) -> None:
        self._closing.wait(seconds)


class _Server(ThreadingHTTPServer):
    daemon_threads, request_queue_size = True, 128
    receiver: Receiver
    context: ssl.SSLContext | None = None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who went away has its reasons; tests look at the other end."""

    def finish_request(self, request: Any, client_address: Any) -> None:
        # Here, in the thread of the connection: a handshake that fails must not hold up others.
        if self.context is None:
            return super().finish_request(request, client_address)
        with self.context.wrap_socket(request, server_side=True) as wrapped:
            super().finish_request(wrapped, client_address)
        return None


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def setup(self) -> None:
        super().setup()
        self.server.receiver.connections += 1

    def _answer(self) -> None:
        receiver = self.server.receiver
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = receiver.take(Request(self.command, self.path, headers, body))
        receiver.pause(answer.delay)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if not answer.drip:
            self.wfile.write(answer.body)
        for byte in answer.body if answer.drip else b"":
            self.wfile.write(bytes([byte]))
            self.wfile.flush()
            receiver.pause(answer.drip)

    do_POST = do_GET = _answer  # noqa: N815 - names of the library

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as made:
        made.bind(("127.0.0.1", 0))
        return int(made.getsockname()[1])


def certificate(folder: Path, host: str) -> Path:
    """A PEM file with a key and a certificate for a host that signs itself."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, host)])
    now = datetime.datetime.fromtimestamp(time.time(), datetime.UTC)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / f"{host}.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + built.public_bytes(serialization.Encoding.PEM))
    return path


RUN = {"run": "r1", "name": "answers", "version": "v1"}
"""What the messages of these tests tell of."""


def tell(database: Database, number: int = 1) -> list[str]:
    messages = []
    for _ in range(number):
        with database.write() as connection:
            messages.append(announce(connection, "run.finished", RUN))
    return messages


def added(database: Database, settings: WebhookSettings, receiver: Receiver) -> NewWebhook:
    return add_webhook(database, settings, receiver.url)


def only(database: Database) -> Delivery:
    (found,) = list_deliveries(database).items
    return found
