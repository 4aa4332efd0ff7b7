"""docs/schedules.md says what the code does."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import get_args

from agents.comparison import Verdict
from agents.drift import CAUSES
from services.schedules.refreshes import WindowStatus
from services.schedules.register import ScheduleSpec, preview
from services.schedules.terms import Terms

PAGE = Path(__file__).parents[3].joinpath("docs", "schedules.md").read_text(encoding="utf-8")


def test_the_example_can_be_kept_as_it_stands() -> None:
    [example] = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)
    spec = ScheduleSpec.model_validate(json.loads(example))
    assert preview(spec, 1, datetime(2026, 3, 1, tzinfo=UTC)) == [datetime(2026, 3, 2, 1, 30, tzinfo=UTC)]


def test_every_term_status_verdict_and_cause_is_told() -> None:
    told = set(re.findall(r"`([a-z_ ]+)`", PAGE))
    assert set(Terms.model_fields) <= told
    assert set(get_args(WindowStatus)) <= told
    assert set(get_args(Verdict)) <= told
    assert set(CAUSES) <= told


def test_the_defaults_in_the_table_are_those_of_the_terms() -> None:
    rows = dict(re.findall(r"^\| `([a-z_]+)` \|.*\| ([^|]+) \|$", PAGE, re.MULTILINE))
    for name in ("minimum", "anchors", "sealed_share", "alpha", "remine"):
        assert rows[name] == str(Terms.model_fields[name].default)
