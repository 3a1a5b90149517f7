"""The report as a file: what stands in it, and where its documents come from."""

from __future__ import annotations

import base64
import io
import json
import re
import shutil
import subprocess
import sys
from decimal import Decimal
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from batchata import BatchManager, write_report
from batchata.demo.task import DOCUMENTS, BusinessDocument
from batchata.errors import ArgumentError, ResultsError
from batchata.report.excerpts import pieces
from batchata.report.items import dollars
from batchata.report.quality import State, state_of_field, state_of_text
from batchata.results import ResultsDir, kept
from batchata.types import Citation, ErrorInfo, Match
from tests.reports import ANSWERS, about, demo_entries, entry, failed, in_words, traced, write_results
from tests.test_batch import MODEL, Number, ask, make_pdf
from tests.wire import answers
from tests.wire.anthropic_server import AnthropicServer

EXPIRED: ErrorInfo = {"reason": "expired", "message": "too late", "retryable": True, "raw_text": None}


class _Scripts(HTMLParser):
    """Script elements by id; that of the page itself has none."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: dict[str, str] = {}
        self._id: str | None = None
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script":
            self._id = dict(attrs).get("id") or ""
            self.found[self._id] = ""

    def handle_endtag(self, tag: str) -> None:
        if tag == "script":
            self._id = None

    def handle_data(self, data: str) -> None:
        if self._id is not None:
            self.found[self._id] += data


def scripts_of(path: Path) -> dict[str, str]:
    return _Scripts(path.read_text(encoding="utf-8")).found


def items_of(path: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(scripts_of(path)["data"])["items"]
    return found


def facts_of(path: Path) -> str:
    """The words of the overview, with single spaces."""
    text = path.read_text(encoding="utf-8")
    overview = text[text.index('id="overview"') : text.index('id="item"')]
    return " ".join(re.sub(r"<title>.*?</title>|<[^>]*>", " ", overview).split())


@pytest.fixture
def copies(tmp_path: Path) -> Path:
    """The demo's documents, to be changed and moved."""
    return Path(shutil.copytree(DOCUMENTS, tmp_path / "documents"))


def one_item(copies: Path, tmp_path: Path) -> Path:
    name = "harrow-pike-invoice.pdf"
    made = traced(about(0, copies / name), ANSWERS[name], BusinessDocument, copies / name)
    return write_results(tmp_path / "out", [made])


def test_the_report_lies_in_the_results_directory_and_lists_every_item(tmp_path: Path) -> None:
    folder = write_results(tmp_path / "out", demo_entries())
    path = write_report(folder)
    assert path == folder / "report.html"
    items = items_of(path)
    assert [(item["i"], item["name"], item["flags"]) for item in items] == [
        (0, "harrow-pike-invoice.pdf", []),
        (1, "quillbrook-invoice.pdf", ["low_score"]),
        (2, "tannwald-rechnung.pdf", ["unverified", "low_score", "not_found"]),
        (3, "penhallow-scan.pdf", ["failed"]),
    ]
    assert [(field["path"], field["value"], field["state"]) for field in items[2]["fields"]] == [
        ("sender", "Elektro Tannwald GmbH", "traced"),
        ("reference", "RE-26/00318", "traced"),
        ("issued", "2026-03-05", "traced"),
        ("total_due", "1221.31", "missing"),
    ]


def test_every_rectangle_holds_the_cited_text_on_the_picture_of_its_page(tmp_path: Path) -> None:
    path = write_report(write_results(tmp_path / "out", demo_entries()))
    seen = 0
    for item in items_of(path)[:3]:
        with pypdfium2.PdfDocument(DOCUMENTS / item["name"]) as pdf:
            for cite in item["cited"]:
                (box,) = cite["boxes"]
                width, height = pdf[box["page"] - 1].get_size()
                text = pdf[box["page"] - 1].get_textpage()
                assert cite["text"] in text.get_text_bounded(
                    left=box["left"] * width / 100 - 1,
                    right=box["right"] * width / 100 + 1,
                    top=height - box["top"] * height / 100 + 1,
                    bottom=height - box["bottom"] * height / 100 - 1,
                )
                seen += 1
    assert seen == 11


def test_a_real_run_over_files_is_shown_with_its_documents(
    anthropic_server: AnthropicServer, tmp_path: Path
) -> None:
    anthropic_server.answer = lambda _: answers.json_answer({"number": 7})
    files = [make_pdf(tmp_path / f"{index}.pdf", "The number is 7.") for index in range(3)]
    run: BatchManager[Number] = BatchManager(
        files=files,
        prompt="Which number?",
        model=MODEL,
        response_model=Number,
        enable_citations=True,
        results_dir="out",
    )
    run.run()
    path = write_report("out", response_model=Number)
    assert path == Path("out/report.html")
    for item in items_of(path):
        assert item["notes"] == []
        assert [(field["path"], field["value"], field["state"]) for field in item["fields"]] == [
            ("number", "7", "traced")
        ]
        assert [page["number"] for page in item["sources"][0]["pages"]] == [1]
        assert [len(cite["boxes"]) for cite in item["cited"]] == [1]
    words = facts_of(path)
    assert f"Model {MODEL}" in words
    assert "Prompt Which number?" in words
    assert "Documents are shown as they are now" not in words
    assert anthropic_server.key not in path.read_text(encoding="utf-8")


@pytest.mark.usefixtures("anthropic_server")
def test_a_run_over_conversations_is_shown_without_documents() -> None:
    run = BatchManager(messages=ask("one", "two"), model=MODEL, max_tokens=50, results_dir="out")
    run.run()
    path = write_report("out")
    assert [(item["name"], item["fields"][0]["value"], item["sources"]) for item in items_of(path)] == [
        (None, "one", []),
        (None, "two", []),
    ]
    assert "it cannot be told whether they are still what was sent" in facts_of(path)


def test_only_cited_pages_are_drawn_and_each_once(tmp_path: Path) -> None:
    path = write_report(write_results(tmp_path / "out", demo_entries()))
    drawn = [[page["number"] for page in item["sources"][0]["pages"]] for item in items_of(path)]
    assert drawn == [[1], [1, 2], [1], [1]]
    pictures = {name: text for name, text in scripts_of(path).items() if name.startswith("picture-")}
    assert sorted(pictures) == ["picture-0-0-1", "picture-1-0-1", "picture-1-0-2", "picture-2-0-1", "picture-3-0-1"]
    head, data = pictures["picture-1-0-2"].split(",")
    assert head == "data:image/webp;base64"
    with Image.open(io.BytesIO(base64.b64decode(data))) as image:
        assert (image.format, image.size) == ("WEBP", (910, 1287))


def test_a_page_of_ten_metres_is_drawn_small(tmp_path: Path) -> None:
    long = tmp_path / "long.pdf"
    pdf = pypdfium2.PdfDocument.new()
    pdf.new_page(600, 14_400)
    pdf.save(long)
    path = write_report([entry(about(0, long), result="words")], tmp_path / "report.html")
    data = scripts_of(path)["picture-0-0-1"].split(",")[1]
    with Image.open(io.BytesIO(base64.b64decode(data))) as image:
        assert image.size == (92, 2200)


def test_a_changed_document_is_not_shown_and_said_so(copies: Path, tmp_path: Path) -> None:
    folder = one_item(copies, tmp_path)
    shutil.copyfile(copies / "aldermoor-letter.pdf", copies / "harrow-pike-invoice.pdf")
    (item,) = items_of(write_report(folder))
    assert item["sources"] == []
    (note,) = item["notes"]
    assert note == (
        "The source cannot be shown. 'harrow-pike-invoice.pdf' changed since it was sent: its citations are given as "
        "text."
    )
    first = item["cited"][0]
    assert (first["text"], first["page"], first["boxes"]) == ("Harrow & Pike Joinery", 1, [])


def test_a_document_that_is_gone_is_said_so(copies: Path, tmp_path: Path) -> None:
    folder = one_item(copies, tmp_path)
    (copies / "harrow-pike-invoice.pdf").unlink()
    (item,) = items_of(write_report(folder))
    assert item["sources"] == []
    assert item["notes"][0].startswith("The source cannot be shown. files[0]: There is no file ")


@pytest.mark.parametrize("how", ["by position", "by name", "as bytes"])
def test_a_document_that_moved_is_found_where_files_says(how: str, copies: Path, tmp_path: Path) -> None:
    folder = one_item(copies, tmp_path)
    moved = (copies / "harrow-pike-invoice.pdf").rename(tmp_path / "elsewhere.pdf")
    files: Any = {
        "by position": [moved],
        "by name": {"harrow-pike-invoice.pdf": moved},
        "as bytes": [moved.read_bytes()],
    }
    (item,) = items_of(write_report(folder, files=files[how]))
    assert item["notes"] == []
    assert [page["number"] for page in item["sources"][0]["pages"]] == [1]
    assert len(item["cited"][0]["boxes"]) == 1


def test_another_document_given_for_it_is_not_taken(copies: Path, tmp_path: Path) -> None:
    folder = one_item(copies, tmp_path)
    (item,) = items_of(write_report(folder, files=[copies / "aldermoor-letter.pdf"]))
    assert item["sources"] == []
    assert "changed since it was sent" in item["notes"][0]


def test_documents_of_a_conversation_are_found_by_the_name_that_citations_give_them(tmp_path: Path) -> None:
    letter = DOCUMENTS / "aldermoor-letter.pdf"
    said = about(0, None)
    made = in_words(said, "The amount is 318.75.", ["318.75"], letter)
    files = {"aldermoor-letter.pdf": letter, "example-letter.pdf": DOCUMENTS / "example-letter.pdf"}
    (item,) = items_of(write_report([made], tmp_path / "report.html", files=files))
    assert [source["name"] for source in item["sources"]] == ["aldermoor-letter.pdf"]
    assert [box["page"] for box in item["cited"][0]["boxes"]] == [1]


def test_a_text_is_cut_where_citations_begin_and_end(tmp_path: Path) -> None:
    note = tmp_path / "note.md"
    note.write_text("# Notes 🎉\nSender: Acme & Sons\nTotal: 12.50 EUR\n", encoding="utf-8")
    answer = '{"sender": "Acme & Sons", "reference": "", "issued": "2026-01-02", "total_due": "12.50"}'
    made = traced(about(0, note), answer, BusinessDocument, note)
    (item,) = items_of(write_report(write_results(tmp_path / "out", [made])))
    assert item["sources"][0]["pieces"] == [
        {"text": "# Notes 🎉\nSender: ", "cites": []},
        {"text": "Acme & Sons", "cites": [0]},
        {"text": "\nTotal: ", "cites": []},
        {"text": "12.50", "cites": [1]},
        {"text": " EUR\n", "cites": []},
    ]
    assert [field["state"] for field in item["fields"]] == ["traced", "blank", "missing", "traced"]


def test_an_image_is_shown_byte_for_byte(tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    Image.new("RGB", (30, 20), "teal").save(photo)
    path = write_report([entry(about(0, photo), result="A teal rectangle.")], tmp_path / "report.html")
    (item,) = items_of(path)
    assert item["sources"] == [{"kind": "image", "name": "photo.png", "picture": "picture-0-0"}]
    head, data = scripts_of(path)["picture-0-0"].split(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(data) == photo.read_bytes()


def test_the_overview_counts_items_costs_tokens_and_citations(tmp_path: Path) -> None:
    words = facts_of(write_report(write_results(tmp_path / "out", demo_entries())))
    assert "Items with an outcome 4 1 failed" in words
    assert "Cost $0.00375 of all items shown" in words
    assert "Input tokens 3,600 600 from cache" in words
    assert "Output tokens 240 0 of reasoning" in words
    assert "Fields 12 11 verified in the source" in words
    assert "Items with a result 3 invalid_output 1" in words
    assert "by how well they are traced verified 11 not found 1" in words
    assert "Citations, by match and origin exact 6 numeric 5" in words


def test_the_overview_says_what_earlier_tries_cost_and_what_is_not_known(tmp_path: Path) -> None:
    first = [failed(about(0, None), EXPIRED) | {"cost_usd": Decimal("1.50")}]
    folder = tmp_path / "out"
    write_results(folder, first)
    directory = ResultsDir.open(folder, run_id="bt0123456789ab", raw_files=False)
    again = entry(about(0, None), result="yes", cost_usd=Decimal("2.25"))
    directory.write_job(1, [0], [kept(again, None, None)[1]])
    assert "Cost $2.25 $3.75 with earlier tries" in facts_of(write_report(folder))
    unknown = failed(about(1, None), EXPIRED) | {"cost_usd": None}
    directory.write_job(2, [1], [kept(unknown, None, None)[1]])
    words = "Cost at least $2.25 at least $3.75 with earlier tries; the cost of 1 item is not known"
    assert words in facts_of(write_report(folder))


def test_what_nobody_knows_is_not_nothing(tmp_path: Path) -> None:
    entries = [entry(about(index, None), result="yes", cost_usd=None, usage=None) for index in range(2)]
    words = facts_of(write_report(write_results(tmp_path / "none", entries)))
    assert "Cost unknown the cost of 2 items is not known" in words
    assert "Input tokens unknown" in words
    entries = [entry(about(index, None), result="yes", cost_usd=None, usage=None) for index in range(4, 6)]
    words = facts_of(write_report(write_results(tmp_path / "one", [*demo_entries(), *entries])))
    assert "Cost at least $0.00375 the cost of 2 items is not known" in words
    assert "Input tokens at least 3,600" in words
    assert "Output tokens at least 240" in words


def test_more_than_200_items_are_an_index_and_files_of_200(tmp_path: Path) -> None:
    entries = [entry(about(index, None, f"note-{index}.txt"), result=f"words {index}") for index in range(401)]
    entries[300] = failed(about(300, None, "note-300.txt"), EXPIRED)
    path = write_report(write_results(tmp_path / "out", entries, jobs=3), tmp_path / "site" / "my report.html")
    files = sorted(each.relative_to(path.parent).as_posix() for each in path.parent.rglob("*") if each.is_file())
    assert files == [
        "my report-items/0001.html",
        "my report-items/0002.html",
        "my report-items/0003.html",
        "my report.html",
    ]
    rows = items_of(path)
    assert [row["href"] for row in (rows[0], rows[199], rows[200], rows[400])] == [
        "./my%20report-items/0001.html#item-0",
        "./my%20report-items/0001.html#item-199",
        "./my%20report-items/0002.html#item-200",
        "./my%20report-items/0003.html#item-400",
    ]
    assert (rows[300]["flags"], rows[300]["reason"]) == (["failed"], "expired")
    assert [item["i"] for item in items_of(path.parent / files[1])] == list(range(200, 400))
    assert 'href="../my%20report.html"' in (path.parent / files[1]).read_text(encoding="utf-8")


def test_exactly_200_items_are_one_file(tmp_path: Path) -> None:
    entries = [entry(about(index, None), result="words") for index in range(200)]
    path = write_report(entries, tmp_path / "site" / "report.html")
    assert len(items_of(path)) == 200
    assert list(path.parent.iterdir()) == [path]


HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>{{ 7*7 }}<!--"


def test_nothing_from_documents_and_models_is_markup(tmp_path: Path) -> None:
    cited = Citation(HOSTILE, document=HOSTILE, source="javascript:alert(3)")
    said = about(0, None, HOSTILE)
    bad: ErrorInfo = {"reason": HOSTILE, "message": HOSTILE, "retryable": False, "raw_text": HOSTILE}
    made = entry(said, result={HOSTILE: HOSTILE}, citations={HOSTILE: [cited]}, notes=[HOSTILE])
    folder = write_results(tmp_path / "out", [made, failed(about(1, None, HOSTILE), bad)])
    path = write_report(folder)
    assert set(scripts_of(path)) == {"data", ""}
    first, second = items_of(path)
    assert first["name"] == first["cited"][0]["text"] == first["notes"][0] == HOSTILE
    assert second["error"] == bad
    text = path.read_text(encoding="utf-8")
    assert "<img" not in text
    assert "49" not in facts_of(path)


def test_names_that_are_not_unicode_are_written_all_the_same(tmp_path: Path) -> None:
    made = entry(about(0, None, "bad\udcff.txt"), result="words")
    folder = write_results(tmp_path / "out", [made])
    assert items_of(write_report(folder))[0]["name"] == "bad\udcff.txt"


def test_entries_need_a_path(tmp_path: Path) -> None:
    with pytest.raises(ArgumentError, match="bring no place for the report: give its path="):
        write_report(demo_entries())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="run.json' cannot be read"):
        write_report(tmp_path)


def test_a_path_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(ResultsError, match=r"The report '.*report.html' cannot be written: "):
        write_report(demo_entries(), tmp_path / "file" / "report.html")


@pytest.mark.parametrize("package", ["jinja2", "PIL"])
def test_without_the_extra_the_error_names_it(package: str, tmp_path: Path) -> None:
    code = (
        f"import sys; sys.modules[{package!r}] = None\n"
        "import batchata\n"
        "try: batchata.write_report([], 'report.html')\n"
        "except batchata.MissingExtraError as error: print(error)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=60, cwd=tmp_path
    )
    assert found.stdout == f"The package {package!r} is not installed: pip install 'batchata[report]'.\n"
    assert list(tmp_path.iterdir()) == []


def test_a_long_text_is_shown_around_its_citations() -> None:
    text = "x" * 50_000
    shown = pieces(text, {7: (20_000, 20_010), 8: (20_005, 20_020)})
    assert [(len(each.text), each.marks, each.left_out) for each in shown] == [
        (0, (), 18_500),
        (1_500, (), 0),
        (5, (7,), 0),
        (5, (7, 8), 0),
        (10, (8,), 0),
        (1_500, (), 0),
        (0, (), 28_480),
    ]


def test_a_long_text_without_citations_is_shown_from_its_beginning() -> None:
    shown = pieces("x" * 50_000, {})
    assert [(len(each.text), each.left_out) for each in shown] == [(8_000, 0), (0, 42_000)]


@given(
    st.text(max_size=60),
    st.dictionaries(st.integers(0, 9), st.tuples(st.integers(-5, 70), st.integers(-5, 70)), max_size=6),
)
def test_pieces_are_the_text_with_every_range_marked(text: str, ranges: dict[int, tuple[int, int]]) -> None:
    position = 0
    for piece in pieces(text, ranges):
        for place in range(position, position + len(piece.text)):
            inside = {number for number, (start, end) in ranges.items() if start <= place < end}
            assert set(piece.marks) == inside
        position += len(piece.text)
    assert "".join(piece.text for piece in pieces(text, ranges)) == text


FOUND = Citation("x", match=Match.EXACT, verified=True, holds_value=True, score=1.0)
BESIDE = Citation("x", match=Match.EXACT, verified=True, holds_value=False, score=1.0)
LIKE = Citation("x", match=Match.FUZZY, score=0.9)
LOST = Citation("x", match=Match.NOT_FOUND, score=0.0)
UNCHECKED = Citation("x")


@pytest.mark.parametrize(
    ("cost", "is_estimate", "words"),
    [
        (None, False, None),
        ("0", False, "$0"),
        ("0.0000015", False, "$0.000002"),
        ("0.00125", True, "about $0.00125"),
        ("0.0075", False, "$0.0075"),
        ("0.5", False, "$0.5000"),
        ("1234.5", False, "$1,234.50"),
    ],
)
def test_dollars_as_they_are_shown(cost: str | None, is_estimate: bool, words: str | None) -> None:
    assert dollars(None if cost is None else Decimal(cost), is_estimate=is_estimate) == words


@pytest.mark.parametrize(
    ("value", "cited", "state"),
    [
        ("v", [FOUND], State.TRACED),
        ("v", [LOST, FOUND], State.TRACED),
        (None, [FOUND], State.TRACED),
        ("v", [BESIDE], State.LOOSE),
        ("v", [LIKE], State.LOOSE),
        ("v", [UNCHECKED], State.LOOSE),
        ("v", [LOST], State.MISSING),
        ("v", [], State.MISSING),
        (False, [], State.UNASKED),
        (False, [LOST], State.MISSING),
        (True, [UNCHECKED], State.LOOSE),
        (0, [], State.MISSING),
        (None, [], State.BLANK),
        ("", [], State.BLANK),
        ("v", None, State.UNASKED),
    ],
)
def test_the_state_of_a_field(value: object, cited: list[Citation] | None, state: State) -> None:
    assert state_of_field(value, cited) is state


@pytest.mark.parametrize(
    ("cited", "state"),
    [
        ([FOUND, FOUND], State.TRACED),
        ([FOUND, LOST], State.LOOSE),
        ([LOST], State.MISSING),
        ([], State.MISSING),
        (None, State.UNASKED),
    ],
)
def test_the_state_of_an_answer_in_words(cited: list[Citation] | None, state: State) -> None:
    assert state_of_text(cited) is state
