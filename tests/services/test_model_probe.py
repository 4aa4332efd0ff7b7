"""One real call tells whether an endpoint can judge, and `touchstone doctor` says what is wrong where it cannot."""

from __future__ import annotations

from pathlib import Path

import pytest
from loopback_endpoint import Answer, LoopbackEndpoint, completion
from paid_bench import chat_settings, endpoint

from benchmarks.scripted.faults import Script
from benchmarks.scripted.process import ThreadedEndpoint
from benchmarks.scripted.service import Service
from benchmarks.scripted.setup import Setup
from knowledge_base.errors import EndpointClosed, InputError
from services import doctor
from services.doctor import Check, examine
from services.model_probe import probe

KEY = "sk-very-secret-0123456789"
WISE = '{"reasoning": "42 it is.", "verdict": "A"}'
WRONG = '{"reasoning": "24 it is.", "verdict": "B"}'


def said(text: str) -> LoopbackEndpoint:
    """An endpoint that always says this."""
    return LoopbackEndpoint(lambda _: Answer(completion(text)))


@pytest.fixture
def lone(place: Path, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A doctor who looks at models alone, since the rest has tests of its own."""
    monkeypatch.setattr(doctor, "LOOKS", ())
    monkeypatch.setenv("TOUCHSTONE_WORKER_MODEL", "openai:scripted")
    monkeypatch.setenv("TOUCHSTONE_WORKER_API_KEY", KEY)
    return monkeypatch


def models() -> list[Check]:
    return [check for check in examine() if check.name == "model"]


def test_a_model_that_knows_what_is_right_is_well_and_its_call_is_counted(place: Path) -> None:
    with said(WISE) as served:
        settings = chat_settings(served.url)
        found = probe(settings.worker_endpoints[0], settings)
    assert (found.judgment.status, found.judgment.verdict) == ("decided", "A")
    assert (found.prompt_tokens, found.completion_tokens, found.calls) == (1000, 50, 1)
    assert found.seconds > 0
    assert len(served.requests) == 1


def test_what_is_asked_is_a_judgment_of_two_texts_one_of_which_is_right(place: Path) -> None:
    with said(WISE) as served:
        settings = chat_settings(served.url, worker_parameters='{"temperature": 0.5}')
        probe(settings.worker_endpoints[0], settings)
    (request,) = served.requests
    asked = "".join(message["content"] for message in request.body["messages"])
    assert "Six times seven is 42." in asked
    assert "Six times seven is 24." in asked
    assert request.body["temperature"] == 0.5, "the call is made as a run would make it"


def test_repairs_are_counted(place: Path) -> None:
    with endpoint(script=Script(first=["malformed"])) as served:
        settings = chat_settings(served.base_url)
        found = probe(settings.worker_endpoints[0], settings)
        assert found.calls == served.stats()["requests"] > 1


@pytest.mark.parametrize(
    ("service", "told"),
    [
        (Service(key="another"), "Incorrect API key provided"),
        (Service(models=("another",)), "does not exist"),
        (Service(quota=0), "exceeded your current quota"),
    ],
)
def test_a_closed_endpoint_is_asked_once_and_says_why(place: Path, service: Service, told: str) -> None:
    with ThreadedEndpoint(Setup(service=service).engine()) as closed:
        settings = chat_settings(closed.base_url)
        with pytest.raises(EndpointClosed, match=told):
            probe(settings.worker_endpoints[0], settings)
        assert closed.stats()["requests"] == 1


def test_a_fault_that_may_pass_is_not_waited_for(place: Path) -> None:
    with endpoint(script=Script(first=["server_error"] * 9)) as ill:
        settings = chat_settings(ill.base_url)
        found = probe(settings.worker_endpoints[0], settings)
        assert found.judgment.status == "failed"
        assert ill.stats()["requests"] == 1


def test_the_doctor_finds_a_good_model_well(lone: pytest.MonkeyPatch) -> None:
    with said(WISE) as served:
        lone.setenv("TOUCHSTONE_WORKER_BASE_URL", served.url)
        (found,) = models()
    assert found.ok
    assert found.found.startswith(f"openai:scripted at {served.url} judges a pair in ")
    assert found.found.endswith("1,000 + 50 tokens")
    assert len(served.requests) == 1, "the manager is the worker's model, which is tried once"


def test_the_doctor_tells_a_wrong_key_without_showing_it(lone: pytest.MonkeyPatch) -> None:
    with endpoint(Service(key="right")) as served:
        lone.setenv("TOUCHSTONE_WORKER_BASE_URL", served.base_url)
        (found,) = models()
    assert not found.ok
    assert "401, the key was refused" in found.found
    assert "API_KEY" in found.remedy
    assert KEY not in str(found)


def test_the_doctor_tries_every_key(lone: pytest.MonkeyPatch) -> None:
    with endpoint(Service(key=KEY)) as served:
        for name in ("WORKER", "MANAGER"):
            lone.setenv(f"TOUCHSTONE_{name}_BASE_URL", served.base_url)
        lone.setenv("TOUCHSTONE_MANAGER_MODEL", "openai:scripted")
        lone.setenv("TOUCHSTONE_MANAGER_API_KEY", "wrong")
        manager, worker = models()
        assert served.stats()["outcomes"] == {"answered": 1, "bad_key": 1}
    assert "401, the key was refused" in manager.found
    assert "the key was refused" not in worker.found


def test_the_doctor_tells_an_unknown_model(lone: pytest.MonkeyPatch) -> None:
    with endpoint(Service(models=("another",))) as served:
        lone.setenv("TOUCHSTONE_WORKER_BASE_URL", served.base_url)
        (found,) = models()
    assert not found.ok
    assert "404, model not found" in found.found
    assert "_MODEL" in found.remedy


def test_the_doctor_tells_an_endpoint_that_does_not_answer(lone: pytest.MonkeyPatch) -> None:
    lone.setenv("TOUCHSTONE_WORKER_BASE_URL", "http://127.0.0.1:9/v1")
    (found,) = models()
    assert not found.ok
    assert "openai:scripted at http://127.0.0.1:9/v1" in found.found
    assert "_BASE_URL" in found.remedy


@pytest.mark.parametrize(
    "body", [b"<html><body>It works!</body></html>", b"{}", b'{"choices": []}', b"null", b"\xff\xfe", b""]
)
def test_the_doctor_tells_an_endpoint_that_talks_garbage(lone: pytest.MonkeyPatch, body: bytes) -> None:
    with LoopbackEndpoint(lambda _: Answer(body)) as garbage:
        lone.setenv("TOUCHSTONE_WORKER_BASE_URL", garbage.url)
        (found,) = models()
    assert not found.ok
    assert garbage.url in found.found
    assert "Traceback" not in found.found
    assert found.remedy
    assert "reinstall" not in found.remedy, "it is not our installation that is at fault"


def test_the_doctor_tells_a_model_that_cannot_keep_to_the_form(lone: pytest.MonkeyPatch) -> None:
    with said("I would rather talk about the weather.") as served:
        lone.setenv("TOUCHSTONE_WORKER_BASE_URL", served.url)
        (found,) = models()
    assert not found.ok
    assert "invalid" in found.found


def test_the_doctor_tells_a_model_that_cannot_judge(lone: pytest.MonkeyPatch) -> None:
    with said(WRONG) as served:
        lone.setenv("TOUCHSTONE_WORKER_BASE_URL", served.url)
        (found,) = models()
    assert not found.ok
    assert "it says that six times seven is not 42" in found.found
    assert found.remedy == "judge with a more capable model"


def test_the_doctor_looks_at_workers_manager_and_strong_model(lone: pytest.MonkeyPatch) -> None:
    with said(WISE) as served:
        lone.setenv("TOUCHSTONE_WORKER_MODEL", "openai:a,openai:b")
        lone.setenv("TOUCHSTONE_MANAGER_MODEL", "openai:boss")
        lone.setenv("TOUCHSTONE_STRONG_MODEL", "openai:strong")
        for name in ("WORKER", "MANAGER", "STRONG"):
            lone.setenv(f"TOUCHSTONE_{name}_BASE_URL", served.url)
            lone.setenv(f"TOUCHSTONE_{name}_API_KEY", KEY)
        found = models()
    assert sorted(check.found.split()[0] for check in found) == [
        "openai:a", "openai:b", "openai:boss", "openai:strong",
    ]  # fmt: skip
    assert all(check.ok for check in found)


@pytest.mark.parametrize("role", ["WORKER", "MANAGER", "STRONG"])
def test_a_model_without_a_key_names_the_variable_of_its_role(
    place: Path, monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    given = {f"{name.lower()}_{part}": value for name in ("WORKER", "MANAGER", "STRONG") for part, value in (
        ("model", f"openai:{name.lower()}"), ("base_url", ""), ("api_key", "" if name == role else KEY)
    )}  # fmt: skip
    settings = chat_settings("", **given)
    (keyless,) = (e for e in settings.endpoints if e.model == f"openai:{role.lower()}")
    with pytest.raises(InputError, match=f"TOUCHSTONE_{role}_API_KEY"):
        probe(keyless, settings)


def test_where_no_model_is_named_the_doctor_calls_nobody(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "LOOKS", ())
    assert models() == []
