"""The page on operations tells of every metric, field and setting that there is, and of no other."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from workbench import bench, finish, new_run

from services.deployment import Deployment
from services.queue import LINES
from services.retention import policies
from services.roles.leadership import Leadership
from services.roles.settings import RoleSettings
from services.settings import PREFIX, Settings
from services.telemetry.logs import REQUEST
from services.telemetry.metrics import NAMES, render_metrics
from tests.compose_file import ROOT

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
METRIC = re.compile(r"^\| `(touchstone_\w+)` \| (\w+)( \*)? \| ([^|]*)\|", re.MULTILINE)
TOLD = {name: (kind, bool(star), re.findall(r"`(\w+)`", labels)) for name, kind, star, labels in METRIC.findall(PAGE)}


@pytest.fixture
def deployment(place: Path) -> Iterator[Deployment]:
    with bench(place) as opened:
        yield opened


def test_every_metric_is_told_with_its_type_and_no_other(deployment: Deployment) -> None:
    types = re.findall(r"^# TYPE (\w+) (\w+)$", render_metrics(deployment).decode(), flags=re.MULTILINE)
    assert {name: kind for name, (kind, _, _) in TOLD.items()} == dict(types)


def test_labels_are_told_as_they_are(deployment: Deployment) -> None:
    finish(deployment, new_run(deployment.database))
    assert Leadership(deployment.database, "scheduler", 10).seek()
    deployment.tally.job("judge", "done", 1.0)
    deployment.tally.add({("duties", "runs", "done"): 1, ("duty seconds", "runs"): 1})
    told = {name.removesuffix("_total"): labels for name, (_, _, labels) in TOLD.items()}
    seen = set()
    for family in text_string_to_metric_families(render_metrics(deployment).decode()):
        for sample in family.samples:
            assert sorted(told[family.name]) == sorted(set(sample.labels) - {"le"}), family.name
            seen.add(family.name)
    assert len(seen) > 10


def test_what_begins_anew_with_redis_is_marked(deployment: Deployment) -> None:
    finish(deployment, new_run(deployment.database))
    deployment.tally.job("judge", "done", 1.0)
    deployment.tally.add({("duties", "runs", "done"): 1, ("duty seconds", "runs"): 1, ("take-overs",): 2})

    def values() -> dict[str, float]:
        families = text_string_to_metric_families(render_metrics(deployment).decode())
        return {f.name: sum(s.value for s in f.samples) for f in families if f.type in ("counter", "histogram")}

    before = values()
    deployment.queue.connection.flushall()
    lost = {name for name, value in values().items() if value < before[name]}
    assert lost == {name.removesuffix("_total") for name, (_, star, _) in TOLD.items() if star}


def test_every_setting_of_the_roles_is_told_and_every_one_that_is_told_exists() -> None:
    told = set(re.findall(rf"{PREFIX}[A-Z_]+[A-Z]", PAGE))
    roles = {f"{PREFIX}{name.upper()}" for name in RoleSettings.model_fields}
    known = {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    assert roles - told == set()
    # Of the compose file alone, and the beginning of the names of several.
    assert told - known <= {f"{PREFIX}PORT", f"{PREFIX}KEEP"}


def test_days_are_told_as_they_are() -> None:
    told = {name: int(count) for count, name in re.findall(rf"\| (\d+) \| `{PREFIX}(KEEP_\w+_DAYS)` \|", PAGE)}
    defaults = RoleSettings().model_dump()
    assert told == {name.upper(): value for name, value in defaults.items() if name.endswith("_days")}
    rows = re.findall(rf"^\| .* \| (?:`{PREFIX}KEEP_\w+`|none) \|", PAGE, flags=re.MULTILINE)
    assert len(rows) == len(policies(RoleSettings()))


def test_the_lines_of_the_queue_are_told_in_their_order() -> None:
    table = PAGE[PAGE.index("| line | holds |") : PAGE.index("One take in eight")]
    assert re.findall(r"^\| `(\w+)`", table, flags=re.MULTILINE) == [NAMES[line] for line in LINES]


def test_the_fields_of_a_request_are_told() -> None:
    [row] = [line for line in PAGE.splitlines() if line.startswith("| `request`")]
    assert [field for field in REQUEST if f"`{field}`" not in row] == []
