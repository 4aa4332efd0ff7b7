"""What can be made can be named everywhere, and a refusal speaks of what was asked for and of nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from services.annotation.dataset import create_dataset
from services.api.fields import DatasetRef
from services.api.routes.datasets import DatasetIn
from services.api.routes.runs import RunIn
from services.api.routes.schedules import ScheduleIn

SCHEDULE = {"name": "weekly", "criteria_set": "line", "cron": "0 6 * * 1"}


@given(st.one_of(st.text(max_size=120), st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._: -]{0,110}", fullmatch=True)))
def test_whatever_a_dataset_may_be_called_names_it_in_every_request(name: str) -> None:
    try:
        DatasetIn(name=name)
    except ValidationError:
        return
    assert RunIn(dataset=name, test=name, name="line").dataset == name
    assert ScheduleIn(dataset=name, **SCHEDULE).dataset == name
    assert TypeAdapter(DatasetRef).validate_python(name) == name


@pytest.mark.parametrize("name", ["a b", "a:b", "x" * 97, "-a", "é"])
def test_a_name_that_would_not_do_elsewhere_is_refused_when_it_is_given(api: Any, name: str) -> None:
    refused = api.post("/v1/datasets", {"name": name})
    assert refused.status_code == 422
    assert "use letters, digits" in refused.text or "at most 96" in refused.text
    assert "pattern" not in refused.text


def test_a_dataset_that_has_a_space_in_its_name_is_still_found(api: Any) -> None:
    made = create_dataset(api.deployment.database, "a b")
    assert api.get("/v1/datasets/a b").json()["id"] == made.id


def test_an_address_is_refused_for_what_is_wrong_with_it_whether_or_not_there_is_a_secret(api: Any) -> None:
    assert not api.deployment.settings.webhook_secret.get_secret_value()

    def told(url: str, *events: str) -> str:
        refused = api.post("/v1/webhooks", {"url": url, "events": list(events)})
        assert refused.status_code == 422
        return str(refused.json()["detail"])

    assert "start it with https://" in told("example")
    assert "must be told over https" in told("http://93.184.215.14/hook")
    assert "which is private" in told("https://10.0.0.1/hook")
    assert "there is no event 'run.ended'" in told("https://93.184.215.14/hook", "run.ended")
    assert "there is no event 'run ended'; there are run.finished" in told("https://93.184.215.14/hook", "run ended")
    assert "WEBHOOK_SECRET" in told("https://93.184.215.14/hook", "run.finished")


ROWS = [{"a": "one", "b": "two"}, {"a": "three", "b": "four"}]
JSON_LINES = "\n".join(map(json.dumps, ROWS))
CSV = "a,b\none,two\nthree,four\n"


@pytest.fixture
def line(api: Any) -> str:
    """A line with an approved version."""
    run = api.finished(api.dataset())
    version = api.get(f"/v1/runs/{run}").json()["version"]
    api.post(f"/v1/criteria-sets/line/{version}/decisions", {"decision": "approve"})
    return "line"


CASES = [
    ("new.csv", JSON_LINES, "new.csv ends in .csv, and JSON is in it; give it the ending .jsonl"),
    ("new.jsonl", CSV, "new.jsonl ends in .jsonl, and no JSON is in it; give it the ending that fits"),
    ("new.parquet", CSV, "new.parquet does not start like a Parquet file"),
    ("new.csv", "left,right\nx,y\n", "(columns: 'left', 'right'); labelling needs the two texts, in columns"),
    ("new.csv", "A,B\nx,y\n", "rename 'A' to 'a' and rename 'B' to 'b'"),
    ("new.jsonl", '{"left": "x"}', "(columns: 'left'); labelling needs the two texts, in columns"),
]


def test_a_file_to_label_is_refused_for_what_labelling_needs(api: Any, line: str) -> None:
    for file, content, told in CASES:
        query = {"filename": file, "name": line}
        refused = api.http.post("/v1/labellings/upload", params=query, content=content.encode())
        assert refused.status_code == 422, refused.text
        assert told in refused.json()["detail"]
        for foreign in ("preferred", "votes", "chosen", "winner"):
            assert foreign not in refused.text, file
