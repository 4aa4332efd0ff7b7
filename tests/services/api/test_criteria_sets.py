"""Versions over HTTP: named by their first digits, listed by line, compared with what came before, exported."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

LINE = "/v1/criteria-sets/line"


@pytest.fixture
def versions(api: Any) -> tuple[str, str]:
    """A version that a run gave, and one that was edited from it."""
    run = api.finished(api.dataset())
    first = str(api.get(f"/v1/runs/{run}").json()["version"])
    return first, edited(api, first, "Short words count twice.")


def edited(api: Any, version: str, words: str) -> str:
    document = yaml.safe_load(api.get(f"{LINE}/{version}/export").text)
    document["criteria"][0]["description"] += " " + words
    sent = api.http.post(f"{LINE}/upload", content=yaml.safe_dump(document, sort_keys=False).encode())
    assert sent.status_code == 201, sent.text
    return str(sent.json()["stored"]["version"])


def short(version: str, other: str) -> str:
    """The fewest digits, at least 4, that only this version begins with."""
    return next(version[:n] for n in range(4, 13) if not other.startswith(version[:n]))


def test_the_first_digits_of_a_version_name_it_wherever_one_is_named(api: Any, versions: tuple[str, str]) -> None:
    first, second = versions
    brief = short(first, second)
    assert api.get(f"{LINE}/{brief}").json()["stored"]["version"] == first
    exported = api.get(f"{LINE}/{brief}/export")
    assert f"line-{first}.yaml" in exported.headers["content-disposition"]
    diff = api.get(f"{LINE}/{short(second, first)}/diff", params={"old": brief}).json()
    assert len(diff["reworded"]) == 1
    decided = api.post(f"{LINE}/{brief}/decisions", {"decision": "approve"})
    assert decided.json()["version"] == first
    assert api.get("/v1/actions").json()["items"][0]["subject"] == f"line@{first}"
    by_it = api.get("/v1/datasets/letters/accuracy", params={"name": "line", "version": brief})
    assert by_it.status_code == 200, by_it.text


def test_digits_that_fit_no_version_or_several_are_answered_with_those_there_are(
    api: Any, versions: tuple[str, str]
) -> None:
    first, second = versions
    none = api.get(f"{LINE}/{'0' * 12}")
    assert none.status_code == 404
    assert first in none.json()["detail"]
    assert second in none.json()["detail"]
    assert "no line 'other'" in api.get(f"/v1/criteria-sets/other/{first}").json()["detail"]
    assert "first 4 or more" in api.get(f"{LINE}/{first[:3]}").json()["detail"]
    shared = _alike(api, first, second)
    several = api.get(f"{LINE}/{shared}")
    assert several.status_code == 409
    assert f"{shared}1111111" in several.json()["detail"]
    assert f"{shared}2222222" in several.json()["detail"]


def _alike(api: Any, *versions: str) -> str:
    """Rename versions so that they begin alike, as a few in a hundred thousand do."""
    from sqlalchemy import update

    from services.criteria_sets.tables import CriteriaSetRow

    with api.deployment.database.write() as connection:
        for n, version in enumerate(versions, 1):
            mine = update(CriteriaSetRow).where(CriteriaSetRow.version == version)
            connection.execute(mine.values(version="abcde" + str(n) * 7))
    return "abcde"


def test_a_line_lists_its_versions_in_pages(api: Any, versions: tuple[str, str]) -> None:
    page = api.get(LINE).json()
    assert [head["version"] for head in page["items"]] == [versions[1], versions[0]]
    head = api.get(LINE, params={"limit": 1}).json()
    rest = api.get(LINE, params={"limit": 1, "after": head["next"]}).json()
    assert [*head["items"], *rest["items"]] == page["items"]
    nothing = api.get("/v1/criteria-sets/nothing")
    assert nothing.status_code == 404
    assert "GET /v1/criteria-sets lists" in nothing.json()["detail"]


def test_a_version_is_compared_with_its_parent_or_else_with_the_approved_one(
    api: Any, versions: tuple[str, str]
) -> None:
    first, second = versions
    assert api.get(f"{LINE}/{second}/diff").json() == api.get(f"{LINE}/{second}/diff", params={"old": first}).json()
    alone = api.get(f"{LINE}/{first}/diff")
    assert alone.status_code == 404
    assert "`old`" in alone.json()["detail"]
    api.post(f"{LINE}/{first}/decisions", {"decision": "approve"})
    assert api.get(f"{LINE}/{first}/diff").status_code == 404
    api.post(f"{LINE}/{second}/decisions", {"decision": "approve"})
    assert api.get(f"{LINE}/{first}/diff").json() == api.get(f"{LINE}/{first}/diff", params={"old": second}).json()


MEDIA = [
    ("yaml", {}, "application/yaml"), ("json", {}, "application/json"), ("prometheus", {}, "application/json"),
    ("promptfoo", {}, "application/yaml"), ("deepeval", {}, "text/x-python; charset=utf-8"),
    ("deepeval", {"ending": ".json"}, "application/json"), ("markdown", {}, "text/markdown; charset=utf-8"),
    ("prompt", {}, "text/plain; charset=utf-8"),
]  # fmt: skip


def test_exports_are_sent_as_what_they_are(api: Any, versions: tuple[str, str]) -> None:
    for target, more, media in MEDIA:
        sent = api.get(f"{LINE}/{versions[0]}/export", params={"format": target, **more})
        assert sent.headers["content-type"] == media, target
        if media == "application/json":
            assert json.loads(sent.content)
        if media == "application/yaml":
            assert yaml.safe_load(sent.content)
    paths = api.get("/v1/openapi.json").json()["paths"]
    documented = paths["/v1/criteria-sets/{name}/{version}/export"]["get"]["responses"]["200"]["content"]
    assert {media.partition(";")[0] for _, _, media in MEDIA} == set(documented)
