"""What is wrong with a request is told in words: the field, the value, and what would do."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, TypeAdapter, ValidationError

from services.api.fields import SENTENCES, Cursor, Given, Hex, Ident, Line, Name
from services.api.wording import LONGEST, worded

AS_FORM = "send the file itself as the body (curl --data-binary @file), not as a form"


class Inner(Given):
    seed: int = 0
    names: list[Name] = Field(default_factory=list)


class Outer(Given):
    config: Inner | None = None
    many: list[Inner] = Field(default_factory=list)
    token: Line = ""


def told(kind: Any, value: object) -> list[str]:
    """What is said of a value that a type refuses."""
    with pytest.raises(ValidationError) as refused:
        TypeAdapter(kind).validate_python(value)
    return [worded({**fault, "loc": ("body", *fault["loc"])}, kind) for fault in refused.value.errors()]


@pytest.mark.parametrize(
    ("kind", "value", "words"),
    [
        (Name, "a b", "is 'a b'; use letters, digits, dots, dashes and underscores"),
        (Ident, "-a", "is '-a'; use letters"),
        (Hex, "XYZ", "is 'XYZ'; give 8 to 64 of the digits"),
        (Cursor, "é", "is 'é'; give the `next`"),
        (Line, "x" * 501, f"has 501 characters, beginning with '{'x' * LONGEST}…'; give at most 500"),
        (Name, "", "has no characters; give at least 1"),
        (Line, "a\x00b", r"holds a NUL character; take it out (given: 'a\x00b')"),
        (Inner, 3, "is 3; give a JSON object"),
        (Inner, {"names": {"a": 1}}, "is an object; give a list"),
        (Inner, {"seed": "many"}, "is 'many'; it should be a valid integer"),
        (Inner, {"seed": 1.5}, "is 1.5; it should be a valid integer, got a number with a fractional part"),
    ],
)  # fmt: skip
def test_a_value_is_told_with_what_would_do(kind: Any, value: object, words: str) -> None:
    assert told(kind, value)[0].startswith(words)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"confg": {}}, "unknown field 'confg'; did you mean 'config'?"),
        ({"config": {"sed": 1}}, "unknown field 'sed'; did you mean 'seed'?"),
        ({"many": [{"Seed": 1}]}, "unknown field 'Seed'; did you mean 'seed'?"),
        ({"config": {"qqq": 1}}, "unknown field 'qqq'; there are seed, names"),
        ({"x" * 99: 1}, f"unknown field '{'x' * LONGEST}…'; there are config, many, token"),
    ],
)
def test_an_unknown_field_is_named_and_so_is_the_one_that_was_meant(value: object, words: str) -> None:
    assert told(Outer, value) == [words]


@pytest.mark.parametrize("value", [{"token": "hidden" * 100}, {"token": "hid\x00den"}, {"config": "tsk_hidden"}])
def test_secrets_are_not_repeated(value: object) -> None:
    (words,) = told(Outer, value)
    assert "hid" not in words


@given(st.one_of(st.text(), st.integers(), st.floats(), st.lists(st.integers()), st.none(), st.booleans()))
def test_whatever_is_sent_something_short_is_said_of_it(value: object) -> None:
    for kind in (Name, Ident, Hex, Inner, Outer):
        try:
            TypeAdapter(kind).validate_python(value)
        except ValidationError as refused:
            for fault in refused.errors():
                words = worded({**fault, "loc": ("body", *fault["loc"])}, kind)
                assert 0 < len(words) < 400
                assert not re.search(r"should match|pattern|valid dictionary", words)


def test_every_pattern_of_the_document_has_a_sentence(api: Any) -> None:
    def patterns(part: Any) -> set[str]:
        if isinstance(part, list):
            return set().union(*map(patterns, part))
        if not isinstance(part, dict):
            return set()
        own = {part["pattern"]} if isinstance(part.get("pattern"), str) else set()
        return own.union(*map(patterns, part.values()))

    document = api.get("/v1/openapi.json").json()
    asked = [operation for path in document["paths"].values() for operation in path.values()]
    found = patterns([o.get("parameters", []) for o in asked]) | patterns(document["components"]["schemas"])
    assert len(found) > 5
    assert found - set(SENTENCES) == set()


def refused(api: Any, path: str, content: bytes, kind: str | None) -> dict[str, Any]:
    answer = api.http.post(path, content=content, headers={"Content-Type": kind} if kind else {})
    assert answer.status_code == 422, answer.text
    problem: dict[str, Any] = answer.json()
    return problem


def test_a_body_that_nobody_called_json_is_told_to_be_called_so(api: Any) -> None:
    body = b'{"name": "answers"}'
    for kind in ("application/x-www-form-urlencoded", "text/plain", None):
        problem = refused(api, "/v1/datasets", body, kind)
        assert "send Content-Type: application/json" in problem["detail"]
        assert kind is None or kind in problem["detail"]
        assert len(problem["faults"]) == 1


def test_a_body_that_is_no_json_is_told_where_it_is_none(api: Any) -> None:
    (cut_off,) = refused(api, "/v1/datasets", b'{"name": "a",\n  }', "application/json")["faults"]
    assert cut_off["where"] == "body"
    assert "is no JSON" in cut_off["told"]
    assert "line 2, column 3 ('}' stands there)" in cut_off["told"]
    assert "double quotes" in cut_off["told"]
    assert "the body ends there" in refused(api, "/v1/datasets", b'{"name":', "application/json")["detail"]


def test_faults_of_nested_fields_are_told_over_http(api: Any) -> None:
    body = {"dataset": "x", "name": "line", "config": {"sed": 1}}
    problem = api.post("/v1/runs/estimate", body).json()
    assert problem["faults"] == [{"where": "body.config.sed", "told": "unknown field 'sed'; did you mean 'seed'?"}]
    problem = api.post("/v1/datasets/x/pairs", {"pairs": []}).json()
    assert problem["faults"] == [{"where": "body.pairs", "told": "has no items; give at least 1"}]
    assert "is missing; send JSON" in api.http.post("/v1/datasets").json()["detail"]


FORMS: list[dict[str, Any]] = [
    {"files": {"file": ("pairs.jsonl", b'{"a": "x", "b": "y"}')}},
    {"files": {"file": ("pairs.exe", b"")}},
    {"files": {"name": (None, "answers")}},
]


@pytest.mark.parametrize("form", FORMS)
def test_a_form_sent_to_any_upload_gets_one_remedy(api: Any, form: dict[str, Any]) -> None:
    api.post("/v1/datasets", {"name": "answers"})
    queries: tuple[dict[str, str], ...] = ({"filename": "pairs.jsonl", "name": "line"}, {"filename": "odd.exe"}, {})
    for path in ("/v1/datasets/answers/upload", "/v1/labellings/upload", "/v1/criteria-sets/line/upload"):
        for query in queries:
            answer = api.http.post(path, params=query, **form)
            assert answer.status_code == 422
            assert AS_FORM in answer.json()["detail"], (path, query)


def test_a_file_that_curl_calls_a_form_is_taken_as_a_file(api: Any) -> None:
    api.post("/v1/datasets", {"name": "answers"})
    answer = api.http.post(
        "/v1/datasets/answers/upload", params={"filename": "p.csv"}, content=b"a,b\nx,y\n",
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )  # fmt: skip
    assert answer.json()["pairs_added"] == 1
