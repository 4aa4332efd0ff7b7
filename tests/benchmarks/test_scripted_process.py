"""The endpoint as a process: started, reached, gone; and the command by which a person runs it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from agents.chat.fence import Fence
from benchmarks.scripted.__main__ import main, parser, setup_of
from benchmarks.scripted.faults import FAULTS, Script, every_fault
from benchmarks.scripted.process import ROOT, ScriptedEndpoint
from benchmarks.scripted.service import Service
from benchmarks.scripted.setup import Setup
from knowledge_base.errors import InputError, RunError

BODY = {"model": "scripted", "messages": [{"role": "user", "content": "Hello! " * 500}]}


def eventually(holds: Callable[[], bool]) -> bool:
    until = time.monotonic() + 5
    while not holds() and time.monotonic() < until:
        time.sleep(0.01)
    return holds()


def gone(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def test_a_process_serves_counts_costs_little_and_leaves_nothing() -> None:
    with ScriptedEndpoint() as endpoint, httpx.Client(base_url=endpoint.base_url, verify=False) as client:
        client.post("/chat/completions", json=BODY)
        before = endpoint.stats()["cpu_seconds"]
        for seed in range(300):
            assert client.post("/chat/completions", json=BODY | {"seed": seed}).status_code == 200
        stats = endpoint.stats()
        pid, port = endpoint.pid, endpoint.port
        assert endpoint.complaints == ""
    assert stats["outcomes"] == {"answered": 301}
    assert (stats["cpu_seconds"] - before) / 300 < 0.001
    assert gone(pid)
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/stats", verify=False)


def test_a_process_is_told_everything(tmp_path: Path) -> None:
    setup = Setup(
        answer="benchmarks.scripted.letters:letters",
        service=Service(models=("m",), key="k"),
        script=Script(first=("prose_refusal", "server_error"), latency=0.01),
        log=str(tmp_path / "log.jsonl"),
    )
    with ScriptedEndpoint(setup) as endpoint:
        address, asked = f"{endpoint.base_url}/chat/completions", BODY | {"model": "m"}
        headers = {"Authorization": "Bearer k"}
        said = [httpx.post(address, json=asked, headers=headers, verify=False).status_code for _ in range(3)]
        assert said == [200, 500, 200]
        endpoint.reset()
        assert endpoint.stats()["requests"] == 0
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [line["outcome"] for line in lines] == ["prose_refusal", "server_error", "answered"]


def test_a_process_serves_a_simulated_world() -> None:
    blocks = Fence(b"secret", "a pair").blocks([("a", "One."), ("b", "Two."), ("criterion", "Clarity: it is clear.")])
    asked = {"model": "scripted", "messages": [{"role": "user", "content": blocks}]}
    with ScriptedEndpoint(Setup("benchmarks.world.dialect:world_answer", {"seed": 3})) as endpoint:
        said = httpx.post(f"{endpoint.base_url}/chat/completions", json=asked, verify=False).json()
    assert {"reasoning", "verdict"} == set(json.loads(said["choices"][0]["message"]["content"]))


def test_a_process_that_cannot_start_says_why() -> None:
    with (
        pytest.raises(RunError, match="no answer function 'nowhere:nothing'"),
        ScriptedEndpoint(Setup("nowhere:nothing")),
    ):
        pytest.fail("it started")


def test_no_fault_makes_the_process_complain() -> None:
    told = Script(rates=every_fault(0.06), hang=0.01)
    with ScriptedEndpoint(Setup(script=told)) as endpoint, httpx.Client(verify=False) as client:
        for seed in range(100):
            with suppress(httpx.TransportError):
                client.post(f"{endpoint.base_url}/chat/completions", json=BODY | {"seed": seed}, timeout=5)
        outcomes = endpoint.stats()["outcomes"]
        assert endpoint.complaints == ""
    assert {"timeout", "drop_headers", "drop_body", "answered"} < set(outcomes)


def test_an_endpoint_stops_though_a_request_is_waiting() -> None:
    with ScriptedEndpoint(Setup(script=Script(latency=60.0))) as endpoint:
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(f"{endpoint.base_url}/chat/completions", json=BODY, timeout=0.2, verify=False)
        pid, start = endpoint.pid, time.monotonic()
    assert time.monotonic() - start < 2
    assert gone(pid)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ties a process to its parent")
def test_an_endpoint_dies_with_a_parent_that_is_killed() -> None:
    code = (
        "import time\nfrom benchmarks.scripted.process import ScriptedEndpoint\n"
        "with ScriptedEndpoint() as endpoint:\n    print(endpoint.pid, flush=True)\n    time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    with parent.stdout as told:
        pid = int(told.readline())
    assert not gone(pid)
    parent.kill()
    parent.wait()
    assert eventually(lambda: gone(pid))


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_person_starts_and_interrupts_it_without_a_word_of_warning(stop: signal.Signals) -> None:
    command = [sys.executable, "-X", "dev", "-W", "error", "-m", "benchmarks.scripted", "--fault", "empty=1"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=os.environ | {"PYTHONPATH": ""}
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().decode().strip()
        said = httpx.post(f"{address}/chat/completions", json=BODY, verify=False)
        process.send_signal(stop)
        rest, complaints = process.communicate(timeout=10)
    assert said.json()["choices"][0]["message"]["content"] == ""
    assert (process.returncode, rest, complaints) == (0, b"", b"")


def test_help_tells_every_option_and_fault(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        parser().parse_args(["--help"])
    said = capsys.readouterr().out
    missing = [
        name for name in ("--port", "--answer", "--latency-p99", "--key", "--no-schemas", *FAULTS) if name not in said
    ]
    assert missing == []


def given(*arguments: str) -> Setup:
    return setup_of(parser().parse_args(arguments))


def test_without_arguments_it_is_the_plain_endpoint() -> None:
    assert given() == Setup()


def test_arguments_describe_service_and_script() -> None:
    told = given(
        "--model", "m", "--model", "n", "--no-schemas", "--window", "900", "--usage", "plain", "--style", "vllm",
        "--latency", "0.2", "--latency-p99", "1", "--fault", "empty=0.1", "--fault", "timeout=0.2", "--cap", "9",
        "--answer", "a:b", "--arguments", '{"x": 1}',
    )  # fmt: skip
    service = Service(models=("m", "n"), schemas=False, window=900, usage="plain", style="vllm")
    script = Script(latency=0.2, latency_p99=1.0, rates={"empty": 0.1, "timeout": 0.2}, cap=9)
    assert told == Setup("a:b", {"x": 1}, service, script)


def test_arguments_go_before_the_file_they_name(tmp_path: Path) -> None:
    setup = Setup(service=Service(quota=3, key="k"), script=Script(seed=4, rates={"empty": 0.1}))
    (tmp_path / "told.json").write_bytes(setup.as_json())
    told = given("--config", str(tmp_path / "told.json"), "--quota", "5", "--fault", "prose=0.2")
    assert told.service == replace(setup.service, quota=5, models=["scripted"])
    assert (told.script.seed, told.script.rates) == (4, {"empty": 0.1, "prose": 0.2})


def test_a_setup_survives_its_json() -> None:
    setup = Setup("a:b", {"x": [1]}, Service(models=["m"], window=9), Script(first=["ok", "empty"], latency=0.5), "f")
    assert Setup.from_json(setup.as_json()) == setup


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (b"{", "no JSON"),
        (b"[]", "JSON object"),
        (b'{"port": 3}', "setup has no port"),
        (b'{"script": {"lateness": 3}}', "script has no lateness; use seed, latency"),
        (b'{"service": 3}', "service must be a JSON object"),
        (b'{"script": {"latency": "slow"}}', "script cannot be read"),
        (b'{"script": {"rates": {"empty": 2}}}', "rate of empty"),
    ],
)
def test_a_setup_that_makes_no_sense_is_refused(wrong: bytes, said: str) -> None:
    with pytest.raises(InputError, match=said):
        Setup.from_json(wrong)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--fault", "empty"], "NAME=RATE"),
        (["--fault", "tired=0.1"], "no fault 'tired'"),
        (["--answer", "nowhere:nothing"], "nowhere:nothing"),
        (["--config", "/no/such/file.json"], "No such file"),
        (["--host", "203.0.113.1"], "address"),
    ],
)
def test_a_command_that_cannot_run_says_why(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert said in capsys.readouterr().err


def test_two_endpoints_have_ports_of_their_own() -> None:
    with ScriptedEndpoint() as one, ScriptedEndpoint() as two:
        stats: list[Any] = [e.stats()["requests"] for e in (one, two)]
        assert stats == [0, 0]
        assert one.port != two.port


@pytest.mark.parametrize("wrong", [{"window": 0}, {"quota": -1}, {"cache_tokens": -1}, {"models": "scripted"}])
def test_a_service_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=next(iter(wrong))):
        Service(**wrong)
