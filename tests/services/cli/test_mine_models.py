"""`touchstone mine` with chat models behind a real endpoint: the real command, real workers, a bill that adds up."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from paid_bench import MINED, MODEL, SEALED, endpoint, pairs_file

from benchmarks.scripted.process import ThreadedEndpoint
from benchmarks.scripted.service import Service
from services.criteria_file import read_criteria
from services.run_result import RunResult

ROOT = Path(__file__).parents[3]
KEY, SIZE = "sk-right-0123456789", 4
ORDER = ("--policy", "paper", "--size", str(SIZE), "--rounds", "2", "--no-knowledge-base", "--yes")

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("mine models")]


@dataclass(frozen=True)
class Desk:
    """A folder with pairs, and an endpoint that the environment names."""

    folder: Path
    served: ThreadedEndpoint

    def mine(self, *options: str, key: str = KEY, out: str = "out") -> subprocess.CompletedProcess[str]:
        """The command as a user gives it."""
        settings = {
            "HOME": str(self.folder / "home"), "WORKERS": "1", "WORKER_MODEL": MODEL, "WORKER_API_KEY": key,
            "WORKER_BASE_URL": self.served.base_url, "IN_FLIGHT": "8",
            "PRICES": json.dumps({MODEL: {"prompt": 1.0, "cached": 0.1, "completion": 2.0}}), "CURRENCY": "EUR",
        }  # fmt: skip
        named = {f"TOUCHSTONE_{name}": value for name, value in settings.items()}
        pairs = pairs_file(self.folder / "pairs.jsonl", MINED)
        test = pairs_file(self.folder / "test.jsonl", SEALED)
        command = ["mine", str(pairs), "--test", str(test), "--out", str(self.folder / out), *ORDER, *options]
        return subprocess.run(
            [sys.executable, "-c", "from services.cli import app; app()", *command],
            env={**os.environ, **named, "PYTHONPATH": str(ROOT), "TMPDIR": "/tmp"}, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=110,
        )  # fmt: skip

    @property
    def asked(self) -> int:
        """Requests so far that were answered or refused for anything but the key."""
        stats = self.served.stats()
        return int(stats["requests"]) - int(stats["outcomes"].get("bad_key", 0))


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with endpoint(Service(key=KEY)) as served:
        yield Desk(tmp_path_factory.mktemp("mm"), served)


@pytest.fixture(scope="module")
def refused(desk: Desk) -> subprocess.CompletedProcess[str]:
    """What the command says with a wrong key."""
    return desk.mine(key="sk-wrong-9876543210")


@pytest.fixture(scope="module")
def mined(desk: Desk, refused: subprocess.CompletedProcess[str]) -> subprocess.CompletedProcess[str]:
    """The same command after the key was mended."""
    return desk.mine()


def result(desk: Desk, out: str = "out") -> RunResult:
    return RunResult.model_validate_json((desk.folder / out / "result.json").read_text())


def test_a_wrong_key_ends_the_command_with_the_reason_and_what_to_do(
    desk: Desk, refused: subprocess.CompletedProcess[str]
) -> None:
    assert refused.returncode == 1
    assert "401, the key was refused" in refused.stderr
    assert "run the same command again" in refused.stderr
    assert "Traceback" not in refused.stderr
    assert "sk-wrong" not in refused.stderr + refused.stdout
    assert desk.served.stats()["outcomes"]["bad_key"] <= 16, "it does not try again and again"


def test_with_the_key_mended_the_same_command_mines(desk: Desk, mined: subprocess.CompletedProcess[str]) -> None:
    assert mined.returncode == 0, mined.stderr
    assert "Expected: " not in mined.stderr, "the run is there: it was agreed to before"
    found = result(desk)
    assert found.facts.panel.name.count("openai:scripted") >= 1
    assert 0 < len(found.criteria_set.members) <= SIZE
    assert read_criteria(desk.folder / "out" / "criteria.yaml").criteria_set == found.criteria_set


def test_the_bill_is_in_the_result_and_adds_up(desk: Desk, mined: subprocess.CompletedProcess[str]) -> None:
    calls = result(desk).usage.calls
    stages = {(row.work, row.stage): row for row in calls.rows if row.completion}
    assert {stage for _, stage in stages} >= {"explain", "propose", "judge"}
    assert stages["sealed", "judge"].calls == len(SEALED.pairs) * len(result(desk).criteria_set.members)
    answered = desk.served.stats()
    assert calls.total.calls == answered["requests"], "those with the wrong key were sent, too"
    assert (calls.total.prompt, calls.total.cached) == (answered["tokens"]["prompt"], answered["tokens"]["cached"])
    uncached, cached = calls.total.uncached, calls.total.cached
    assert calls.total.cost == pytest.approx((uncached + 0.1 * cached + 2 * calls.total.completion) / 1e6)
    assert answered["duplicates"] == 0


def test_the_report_and_the_summary_show_the_bill(desk: Desk, mined: subprocess.CompletedProcess[str]) -> None:
    total = result(desk).usage.calls.total
    report = (desk.folder / "out" / "report.html").read_text(encoding="utf-8")
    for row in result(desk).usage.calls.rows:
        shown = [row.calls, row.retries, row.prompt, row.cached, row.completion]
        assert "".join(f'<td class="n">{number:,}</td>' for number in shown) in report
    assert f"<code>{MODEL}</code>" in report
    assert f"all calls  {total.calls:,} calls, {total.prompt:,} prompt tokens ({total.cached:,} cached)" in mined.stdout
    assert "  manager" in mined.stdout


def test_the_key_is_in_no_file_of_the_run(desk: Desk, mined: subprocess.CompletedProcess[str]) -> None:
    files = [file for file in desk.folder.rglob("*") if file.is_file()]
    assert any(file.suffix == ".sqlite" for file in files)
    assert [file.name for file in files if KEY.encode() in file.read_bytes()] == []


def test_a_finished_run_is_printed_at_once_and_for_nothing(desk: Desk, mined: subprocess.CompletedProcess[str]) -> None:
    before = desk.asked
    again = desk.mine("--quiet")
    assert (again.returncode, desk.asked) == (0, before)


def test_a_larger_budget_goes_on_where_a_small_one_ended(desk: Desk, mined: subprocess.CompletedProcess[str]) -> None:
    """Everything was paid for by the first run, so that even the smallest budget reaches for the whole."""
    before = desk.asked
    cheap = desk.mine("--budget-calls", "5", out="cheap")
    assert cheap.returncode == 0, cheap.stderr
    assert "Expected: " in cheap.stderr
    assert "Budget: 5 calls" in cheap.stderr
    assert desk.asked == before
    assert result(desk, "cheap").criteria_set.members == result(desk).criteria_set.members
    assert result(desk, "cheap").usage.calls.total.calls == 0
