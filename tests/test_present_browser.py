"""Slides and handouts in a real browser: all of every slide is seen and can be read, nothing leaves the machine."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from crmkit import cli
from crmkit.classroom import editions, grammar, handout, pages, slides

pytestmark = pytest.mark.browser

ROOT = Path(__file__).resolve().parent.parent
TREE = editions.Tree(ROOT)
LESSONS = {path.stem: path for path in TREE.lessons()}
DECKS = [name for name, path in LESSONS.items() if re.search(r'"(slide|subslide|fragment)"', path.read_text("utf-8"))]
#: The smallest letters and pictures on a slide of 1280 × 720 that can be read from the last row, in pixels.
LETTERS, PICTURE = 17, 330


def stored_outputs(path: Path) -> dict[str, list]:
    """What the trainer's edition shows: the pictures are coarser than those of the command, and as large."""
    import nbformat

    book = nbformat.read(TREE.notebook("solutions", path), as_version=4)
    return {cell.id: cell.outputs for cell in book.cells if cell.cell_type == "code"}


@pytest.fixture(scope="module")
def page(chromium):
    """A tab of a projector's size. Every request that is not for a file of ours fails the tests."""
    left: list[str] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
        context = browser.new_context(viewport={"width": 1280, "height": 720})
        context.on(
            "request", lambda request: None if request.url.startswith(("file:", "data:")) else left.append(request.url)
        )
        yield context.new_page()
        browser.close()
    assert left == []


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("present")


@pytest.fixture
def deck(page, folder, request) -> Page:
    """The trainer's deck of a lesson, opened as a file."""
    file = folder / f"{request.param}.html"
    if not file.exists():
        lesson = grammar.read(LESSONS[request.param])
        pages.write(file, slides.page(lesson, stored_outputs(lesson.path), trainer=True))
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(file.as_uri())
    page.wait_for_function("window.Reveal && Reveal.isReady()")
    assert faults == []
    return page


each_deck = pytest.mark.parametrize("deck", DECKS, indirect=True)

#: For every slide, laid out as reveal.js shows it: its title, and what cannot be seen or read on it.
LOOK = """(limits) => {
  document.body.classList.add("measuring");
  const seen = [...document.querySelectorAll(".page")].map((page) => {
    const faults = [], title = page.querySelector("h1, h2")?.textContent ?? "";
    const note = (words, element) => faults.push(`${words}: ${(element.textContent || element.alt).trim().slice(0, 40)}`);
    if (!title) faults.push("no title");
    if (page.scrollHeight > page.clientHeight || page.scrollWidth > page.clientWidth) note("overflows", page);
    const frame = page.getBoundingClientRect(), footer = page.querySelector("footer").getBoundingClientRect();
    const body = [...page.querySelectorAll(".prose > :not(h1, h2), .code, .output")].filter((e) => !e.closest(".notes"));
    if (!body.length) faults.push("empty");
    for (const element of body) {
      const box = element.getBoundingClientRect();
      if (box.bottom > footer.top + 1 || box.right > frame.right - 30) note("does not fit", element);
      if (element.scrollWidth > element.clientWidth + 1) note("is cut", element);
    }
    for (const image of page.querySelectorAll(".picture img"))
      if (!image.naturalWidth || image.clientHeight < limits.picture) note("too small a picture", image);
    for (const code of page.querySelectorAll(".code pre")) {
      const lines = code.textContent.trimEnd().split("\\n").length, height = parseFloat(getComputedStyle(code).lineHeight);
      if (code.clientHeight > (lines + 0.9) * height) note("code breaks its lines", code);
    }
    const walk = document.createTreeWalker(page, NodeFilter.SHOW_TEXT);
    for (let text; (text = walk.nextNode()); ) {
      const around = text.parentElement;
      if (!text.data.trim() || around.closest(".notes, footer, style")) continue;
      if (parseFloat(getComputedStyle(around).fontSize) * around.currentCSSZoom < limits.letters) note("too small", around);
    }
    return [title, faults];
  });
  document.body.classList.remove("measuring");
  return seen;
}"""


def look(page: Page) -> list:
    return page.evaluate(LOOK, {"letters": LETTERS, "picture": PICTURE})


# --- slides -----------------------------------------------------------------------------------------------------------


@each_deck
def test_all_of_every_slide_is_seen_and_can_be_read_from_the_last_row(deck):
    seen = look(deck)
    assert len(seen) == deck.evaluate("Reveal.getTotalSlides()") > 3
    assert [(number, title, faults) for number, (title, faults) in enumerate(seen, 1) if faults] == []
    assert deck.locator(".overfull").count() == 0


@pytest.mark.parametrize("deck", DECKS[:1], indirect=True)
@pytest.mark.parametrize(
    ("damage", "fault"),
    {
        "page.style.setProperty('--words', 4)": "overflows",
        "page.querySelector('li').style.fontSize = '12px'": "too small: ",
        "page.querySelector('li').parentElement.remove()": "empty",
        "page.querySelector('h2').remove()": "no title",
    }.items(),
)
def test_a_slide_that_cannot_be_read_is_found(deck, damage, fault):
    deck.evaluate(f"const page = document.querySelectorAll('.page')[1]; {damage};")
    assert fault in " ".join(look(deck)[1][1])


@each_deck
def test_the_arrow_leads_through_the_whole_deck(deck):
    total = deck.evaluate("Reveal.getTotalSlides()")
    for _ in range(3 * total):
        if deck.evaluate("Reveal.isLastSlide() && !Reveal.availableFragments().next"):
            break
        deck.keyboard.press("ArrowRight")
    assert re.sub(r"\s", "", deck.locator(".slide-number").inner_text()) == f"{total}/{total}"
    assert deck.evaluate("Reveal.getCurrentSlide().querySelector('h2').textContent") == "Key points"


@pytest.mark.parametrize("deck", ["2_3_rfm"], indirect=True)
def test_the_speaker_sees_notes_and_the_next_slide(deck):
    deck.evaluate(
        """() => { const slides = Reveal.getSlides(), task = slides.find((s) => s.textContent.includes("Exercise 2.3-1"));
        const { h, v } = Reveal.getIndices(task); Reveal.slide(h, v); }"""
    )
    with deck.context.expect_page() as opened:
        deck.keyboard.press("s")
    speaker = opened.value
    expect(speaker.locator(".speaker-controls-notes")).to_contain_text("farah_recency = ", timeout=30_000)
    expect(speaker.locator(".speaker-controls-notes")).to_contain_text("For trainers: exercise 2.3-1")
    upcoming = speaker.frame_locator("#upcoming-slide iframe")
    expect(upcoming.locator("section.present .page").last).to_be_visible(timeout=30_000)
    speaker.close()


@each_deck
def test_the_print_view_has_one_page_a_slide(deck):
    total = deck.evaluate("Reveal.getTotalSlides()")
    deck.goto(deck.url.split("#")[0] + "?print-pdf")
    expect(deck.locator(".pdf-page")).to_have_count(total, timeout=30_000)
    pdf = deck.pdf(prefer_css_page_size=True)
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) == total


# --- handouts -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LESSONS)
def test_a_handout_prints_with_tasks_whole_and_pages_numbered(page, folder, chromium, name):
    lesson = grammar.read(LESSONS[name])
    html = pages.write(folder / f"handout_{name}.html", handout.page(lesson, stored_outputs(lesson.path)))
    page.goto(html.as_uri())
    page.emulate_media(media="print")
    cut = page.evaluate(
        """() => [...document.querySelectorAll("pre, table, .prose, .exercise")]
        .filter((box) => box.scrollWidth > box.clientWidth + 1).map((box) => box.textContent.slice(0, 60))"""
    )
    inside = page.evaluate(
        "() => [...document.querySelectorAll('.exercise, .code, .picture')].map((box) => getComputedStyle(box).breakInside)"
    )
    page.emulate_media(media="screen")
    assert cut == []
    assert set(inside) <= {"avoid"}
    pdf = handout.pdf(html, chromium).read_bytes()
    assert pdf.startswith(b"%PDF")
    assert 1 < len(re.findall(rb"/Type\s*/Page\b", pdf)) < 60


# --- the commands, from a lesson to pages ---------------------------------------------------------------------------------


def test_the_commands_make_a_deck_and_a_handout_that_open(page, tmp_path, monkeypatch, capsys):
    """The introduction is run for true; its slides and its paper open."""
    monkeypatch.chdir(tmp_path)
    assert cli.main(["slides", "2.0"]) == 0
    assert cli.main(["handout", "2.0", "--pdf"]) == 0
    said = capsys.readouterr().out
    assert "slides_2_0.html" in said
    assert "handout_2_0.pdf" in said
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "handout_2_0.html",
        "handout_2_0.pdf",
        "slides_2_0.html",
    ]
    page.goto((tmp_path / "slides_2_0.html").as_uri())
    page.wait_for_function("window.Reveal && Reveal.isReady()")
    assert [faults for _, faults in look(page) if faults] == []
    assert "the top fifth spends" in page.locator(".output.text").text_content()
    page.goto((tmp_path / "handout_2_0.html").as_uri())
    expect(page.locator("h1")).to_have_text("Part 2 · Segmentation: which customers are alike, and what follows")
