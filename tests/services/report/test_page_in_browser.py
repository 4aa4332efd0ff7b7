"""The report as a browser shows it: no script, no request, no error, nothing that hangs over the edge."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from report_cases import attacked, sealed_result

from services.report import write_report

pytestmark = [pytest.mark.browser, pytest.mark.slow]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync", "--no-first-run"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield opened
        opened.close()


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_hostile_report_opens_quietly_and_fits(browser, tmp_path, width, scheme):
    report = tmp_path / "report.html"
    write_report(attacked(), report)
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    said: list[str] = []
    requested: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("dialog", lambda dialog: said.append(dialog.message))
    page.on("request", lambda request: requested.append(request.url))
    page.goto(report.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert said == []
    assert requested == [report.as_uri()]
    assert page.title().endswith("criteria mined by Touchstone")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("h1").bounding_box()["width"] > 200
    context.close()


def test_every_figure_has_room_in_the_page(browser, tmp_path):
    report = tmp_path / "report.html"
    write_report(sealed_result(), report)
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    page.goto(report.as_uri())
    boxes = [svg.bounding_box() for svg in page.locator("figure svg[role=img]").all()]
    assert len(boxes) == 4
    assert all(box["width"] > 200 and box["height"] > 60 for box in boxes)
    over = page.evaluate(
        """() => [...document.querySelectorAll('figure svg[role=img]')].flatMap(svg => {
            const frame = svg.getBoundingClientRect();
            return [...svg.querySelectorAll('text')].map(t => t.getBoundingClientRect())
                .filter(t => t.left < frame.left - 1 || t.right > frame.right + 1);
        }).length"""
    )
    assert over == 0
    page.close()


def test_what_is_folded_away_is_printed_too(browser, tmp_path):
    report = tmp_path / "report.html"
    write_report(sealed_result(), report)
    page = browser.new_page()
    page.emulate_media(media="print")
    page.goto(report.as_uri())
    last = page.locator("#criteria details .inside").last
    assert last.is_visible()
    page.close()
