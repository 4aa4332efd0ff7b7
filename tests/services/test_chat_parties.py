"""Chat models put together from the settings: who judges, who manages, what they share, and what stays secret."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Iterator
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest
from paid_bench import MINED, MODEL, PAPER, SmallParties, chat_settings, endpoint, world_pairs

from agents.chat.cascade import CascadeJudge
from agents.chat.gate import LocalGate
from agents.judge import Judge
from agents.judgments import Ask, Judgment
from agents.manager import Brief
from agents.panel import first_look
from benchmarks.scripted.process import ThreadedEndpoint
from benchmarks.scripted.service import Service
from benchmarks.world.catalogue import knowledge_base
from benchmarks.world.people import World
from knowledge_base.errors import EndpointClosed, InputError
from services.chat_parties import ChatParties, fence_secret, open_endpoint
from services.database import Database
from services.embedded_redis import EmbeddedRedis
from services.parties import EmbeddedParties, load_parties
from services.redis_gate import RedisGate
from services.runs import create_run
from services.settings import load_settings

KEY = "sk-very-secret-0123456789"
NOWHERE = "http://127.0.0.1:9/v1"
CRITERIA = knowledge_base(World(1003), 3)


@pytest.fixture
def database(place: Path) -> Iterator[Database]:
    made = Database(load_settings().database).create()
    yield made
    made.close()


@pytest.fixture
def served() -> Iterator[ThreadedEndpoint]:
    with endpoint(Service(models=(), key=KEY)) as found:
        yield found


def parties(database: Database, url: str = NOWHERE, **settings: Any) -> SmallParties:
    return SmallParties(chat_settings(url, worker_api_key=KEY, **settings), database)


def asks(judge: Judge) -> list[Any]:
    """Each criterion on each of three pairs."""
    return [
        (Ask(judge=judge.fingerprint, criterion=c.hash, pair=p.hash, order=first_look(p.hash, False)), c, p)
        for p in world_pairs("sealed", 3).pairs
        for c in CRITERIA
    ]


def answers(judge: Judge) -> list[Judgment]:
    async def collect() -> list[Judgment]:
        return [judgment async for judgment in judge.answer(asks(judge))]

    return asyncio.run(collect())


class TestFenceSecret:
    """What the marks around foreign texts are made from."""

    def test_it_is_made_once_and_only_its_owner_may_read_it(self, tmp_path: Path) -> None:
        home = tmp_path / "not" / "there" / "yet"
        made = fence_secret(home)
        assert len(made) == 32
        assert fence_secret(home) == made
        assert stat.S_IMODE((home / "fence.key").stat().st_mode) == 0o600
        assert [p.name for p in home.iterdir()] == ["fence.key"], "no draft stays behind"

    def test_every_home_has_its_own(self, tmp_path: Path) -> None:
        assert fence_secret(tmp_path / "a") != fence_secret(tmp_path / "b")

    def test_processes_that_begin_at_once_get_the_same(self, tmp_path: Path) -> None:
        several = get_context("fork")
        together, told = several.Barrier(6), several.SimpleQueue()

        def begin() -> None:
            together.wait(10)
            told.put(fence_secret(tmp_path / "home"))

        processes = [several.Process(target=begin) for _ in range(6)]
        for process in processes:
            process.start()
        found = [told.get() for _ in processes]
        for process in processes:
            process.join(10)
        assert set(found) == {fence_secret(tmp_path / "home")}

    def test_a_secret_that_is_there_is_left_as_it_is(self, tmp_path: Path) -> None:
        (tmp_path / "fence.key").write_bytes(b"s" * 32)
        assert fence_secret(tmp_path) == b"s" * 32


def test_settings_that_name_no_model_give_the_parties_that_need_none(place: Path, database: Database) -> None:
    assert type(load_parties(load_settings(parties="services.parties"), database)) is EmbeddedParties
    assert type(load_parties(chat_settings(NOWHERE, parties="services.parties"), database)) is ChatParties


def test_a_manager_without_a_worker_is_refused_with_the_remedy(database: Database) -> None:
    with pytest.raises(InputError, match="TOUCHSTONE_MANAGER_MODEL is 'openai:m' but TOUCHSTONE_WORKER_MODEL is empty"):
        load_parties(load_settings(parties="services.parties", manager_model="openai:m"), database)


def test_judges_answer_over_http_and_are_counted_by_the_endpoint(database: Database, served: ThreadedEndpoint) -> None:
    (judge,) = parties(database, served.base_url).workers()
    found = answers(judge)
    assert {j.key for j in found} == {ask.key for ask, _, _ in asks(judge)}
    assert {j.status for j in found} <= {"decided", "abstained"}
    assert any(j.status == "decided" and j.rationale for j in found)
    assert served.stats()["requests"] == len(found) == 9


def test_the_manager_proposes_over_http_and_pays_once_for_what_it_asks_twice(
    database: Database, served: ThreadedEndpoint
) -> None:
    brief = Brief(MINED.pairs[:5], MINED.description, "answers", 0, from_base=False)
    made = parties(database, served.base_url)
    first = made.manager().seed(brief, 3)
    asked = served.stats()["requests"]
    assert len(first) == 3
    assert asked >= 6, "an explanation a pair, and the proposals"
    again = parties(database, served.base_url).manager().seed(brief, 3)
    assert again == first
    assert served.stats()["requests"] == asked, "another process reads them in the database's journal"


def test_a_manager_that_is_not_named_is_the_first_workers_model(database: Database) -> None:
    made = parties(database, worker_model="openai:first,openai:second")
    assert "openai:first" in made.manager().fingerprint
    assert "openai:second" not in made.manager().fingerprint
    named = parties(database, manager_model="openai:boss", manager_base_url=NOWHERE, manager_api_key=KEY)
    assert "openai:boss" in named.manager().fingerprint
    assert MODEL not in named.manager().fingerprint


def test_manager_and_worker_have_parameters_of_their_own(database: Database) -> None:
    plain = parties(database)
    warm = parties(database, manager_parameters='{"temperature": 1}')
    cold = parties(database, worker_parameters='{"temperature": 0}')
    assert warm.manager().fingerprint != plain.manager().fingerprint
    assert warm.panel() == plain.panel()
    assert cold.panel() != plain.panel()


def test_a_panel_has_a_seat_for_each_model_with_its_samples_and_costs_something(database: Database) -> None:
    panel = parties(database, worker_model="openai:a,openai:b", worker_samples=3).panel()
    assert [("openai:a" in s.judge, "openai:b" in s.judge) for s in panel.seats] == [(True, False), (False, True)]
    assert {(s.samples, s.free, s.symmetric) for s in panel.seats} == {(3, False, False)}
    assert not panel.free


def test_parties_are_made_once(database: Database) -> None:
    made = parties(database)
    assert made.workers() is made.workers()
    assert made.manager() is made.manager()


def doors(made: ChatParties) -> list[tuple[Any, Any]]:
    """Gates and breakers that were opened so far, by place."""
    return list(made._doors.values())


def test_models_at_one_place_share_its_gate_and_its_breaker(database: Database) -> None:
    made = parties(database, worker_model="openai:a,openai:b", strong_model="openai:s", strong_base_url=NOWHERE)
    made.workers()
    made.manager()
    assert len(doors(made)) == 1


def test_places_that_differ_are_limited_apart(database: Database) -> None:
    made = parties(database, worker_model="openai:a,openai:b", worker_base_url=f"{NOWHERE},http://127.0.0.1:10/v1")
    made.workers()
    (gate, breaker), (other_gate, other_breaker) = doors(made)
    assert gate is not other_gate
    assert breaker is not other_breaker


def test_what_closes_an_endpoint_for_one_model_closes_it_for_all_that_it_serves(
    database: Database, served: ThreadedEndpoint
) -> None:
    made = parties(database, served.base_url, worker_model="openai:a,openai:b", in_flight=1)
    first, second = made.workers()
    served.engine.service = Service(models=("b",), key=KEY)
    for judge in (first, second):
        with pytest.raises(EndpointClosed, match="`a` does not exist"):
            answers(judge)
    assert served.stats()["requests"] == 1


def test_without_a_queue_a_process_keeps_to_the_limit_by_itself_and_with_one_all_do(
    place: Path, database: Database
) -> None:
    alone = parties(database)
    alone.workers()
    assert [type(gate) for gate, _ in doors(alone)] == [LocalGate]
    with EmbeddedRedis(place / "home") as server:
        queued = parties(database, redis_url=server.url)
        queued.workers()
        assert [type(gate) for gate, _ in doors(queued)] == [RedisGate]
        queued.close()


def test_a_strong_model_makes_cascades_that_ask_it_only_where_a_worker_was_not_sure(
    database: Database, served: ThreadedEndpoint
) -> None:
    made = parties(
        database, served.base_url, strong_model="openai:strong", strong_base_url=served.base_url, strong_api_key=KEY
    )
    (judge,) = made.workers()
    assert isinstance(judge, CascadeJudge)
    assert "openai:strong" in judge.fingerprint
    found = answers(judge)
    assert len(found) == judge.asked == 9
    assert served.stats()["requests"] == 9 + judge.went_on


def secrets_in(value: object) -> list[str]:
    """Where a key would show."""
    return [text for text in (repr(value), str(value)) if KEY in text]


def test_a_key_is_in_nothing_that_is_printed_or_stored(database: Database, served: ThreadedEndpoint) -> None:
    made = parties(
        database, served.base_url, strong_model="openai:strong", strong_base_url=served.base_url, strong_api_key=KEY,
        manager_model="openai:boss", manager_base_url=served.base_url, manager_api_key=KEY,
    )  # fmt: skip
    model = open_endpoint(made.settings.worker_endpoints[0], made.settings, "WORKER")
    shown = [made, made.settings, made.panel(), made.manager(), *made.workers(), model, *made.settings.endpoints]
    assert [secrets_in(value) for value in shown] == [[]] * len(shown)
    assert KEY not in made.manager().fingerprint + made.panel().name + model.fingerprint
    answers(made.workers()[0])
    create_run(database, made, MINED, PAPER)
    files = [file for file in made.settings.home.rglob("*") if file.is_file()]
    assert any(file.suffix == ".sqlite" for file in files)
    assert [file for file in files if KEY.encode() in file.read_bytes()] == []


def test_another_key_is_no_other_judge(database: Database) -> None:
    assert parties(database).panel() == SmallParties(chat_settings(NOWHERE, worker_api_key="another"), database).panel()


def test_another_place_is_no_other_judge_but_another_limit_of_texts_is(database: Database) -> None:
    plain = parties(database).panel()
    assert parties(database, url="http://127.0.0.1:11/v1").panel() == plain
    assert parties(database, text_tokens=500).panel() != plain
    assert parties(database, criteria_per_call=3).panel() != plain
    assert parties(database, language="zh").panel() != plain


@pytest.mark.parametrize("role", ["WORKER", "MANAGER"])
def test_a_model_without_a_key_names_the_setting_of_its_role(monkeypatch: pytest.MonkeyPatch, role: str) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    settings = chat_settings("", worker_api_key="")
    with pytest.raises(InputError, match=f"TOUCHSTONE_{role}_API_KEY"):
        open_endpoint(settings.worker_endpoints[0], settings, role)
