"""The report as a file: whole in itself, the same every time, and deaf to what its texts would like it to do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from report_cases import ATTACK, attacked, crossfit_result, rewritten, sealed_result, unsealed_result

from services.inert import shown
from services.report import report_html, write_report
from services.run_result import RunResult

RESULTS = [sealed_result, crossfit_result, unsealed_result]


class Page(HTMLParser):
    """Tags, attributes and text of a page."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.faults: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "link", "br"}:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)

    def handle_data(self, data):
        if not self.open or self.open[-1] != "style":
            self.texts.append(data)

    @property
    def shapes(self) -> set[tuple[str, tuple[str, ...]]]:
        """Each kind of tag with the names of its attributes."""
        return {(tag, tuple(sorted(attributes))) for tag, attributes in self.tags}

    def addresses(self) -> Iterator[str]:
        for _, attributes in self.tags:
            for name in ("href", "src", "action", "data", "poster", "xlink:href", "srcset"):
                if attributes.get(name):
                    yield str(attributes[name])


@pytest.mark.parametrize("made", RESULTS)
def test_the_page_is_well_formed_and_says_what_was_found(made):
    page = Page(report_html(made()))
    assert page.faults == []
    assert page.open == []
    text = " ".join(" ".join(page.texts).split())
    assert made().criteria_set.version in text
    assert made().facts.judge in text
    assert all(m.criterion.name in text for m in made().criteria_set.members)
    assert "What the number does not mean." in text
    assert "30 anchor pairs would notice 24% of the time" in text


@pytest.mark.parametrize("made", RESULTS)
def test_the_page_loads_nothing_and_runs_nothing(made):
    html = report_html(made())
    page = Page(html)
    assert {address for address in page.addresses() if not address.startswith("#")} == {"data:,"}
    assert not {tag for tag, _ in page.tags} & {"script", "iframe", "object", "embed", "img", "form", "base"}
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert re.findall(r"@import|url\(|https?://", html) == []


@pytest.mark.parametrize("made", RESULTS)
def test_every_link_inside_the_page_leads_somewhere(made):
    page = Page(report_html(made()))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {a[1:] for a in page.addresses() if a.startswith("#")} <= set(ids)


@pytest.mark.parametrize("made", RESULTS)
def test_every_drawing_has_a_name_for_those_who_cannot_see_it(made):
    page = Page(report_html(made()))
    ids = {attributes.get("id") for _, attributes in page.tags}
    drawings = [attributes for tag, attributes in page.tags if tag == "svg" and "aria-hidden" not in attributes]
    legend = [d for d in drawings if d.get("viewbox") == "0 0 14 14"]
    for drawing in (d for d in drawings if d not in legend):
        assert drawing["role"] == "img"
        assert drawing.get("aria-label") or drawing.get("aria-labelledby") in ids


def test_every_table_has_headings_with_a_scope():
    page = Page(report_html(sealed_result()))
    assert all("scope" in attributes for tag, attributes in page.tags if tag == "th")


def test_the_same_result_gives_the_same_bytes():
    assert report_html(sealed_result()) == report_html(RunResult.model_validate_json(sealed_result().model_dump_json()))


def test_an_attack_in_every_text_changes_nothing_but_text():
    benign, hostile = Page(report_html(attacked("x" * len(ATTACK)))), Page(report_html(attacked(ATTACK)))
    assert hostile.shapes == benign.shapes
    assert hostile.faults == []
    told = "".join(hostile.texts)
    assert shown(ATTACK) in told
    assert "\u202e" not in told
    assert "49" not in "".join(hostile.texts[:3])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(min_size=1, max_size=200))
def test_no_text_can_add_a_tag_or_an_attribute(text):
    benign = Page(report_html(attacked("x" * len(text)))).shapes
    hostile = Page(report_html(attacked(text)))
    assert hostile.shapes <= benign | Page(report_html(attacked("y"))).shapes
    assert hostile.faults == []


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.text(st.sampled_from("<>&\"'`={}%#-/!\\;\u202e\u2028\x00abc"), min_size=1, max_size=120))
def test_no_text_made_of_markup_can_either(text):
    hostile = Page(report_html(attacked(text)))
    assert hostile.shapes <= Page(report_html(attacked("x" * len(text)))).shapes
    assert shown(text).strip() in "".join(hostile.texts)


def test_giant_texts_leave_the_report_small_enough_to_send():
    giant = rewritten(sealed_result(), {"a": "\u202e<" * 500_000, "b": "é" * 1_000_000, "prompt": "&" * 100_000})
    many = giant.model_copy(update={"hardest": (giant.hardest * 12)[:12]})
    assert len(report_html(many).encode()) < 2_000_000


def test_an_empty_set_still_makes_a_report():
    result = sealed_result()
    nothing = result.criteria_set.model_copy(update={"members": ()})
    empty = result.model_copy(
        update={
            "criteria_set": nothing, "rounds": (), "correlation": (), "held_out_assessments": (), "hardest": (),
            "effective_votes": 0.0, "redundant": (),
        }
    )  # fmt: skip
    page = Page(report_html(empty))
    assert page.faults == []
    assert "No criterion was good enough to be kept." in " ".join(page.texts)


def test_a_written_report_replaces_an_older_one(tmp_path: Path):
    (tmp_path / "report.html").write_text("old")
    write_report(sealed_result(), tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == report_html(sealed_result())


def test_agreement_of_people_is_told_with_its_interval():
    text = " ".join(" ".join(Page(report_html(sealed_result())).texts).split())
    agreement = sealed_result().facts.agreement
    assert agreement is not None
    assert f"alpha {agreement.alpha:.2f} (95% interval {agreement.low:.2f} to {agreement.high:.2f})" in text


def test_notes_on_the_data_are_told():
    assert "a note on the file" in report_html(sealed_result())


def test_folds_of_a_cross_fit_are_compared_with_the_final_set():
    text = " ".join(Page(report_html(crossfit_result())).texts)
    assert "Do the folds agree" in text
    assert all(name in text for name in crossfit_result().folds)
