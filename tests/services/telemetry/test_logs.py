"""Log lines are JSON with the ids of what they are about, and hold no key, no password and no text."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from services.database import Database
from services.settings import Settings, load_settings
from services.telemetry.logs import LONGEST, about, configure_logs, log

KEY = "supersecretvalue-of-mine"
PASSWORD = "hunter2hunter2"


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def secretive(**more: Any) -> Settings:
    return load_settings(
        redis_url=f"redis://:{PASSWORD}@host:1/0", worker_model="openai:m", worker_api_key=KEY, **more
    )  # fmt: skip


class Stream(io.StringIO):
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.getvalue().splitlines()]


@pytest.fixture
def out() -> Stream:
    stream = Stream()
    configure_logs(secretive(), "worker", stream)
    return stream


def test_a_line_says_what_happened_when_where_and_about_what(out: Stream) -> None:
    with about(run="r1", batch="b1", thread=""):
        log("some.where").info("judged", count=3, seconds=0.5)
    [line] = out.lines()
    at = line.pop("at")
    assert at.endswith("Z")
    assert line == {
        "event": "judged", "level": "info", "logger": "some.where", "role": "worker", "run": "r1", "batch": "b1",
        "count": 3, "seconds": 0.5,
    }  # fmt: skip


def test_what_a_line_is_about_ends_with_its_block_and_nests(out: Stream) -> None:
    with about(run="r1"):
        with about(batch="b1"):
            log("x").info("in")
        log("x").info("out")
    log("x").info("after")
    assert [line.get("batch") for line in out.lines()] == ["b1", None, None]
    assert [line.get("run") for line in out.lines()] == ["r1", "r1", None]


def test_lines_of_libraries_are_of_the_same_form_and_about_the_same(out: Stream) -> None:
    with about(run="r1"):
        logging.getLogger("library").warning("a %s happened", "thing")
    [line] = out.lines()
    assert (line["event"], line["run"], line["level"]) == ("a thing happened", "r1", "warning")


def test_a_request_is_told_with_its_id_and_nothing_else_that_a_logger_brings(out: Stream) -> None:
    told = {"request": "req-1", "method": "GET", "path": "/v1/runs", "status": 200, "seconds": 0.1, "key": KEY}
    logging.getLogger("touchstone.api").info("request", extra={**told, "body": "words of a pair"})
    [line] = out.lines()
    assert {name: line[name] for name in told} == {**told, "key": "[key]"}
    assert "body" not in line


@pytest.mark.parametrize(
    "said",
    [
        f"key {KEY} failed",
        f"cannot reach redis://:{PASSWORD}@host:1/0",
        f"{PASSWORD} alone",
        "postgresql://me:otherpass@db/x is away",
        "sk-abcdefghijklmnop is no key",
        "Authorization: Bearer abc.def.ghi",
    ],
)
def test_no_key_and_no_password_is_logged(out: Stream, said: str) -> None:
    log("x").error("failed", fault=said, nested={"list": [said]}, number=1)
    logging.getLogger("library").error(said)
    logging.getLogger("library").error("%s", said)
    found = out.getvalue()
    for secret in (KEY, PASSWORD, "otherpass", "abcdefghijklmnop", "abc.def.ghi"):
        assert secret not in found


def test_the_trace_of_an_error_is_kept_without_its_secrets(out: Stream) -> None:
    try:
        raise ValueError(f"refused {KEY}")
    except ValueError as error:
        log("x").error("failed", exc_info=error)
    [line] = out.lines()
    assert "ValueError: refused [key]" in line["exception"]
    assert "test_logs.py" in line["exception"]


def test_the_values_that_a_database_refused_are_not_logged(out: Stream, tmp_path: Path) -> None:
    """They may be texts of pairs."""
    database, words = Database(f"sqlite:///{tmp_path / 'x.sqlite'}"), " ".join(["words", "of", "a", "pair"])
    with pytest.raises(DBAPIError) as caught, database.write() as connection:
        connection.execute(text("INSERT INTO absent VALUES (:a)"), {"a": words})
    assert words in str(caught.value)
    log("x").error("failed", fault=str(caught.value), exc_info=caught.value)
    assert words not in out.getvalue()
    assert "no such table" in out.getvalue()


@given(st.text(max_size=3 * LONGEST))
def test_any_value_is_one_line_of_bounded_length(value: str) -> None:
    stream = Stream()
    configure_logs(load_settings(redis_url="unix:///x"), "worker", stream)
    log("x").info("said", value=value, bytes=value.encode("utf-8", "replace"))
    [line] = stream.lines()
    assert len(line["value"]) <= LONGEST + len(" ... ")


def test_levels_and_formats_are_as_set() -> None:
    stream = Stream()
    configure_logs(secretive(log_level="error", log_format="text"), "api", stream)
    log("x").warning("not this")
    log("x").error("but this", run="r1")
    assert "not this" not in stream.getvalue()
    assert "but this" in stream.getvalue()
    assert "run=r1" in stream.getvalue()
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(stream.getvalue())


def test_libraries_that_log_every_step_are_quiet(out: Stream) -> None:
    for name in ("httpx", "sqlalchemy.engine", "rq.worker"):
        logging.getLogger(name).info("a step")
    assert out.lines() == []


def test_unconfigured_it_logs_as_the_standard_library_does(caplog: pytest.LogCaptureFixture) -> None:
    structlog.reset_defaults()
    log("x").warning("said", count=1)
    assert [r.message for r in caplog.records] == ["event='said' count=1"]
