"""A student's first hour in a real browser: the start page, lesson 2.3, its widget, an exercise; and no network."""

import re
import socket
import sys
import threading
import time
import urllib.parse
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright
from running_lab import RunningLab, free_port

pytestmark = pytest.mark.browser

LESSON = "2_segmentation/2_3_rfm.ipynb"
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HERE = {"127.0.0.1", "localhost", ""}
SLOW = 180_000  # milliseconds for what the kernel has to compute on a busy machine
expect.set_options(timeout=60_000)


class Trap:
    """A proxy that lets nothing through and remembers that it was asked."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            line, _ = self.socket.accept()
            self.asked.append(line.recv(200))
            line.close()


@pytest.fixture(scope="module")
def lab(chromium, tmp_path_factory):
    """The lab as a student starts it. Its own requests, if it made any, would go into a trap."""
    trap, folder = Trap(), tmp_path_factory.mktemp("student")
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), trap.address)
    words = [sys.executable, "-m", "crmkit.cli", "lab", "--no-browser", "--port", str(free_port())]
    with RunningLab([*words, "--folder", str(folder)], folder, NO_PROXY="127.0.0.1,localhost", **proxies) as running:
        running.folder = folder
        yield running
    assert trap.asked == []


@pytest.fixture(scope="module")
def page(lab, chromium):
    """One tab for the whole story. Every request that leaves the machine is stopped and fails the test."""
    left: list[str] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=FLAGS)
        tab = browser.new_page(viewport={"width": 1366, "height": 900})
        tab.set_default_timeout(60_000)

        def guard(route, request) -> None:
            if urllib.parse.urlsplit(request.url).hostname in HERE:
                route.continue_()
            else:
                left.append(request.url)
                route.abort()

        tab.route(lambda url: url.startswith("http"), guard)
        tab.on("websocket", lambda line: None if "127.0.0.1" in line.url else left.append(line.url))
        tab.goto(lab.url)
        yield tab
        browser.close()
    assert left == []


def cell(page: Page, text: str) -> Locator:
    """The code cell whose source has this text."""
    found = page.locator(".jp-CodeCell").filter(has=page.locator(".jp-InputArea", has_text=text)).first
    found.scroll_into_view_if_needed()
    return found


def run(page: Page, cell: Locator, source: str | None = None) -> None:
    """Run a cell as a student does: click, write, Control + Enter."""
    cell.locator(".cm-content").click()
    if source is not None:
        page.keyboard.press("ControlOrMeta+a")
        page.keyboard.insert_text(source)
    page.keyboard.press("ControlOrMeta+Enter")


def test_the_start_page_is_shown_as_a_page(page):
    expect(page.locator(".jp-MarkdownViewer h1")).to_contain_text("Customer relationship management")
    expect(page.locator(".jp-MarkdownViewer a", has_text="2.3 RFM").first).to_be_visible()
    expect(page.locator(".jp-MarkdownViewer table").first).to_contain_text("0 of")


def test_the_lesson_opens_from_the_map_and_runs_to_its_end(page, lab):
    page.locator(".jp-MarkdownViewer a", has_text="2.3 RFM").first.click()
    expect(page.locator(".jp-NotebookPanel h1").first).to_contain_text("2.3 RFM")
    expect(page.locator("#jp-main-statusbar")).to_contain_text("Idle")
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile("^Run All Cells$")).click()

    def not_run() -> int:
        """Save, and count the code cells of the saved notebook that have not run; an error in one fails at once."""
        page.keyboard.press("ControlOrMeta+s")
        cells = lab.ask(f"/api/contents/{urllib.parse.quote(LESSON)}")["content"]["cells"]
        code = [cell for cell in cells if cell["cell_type"] == "code" and cell["source"].strip()]
        errors = [(c["id"], o["evalue"]) for c in code for o in c["outputs"] if o["output_type"] == "error"]
        assert errors == []
        return sum(cell["execution_count"] is None for cell in code)

    deadline = time.monotonic() + SLOW / 1000
    while not_run() and time.monotonic() < deadline:
        page.wait_for_timeout(1000)
    assert not_run() == 0
    expect(page.locator("#jp-main-statusbar")).to_contain_text("Idle")


def test_moving_the_slider_changes_picture_and_numbers(page):
    view = page.locator(".crmkit-rfm-view").first
    view.scroll_into_view_if_needed()
    expect(view).to_contain_text(re.compile(r"2,469 customers in \d+ segments"), timeout=SLOW)
    slider = page.locator(".widget-slider", has_text="Bins").first
    expect(slider.locator(".widget-readout")).to_have_text("5")
    picture, numbers = view.locator("img").get_attribute("src"), view.locator("table").inner_text()
    assert picture.startswith("data:image/")
    slider.locator(".noUi-handle").focus()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(slider.locator(".widget-readout")).to_have_text("3")
    expect(view.locator("img")).not_to_have_attribute("src", picture, timeout=SLOW)
    expect(view).to_contain_text(re.compile(r"2,469 customers in \d+ segments"))
    assert view.locator("table").inner_text() != numbers


def test_a_wrong_answer_gets_its_hint_and_a_right_one_turns_right(page, lab):
    check = cell(page, 'check("2.3-1")')
    card = check.locator(".crmkit-card")
    expect(card).to_have_attribute("data-state", "not answered")

    run(page, cell(page, "farah_recency = "), "farah_recency = 8")
    run(page, check)
    expect(card).to_have_attribute("data-state", "wrong", timeout=SLOW)
    expect(card).to_contain_text("Farah got money back")

    run(page, cell(page, "farah_recency = "), 'farah_recency = ten.loc["C06", "recency_days"]')
    run(page, check)
    expect(card).to_have_attribute("data-state", "right", timeout=SLOW)
    expect(card).to_contain_text("Right")
    # and the course map knows it
    assert re.search(r"2\.3 RFM.*1 of", (Path(lab.folder) / "START.md").read_text(encoding="utf-8"))
