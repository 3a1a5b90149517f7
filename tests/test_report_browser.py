"""The report in a browser: headless Chromium, opened as a file, with everything it asks for written down."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
from pydantic import BaseModel

from batchata import write_report
from batchata.demo.task import DOCUMENTS
from batchata.types import BatchResult, Citation
from tests.reports import about, demo_entries, entry, failed, in_words, traced, write_results

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium")
HOSTILE = "</script><script>window.hit = 1</script><img src=x onerror='window.hit = 2'>"
"""In a name, a value, a quote, a message: none of it may run."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed: make chromium")
    sync = pytest.importorskip("playwright.sync_api")
    with sync.sync_playwright() as playwright:
        sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
        started = playwright.chromium.launch(executable_path=CHROMIUM, args=sandbox)
        yield started
        started.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Documents of the demo, a text, an answer in words, and hostile ones of both."""
    folder = tmp_path_factory.mktemp("report")
    note = folder / "note.md"
    note.write_text("Sender: Acme\n\nTotal due: 12.50\n\nSender and reference: A-7\n", encoding="utf-8")
    entries = demo_entries()
    answer = '{"sender": "Acme", "total": "12.50"}'
    letter = DOCUMENTS / "aldermoor-letter.pdf"
    entries += [
        traced(about(4, note), answer, Note, note),
        in_words(about(5, letter), "The amount is 318.75.", ["318.75", "no such words"], letter),
        _hostile(6, folder),
        failed(
            about(7, None, HOSTILE),
            {"reason": HOSTILE, "message": HOSTILE, "retryable": False, "raw_text": HOSTILE},
        ),
    ]
    return write_report(write_results(folder / "out", entries))


class Note(BaseModel):
    sender: str
    total: str


def _hostile(index: int, folder: Path) -> BatchResult[object]:
    text = folder / "<img src=x onerror='window.hit = 4'>.txt"
    text.write_text(HOSTILE * 3, encoding="utf-8")
    cited = Citation(HOSTILE, document=text.name, start_char=0, end_char=len(HOSTILE), source="javascript:hit=3")
    result = {HOSTILE: HOSTILE, "__proto__": "polluted", "path": "javascript:window.hit=5"}
    citations = {HOSTILE: [cited], "__proto__": [], "constructor": []}
    return entry(about(index, text), result=result, citations=citations, notes=[HOSTILE])


class Watched:
    """A page, and all it complains about or asks for."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.complaints: list[str] = []
        self.requests: list[str] = []
        page.on("console", lambda message: self.complaints.append(f"{message.type}: {message.text}"))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.requests.append(request.url[:60]))
        page.add_init_script(
            "addEventListener('securitypolicyviolation', (event) => console.error(event.violatedDirective))"
        )


Open = Callable[..., "Page"]
Scheme = Literal["light", "dark"]


@pytest.fixture
def visit(browser: Browser, report: Path) -> Iterator[Open]:
    """Opens the report; in the end it must have complained about nothing, and asked for nothing but itself."""
    opened: list[Watched] = []

    def visit(at: str = "", *, path: Path = report, width: int = 1400, scheme: Scheme = "light") -> Page:
        context = browser.new_context(
            viewport={"width": width, "height": 900}, reduced_motion="reduce", color_scheme=scheme
        )
        context.set_default_timeout(10_000)
        watched = Watched(context.new_page())
        opened.append(watched)
        watched.page.goto(path.as_uri() + at)
        return watched.page

    yield visit
    for watched in opened:
        assert watched.complaints == []
        assert [url for url in watched.requests if not url.startswith(("file:///", "data:"))] == []
        assert watched.page.evaluate("window.hit") is None
        watched.page.context.close()


def names(page: Page) -> list[str]:
    return page.locator("#list .name bdi").all_inner_texts()


def lit(page: Page) -> list[str]:
    """What the lit places stand for."""
    return [each.get_attribute("title") or "" for each in page.locator(".box.lit, mark.lit").all()]


def lit_fields(page: Page) -> list[str]:
    return page.locator(".field.lit .path").all_inner_texts()


def test_the_overview_opens_first(visit: Open) -> None:
    page = visit()
    assert page.locator("#overview").is_visible()
    assert page.locator("#item").is_hidden()
    assert page.locator("#status").inner_text() == "8 of 8 items"
    assert page.title() == "out · claude-haiku-5-5"


@pytest.mark.parametrize(
    ("button", "shown"),
    [
        ("Failed", ["penhallow-scan.pdf", HOSTILE]),
        ("Low score", ["quillbrook-invoice.pdf", "tannwald-rechnung.pdf"]),
    ],
)
def test_a_filter_narrows_the_list(visit: Open, button: str, shown: list[str]) -> None:
    page = visit()
    page.get_by_role("button", name=button).click()
    assert names(page) == shown
    assert page.get_by_role("button", name=button).get_attribute("aria-pressed") == "true"
    assert page.locator("#status").inner_text() == "2 of 8 items"


def test_filter_and_search_go_together(visit: Open) -> None:
    page = visit()
    page.get_by_role("button", name="Not found").click()
    assert page.locator("#status").inner_text() == "3 of 8 items"
    page.get_by_label("Search items").fill("TANNWALD 00318")
    assert names(page) == ["tannwald-rechnung.pdf"]
    page.get_by_label("Search items").fill("nothing holds this")
    assert names(page) == []
    page.keyboard.press("Escape")
    assert len(names(page)) == 3


def test_a_field_lights_its_place_and_a_place_its_field(visit: Open) -> None:
    page = visit("#item-1")
    page.locator(".field .head", has_text="total_due").click()
    assert lit(page) == ["total_due: 7325.15"]
    assert lit_fields(page) == ["total_due"]
    page.locator('.box[title="reference: QB-20931"]').click()
    assert lit(page) == ["reference: QB-20931"]
    assert lit_fields(page) == ["reference"]
    page.keyboard.press("Escape")
    page.mouse.move(5, 5)
    page.evaluate("document.activeElement.blur()")
    assert lit(page) == []
    assert lit_fields(page) == []


def test_hovering_lights_and_leaving_gives_the_chosen_one_back(visit: Open) -> None:
    page = visit("#item-0")
    page.locator(".field .head", has_text="sender").click()
    page.locator(".field .head", has_text="issued").hover()
    assert lit(page) == ["issued: 2026-04-01"]
    page.locator('.box[title="total_due: 2418.60"]').hover()
    assert lit_fields(page) == ["total_due"]
    page.mouse.move(5, 5)
    assert lit(page) == ["sender: Harrow & Pike Joinery"]


def test_choosing_a_field_scrolls_to_its_page(visit: Open) -> None:
    page = visit("#item-1")
    place = page.locator('.box[title="total_due: 7325.15"]')
    pane = page.locator(".source").bounding_box()
    assert pane is not None
    before = place.bounding_box()
    assert before is not None
    assert before["y"] > pane["y"] + pane["height"]
    page.locator(".field .head", has_text="total_due").click()
    after = place.bounding_box()
    assert after is not None
    assert pane["y"] < after["y"] < pane["y"] + pane["height"]


def test_a_place_lies_on_the_words_it_names(visit: Open) -> None:
    page = visit("#item-0")
    picture = page.locator(".page img").bounding_box()
    place = page.locator('.box[title="total_due: 2418.60"]').evaluate(
        "(box) => ({left: parseFloat(box.style.left), top: parseFloat(box.style.top), "
        "page: box.parentElement.getBoundingClientRect().width})"
    )
    assert picture is not None
    assert place["page"] == pytest.approx(picture["width"], abs=0.5)
    assert picture["height"] / picture["width"] == pytest.approx(841.89 / 595.28, abs=0.01)
    assert (place["left"], place["top"]) == (pytest.approx(86.7, abs=1.5), pytest.approx(48.5, abs=1.5))


def test_text_sources_are_marked_both_ways(visit: Open) -> None:
    page = visit("#item-4")
    assert page.locator("mark").all_inner_texts() == ["Acme", "12.50"]
    page.locator("mark", has_text="12.50").click()
    assert lit_fields(page) == ["total"]
    page.locator(".field .head", has_text="sender").click()
    assert page.locator("mark.lit").all_inner_texts() == ["Acme"]
    page.locator("mark", has_text="12.50").focus()
    page.keyboard.press("Enter")
    assert page.locator(".field .head[aria-pressed=true] .path").all_inner_texts() == ["total"]


def test_each_citation_of_an_answer_in_words_can_be_chosen(visit: Open) -> None:
    page = visit("#item-5")
    assert page.locator(".cite q").all_inner_texts() == ["318.75", "no such words"]
    page.locator(".cite", has_text="no such words").click()
    page.mouse.move(5, 5)
    assert lit(page) == []
    page.locator(".cite", has_text="318.75").click()
    assert lit(page) == ["answer: The amount is 318.75."]


def test_the_keyboard_does_all_of_it(visit: Open) -> None:
    page = visit()
    page.keyboard.press("j")
    page.wait_for_selector("#item-title")
    assert page.locator("#item-title").inner_text() == "harrow-pike-invoice.pdf"
    page.keyboard.press("n")
    page.keyboard.press("n")
    assert lit_fields(page) == ["reference"]
    page.keyboard.press("p")
    assert lit_fields(page) == ["sender"]
    page.keyboard.press("ArrowRight")
    page.get_by_role("heading", name="quillbrook-invoice.pdf").wait_for()
    page.keyboard.press("k")
    page.get_by_role("heading", name="harrow-pike-invoice.pdf").wait_for()
    page.keyboard.press("/")
    page.keyboard.type("acme")
    assert names(page) == ["note.md"]
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="note.md").wait_for()
    page.keyboard.press("o")
    page.get_by_role("heading", name="Overview").wait_for()
    page.keyboard.press("?")
    assert page.get_by_role("dialog").is_visible()
    page.keyboard.press("Escape")
    assert page.get_by_role("dialog").is_hidden()


def test_single_keys_can_be_switched_off(visit: Open) -> None:
    page = visit()
    page.keyboard.press("?")
    page.get_by_label("single keys do something").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("j")
    assert page.evaluate("location.hash") == ""


def test_the_list_is_walked_with_arrows_and_keeps_the_focus(visit: Open) -> None:
    page = visit()
    page.locator("#list a").first.focus()
    page.keyboard.press("ArrowDown")
    page.get_by_role("heading", name="quillbrook-invoice.pdf").wait_for()
    assert page.evaluate("document.activeElement.dataset.i") == "1"
    assert page.locator("#list a[aria-current]").all_inner_texts()[0].startswith("~")


def test_a_failed_item_says_why_and_what_the_model_wrote(visit: Open) -> None:
    page = visit("#item-3")
    words = page.locator(".fields").inner_text()
    assert "Failed: invalid_output. issued: Input should be a valid date" in words
    assert "The same request may succeed when it is tried again." in words
    assert '{"sender": "Penhallow", "issued": "someday"}' in words
    assert page.locator(".page img").evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 910


def test_hostile_documents_and_answers_are_text(visit: Open) -> None:
    page = visit("#item-6")
    assert page.locator("#item-title").inner_text() == "<img src=x onerror='window.hit = 4'>.txt"
    assert page.locator("mark").inner_text() == HOSTILE
    assert page.locator(".value").all_inner_texts()[0] == HOSTILE
    for control in page.locator(".head, .cite, mark").all():
        control.click()
    page.goto(page.url.split("#")[0] + "#item-7")
    page.get_by_text("What the model wrote").wait_for()
    assert page.locator(".raw").inner_text() == HOSTILE
    assert page.locator("img").count() == 0
    assert page.evaluate("({}).polluted") is None


@pytest.mark.parametrize(
    ("attack", "outcome"),
    [
        (
            "document.body.append(Object.assign(document.createElement('script'), {text: 'window.hit = 9'}))",
            "refused",
        ),
        ("document.body.innerHTML = '<b>x</b>'", "refused"),
        ("window.got = fetch('http://127.0.0.1:9/').then(() => 'went', () => 'refused')", "refused"),
    ],
)
def test_the_policy_of_the_page_would_stop_what_got_in(
    browser: Browser, report: Path, attack: str, outcome: str
) -> None:
    page = browser.new_page()
    page.goto(report.as_uri())
    attempt = (
        f"async () => {{ try {{ {attack}; if (window.got) return await window.got; }} catch {{ return 'refused'; }} "
        "return window.hit ? 'ran' : 'refused'; }"
    )
    assert page.evaluate(attempt) == outcome
    page.close()


def test_light_dark_and_the_switch(visit: Open) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    assert visit(scheme="light").evaluate(paper) == "rgb(244, 245, 247)"
    page = visit(scheme="dark")
    assert page.evaluate(paper) == "rgb(13, 17, 23)"
    page.get_by_role("button", name="Theme: system").click()
    assert page.evaluate(paper) == "rgb(244, 245, 247)"
    page.get_by_role("button", name="Theme: light").click()
    assert page.evaluate(paper) == "rgb(13, 17, 23)"
    for _ in range(10):  # Chromium keeps what a page stores a moment later
        page.reload()
        if page.get_by_role("button", name="Theme: dark").is_visible():
            break
        page.wait_for_timeout(500)
    assert page.get_by_role("button", name="Theme: dark").is_visible()


CONTRAST = """() => {
  const channel = (x) => x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4;
  const numbers = (color) => color.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => 0.2126 * channel(r / 255) + 0.7152 * channel(g / 255) + 0.0722 * channel(b / 255);
  const ground = (element) => {
    for (let at = element; at; at = at.parentElement) {
      const found = numbers(getComputedStyle(at).backgroundColor);
      if (found.length === 3 || found[3] === 1) return found;
    }
    return [255, 255, 255];
  };
  const hasWords = (element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
  return [...document.querySelectorAll("body *")].filter((element) => element.checkVisibility() &&
    !element.closest(".page, svg, mark, .skip, .hidden") && hasWords(element))
    .map((element) => {
      const [a, b] = [light(numbers(getComputedStyle(element).color)), light(ground(element))];
      const name = `${element.className} ${element.textContent.slice(0, 30)}`;
      return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), name];
    }).filter(([ratio]) => ratio < 4.5);
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("at", ["", "#item-1", "#item-2", "#item-3"])
def test_every_word_has_the_contrast_that_wcag_asks_for(visit: Open, scheme: Scheme, at: str) -> None:
    assert visit(at, scheme=scheme).evaluate(CONTRAST) == []


def test_a_narrow_screen_scrolls_one_way_and_hides_the_list(visit: Open) -> None:
    page = visit("#item-1", width=390)
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert page.locator("#list").is_hidden()
    page.get_by_role("button", name="Items").click()
    page.locator("#list a").nth(2).click()
    page.get_by_role("heading", name="tannwald-rechnung.pdf").wait_for()
    assert page.locator("#list").is_hidden()
    page.locator(".field .head", has_text="reference").click()
    place = page.locator(".box.lit").bounding_box()
    assert place is not None
    assert 0 < place["y"] < 900


def test_on_paper_there_are_fields_and_pages_and_no_controls(visit: Open) -> None:
    page = visit("#item-1")
    page.emulate_media(media="print")
    assert page.locator(".side").is_hidden()
    assert page.locator(".tools").is_hidden()
    assert page.locator(".page img").first.is_visible()
    assert page.locator(".field").count() == 4


def test_every_control_has_a_name_and_every_picture_a_text(visit: Open) -> None:
    page = visit("#item-1")
    nameless = (
        "[...document.querySelectorAll('button, a, input, img, nav, [role=region]')].filter((each) => "
        "!(each.getAttribute('aria-label') || each.alt || each.textContent.trim() || each.labels?.length))"
        ".map((each) => each.outerHTML)"
    )
    assert page.evaluate(nameless) == []
    assert page.locator(".page img").first.get_attribute("alt") == "quillbrook-invoice.pdf, page 1 of 2"


def test_an_index_leads_to_its_files_and_back(visit: Open, tmp_path: Path) -> None:
    entries = [entry(about(index, None, f"note-{index}.txt"), result=f"words {index}") for index in range(450)]
    page = visit(path=write_report(entries, tmp_path / "my report.html"))
    assert page.locator("#status").inner_text() == "450 of 450 items"
    page.get_by_label("Search items").fill("note-333")
    assert names(page) == ["note-333.txt"]
    page.locator("#list a").click()
    page.get_by_role("heading", name="note-333.txt").wait_for()
    assert page.locator(".value").inner_text() == "words 333"
    page.get_by_role("link", name="All items").click()
    page.get_by_role("link", name="1 to 200", exact=True).wait_for()


def test_real_invoices_of_others_open_with_their_places_inside_the_page(
    visit: Open, shared: Path, tmp_path: Path
) -> None:
    entries = []
    for index, path in enumerate(sorted((shared / "invoices" / "zugferd").glob("*.pdf"))[:8]):
        made = in_words(about(index, path), "An invoice.", ["Rechnung", "EUR", "Total"], path)
        entries.append(made)
    page = visit("#item-0", path=write_report(write_results(tmp_path / "out", entries)))
    seen = 0
    for index in range(len(entries)):
        page.goto(page.url.split("#")[0] + f"#item-{index}")
        page.locator(f'#list a[aria-current][data-i="{index}"]').wait_for()
        seen += page.locator(".box").count()
        outside = (
            "[...document.querySelectorAll('.box')].filter((box) => { const own = box.getBoundingClientRect(), "
            "page = box.parentElement.getBoundingClientRect(); return own.left < page.left - 4 || "
            "own.right > page.right + 4 || own.top < page.top - 4 || own.bottom > page.bottom + 4; }).length"
        )
        assert page.evaluate(outside) == 0
    assert seen > 8


def test_200_invoices_are_one_file_that_opens(visit: Open, tmp_path: Path) -> None:
    made = demo_entries()
    entries = [made[index % 3] | {"input": made[index % 3]["input"] | {"index": index}} for index in range(200)]
    path = write_report(entries, tmp_path / "report.html")
    page = visit(path=path)
    assert page.locator("#list li").count() == 200
    assert path.stat().st_size < 12_000_000
