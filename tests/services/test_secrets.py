"""A key stays where the user put it: after a whole run it stands in no file, no queue and nothing that was written."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from letter_parties import letter_dataset

from benchmarks.scripted.engine import Engine
from benchmarks.scripted.faults import Script
from benchmarks.scripted.letters import letters
from benchmarks.scripted.process import ThreadedEndpoint
from benchmarks.scripted.service import Service
from services.cli.output_folder import write_folder
from services.database import Database
from services.embedded_redis import SOCKET
from services.embedded_registry import Registry
from services.parties import load_parties
from services.progress import RunProgress
from services.run_config import RunConfig
from services.run_driver import run_to_end
from services.runs import create_run
from services.settings import Settings, load_settings

pytestmark = pytest.mark.slow

KEY = "sk-touchstone-test-7f3a91c25e08d64b"


@pytest.fixture
def endpoint() -> Iterator[ThreadedEndpoint]:
    """Wants the key, and says it back in its complaints, as some servers do."""
    with ThreadedEndpoint(Engine(letters, Service(key=KEY), Script(rates={"server_error": 0.05}))) as running:
        yield running


def settings_of(place: Path, url: str) -> Settings:
    return load_settings(
        home=place / "home",
        parties="services.parties",
        workers=2,
        worker_model="openai:scripted",
        worker_base_url=url,
        worker_api_key=KEY,
    )


def held(connection: Any, key: bytes) -> list[bytes]:
    """What stands under a key; a job's data is unpacked, for RQ packs it."""
    kind = connection.type(key)
    if kind == b"hash":
        return [unpacked(v) for pair in connection.hgetall(key).items() for v in pair]
    if kind == b"list":
        return list(connection.lrange(key, 0, -1))
    if kind in (b"set", b"zset"):
        return list(connection.smembers(key) if kind == b"set" else connection.zrange(key, 0, -1))
    return [connection.get(key) or b""] if kind == b"string" else []


def unpacked(value: bytes) -> bytes:
    try:
        return zlib.decompress(value)
    except zlib.error:
        return value


class Watchman:
    """Looks at everything that the Redis server holds, as often as progress is told."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self.looked, self.seen = settings, 0, b""

    def __call__(self, progress: RunProgress) -> None:
        for instance in Registry(self._settings.home).instances():
            with redis.Redis(unix_socket_path=str(instance.folder / SOCKET)) as connection:
                for key in connection.scan_iter(count=1000):
                    self.seen += key + b" ".join(held(connection, key))
                    self.looked += 1
            self.seen += b"".join(p.read_bytes() for p in instance.folder.glob("*.log"))


@pytest.mark.timeout(240)
def test_a_key_reaches_no_database_queue_log_checkpoint_or_export(place: Path, endpoint: ThreadedEndpoint) -> None:
    settings = settings_of(place, endpoint.base_url)
    database = Database(settings.database).create()
    run = create_run(
        database, load_parties(settings, database), letter_dataset(24), RunConfig(holdout="none", rounds=2)
    )
    watchman = Watchman(settings)
    result = run_to_end(run, settings, watchman)
    write_folder(result, place / "out")
    assert endpoint.stats()["outcomes"].get("answered", 0) > 100, endpoint.stats()
    assert watchman.looked > 10
    assert KEY.encode() not in watchman.seen
    assert [p for p in place.rglob("*") if p.is_file() and KEY.encode() in p.read_bytes()] == []
    assert KEY not in repr(settings) + str(settings) + settings.model_dump_json()
    database.close()
