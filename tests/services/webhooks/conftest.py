"""Receivers that really listen, and settings that let messages go there."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from services.webhooks.settings import WebhookSettings

sys.path.append(str(Path(__file__).parent))

from receiver import Receiver, certificate

MASTER = "a master secret of the tests and long enough"


@pytest.fixture
def settings() -> WebhookSettings:
    """Loopback is allowed, or no receiver of a test could be told anything."""
    return WebhookSettings.model_validate({
        "webhook_secret": MASTER, "webhook_networks": "127.0.0.0/8,::1", "webhook_timeout_seconds": 10,
    })  # fmt: skip


@pytest.fixture
def receivers() -> Iterator[Callable[..., Receiver]]:
    """Makes receivers, and closes them."""
    made: list[Receiver] = []

    def make(**how: Any) -> Receiver:
        made.append(Receiver(**how))
        return made[-1]

    yield make
    for each in made:
        each.close()


@pytest.fixture
def receiver(receivers: Callable[..., Receiver]) -> Receiver:
    """One that takes everything."""
    return receivers()


@pytest.fixture(scope="session")
def pem(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and certificate of `receiver.example`, which is its own authority."""
    return certificate(tmp_path_factory.mktemp("tls"), "receiver.example")
