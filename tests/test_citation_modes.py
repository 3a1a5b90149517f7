"""Who is asked where a value comes from: the provider, the model, or nobody; through the public API."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import AfterValidator, BaseModel, Field, RootModel

from batchata import ArgumentError, BatchJob, BatchResult, Citation, Match, Origin, UnsupportedArgumentError, batch
from tests.small_files import pdf_of
from tests.wire import answers
from tests.wire.anthropic_server import AnthropicServer

MODEL = "claude-haiku-5-5"
INVOICE = ("Acme Ltd, Leeds", "Invoice no. 4711\nTravel  120.50\nHotel  80.00\nTotal due: 1,200.50 EUR")


def make_pdf(path: Path, *pages: str) -> Path:
    path.write_bytes(pdf_of(*pages))
    return path


class Line(BaseModel):
    text: str
    amount: Decimal


class Invoice(BaseModel):
    number: int = Field(alias="invoiceNumber")
    seller: str
    lines: list[Line]
    total: Decimal
    paid: bool = False


DATA = {
    "invoiceNumber": 4711,
    "seller": "Acme Ltd",
    "lines": [{"text": "Travel", "amount": "120.50"}, {"text": "Hotel", "amount": "80.00"}],
    "total": "1200.50",
    "paid": False,
}


class Sent:
    """What the model was asked, and what it answers."""

    def __init__(self, server: AnthropicServer, answer: object) -> None:
        self.params: list[dict[str, Any]] = []
        self._answer = answer
        server.answer = self._reply

    def _reply(self, params: dict[str, Any]) -> answers.Answer:
        self.params.append(params)
        return answers.json_answer(self._answer)

    def asks_for_native_citations(self) -> bool:
        return '"citations": {"enabled"' in json.dumps(self.params)


def extract(file: Path, mode: Any, **more: Any) -> BatchJob[Invoice]:
    return batch(
        MODEL,
        files=[file],
        prompt="Extract.",
        response_model=Invoice,
        enable_citations=True,
        citation_mode=mode,
        **more,
    )


def quote(path: str, text: str, page: int | None) -> dict[str, Any]:
    return {"path": path, "quote": text, "page": page}


def fields(entry: BatchResult[Any]) -> dict[str, list[Citation]]:
    assert entry["error"] is None, entry["error"]
    cited = entry["citations"]
    assert isinstance(cited, dict)
    return cited


def shown(cited: list[Citation]) -> list[tuple[str, str, int | None, str | None, bool, bool | None]]:
    return [
        (each.origin.value, each.cited_text, each.start_page, each.match, each.verified, each.holds_value)
        for each in cited
    ]


def test_quotes_are_asked_for_taken_off_and_looked_up(anthropic_server: AnthropicServer, tmp_path: Path) -> None:
    quotes = [
        quote("invoiceNumber", "Invoice no. 4711", 2),
        quote("seller", "Acme Ltd", 2),
        quote("lines[0].amount", "Travel 120.50", 2),
        quote("/lines/1", "Hotel 80.00", 2),
        quote("data.total", "Total due: 9,200.50 EUR", 2),
        quote("vat", "Leeds", 1),
    ]
    sent = Sent(anthropic_server, {"data": DATA, "citations": quotes})
    file = make_pdf(tmp_path / "invoice.pdf", *INVOICE)
    job = extract(file, "quoted")
    entry = job.results()[0]
    assert entry["result"] == Invoice.model_validate(DATA)
    cited = fields(entry)
    assert {path: shown(each) for path, each in cited.items()} == {
        "number": [("quoted", "Invoice no. 4711", 2, Match.EXACT, True, True)],
        # The wrong page is kept as what it is, and the right one is said beside it.
        "seller": [
            ("quoted", "Acme Ltd", 2, Match.NOT_FOUND, False, True),
            ("aligned", "Acme Ltd", 1, Match.EXACT, True, True),
        ],
        "lines[0].text": [("aligned", "Travel", 2, Match.EXACT, True, True)],
        "lines[0].amount": [("quoted", "Travel 120.50", 2, Match.EXACT, True, True)],
        "lines[1].text": [("quoted", "Hotel 80.00", 2, Match.EXACT, True, True)],
        "lines[1].amount": [("quoted", "Hotel 80.00", 2, Match.EXACT, True, True)],
        # Another number: neither verified, nor replaced by something likelier.
        "total": [("quoted", "Total due: 9,200.50 EUR", 2, Match.NOT_FOUND, False, False)],
        "paid": [],
    }
    assert [each.cited_text for each in entry["unmapped_citations"]] == ["Leeds"]
    assert entry["unmapped_citations"][0].verified
    assert cited["number"][0].document == "invoice.pdf"
    assert cited["number"][0].boxes[0].page == 2
    assert job.stats()["total_citations"] == 9
    (params,) = sent.params
    assert not sent.asks_for_native_citations()
    assert params["output_config"]["format"]["schema"]["required"] == ["data", "citations"]
    assert '"data"' in params["system"][0]["text"]


def test_an_attached_job_takes_the_quotes_off_too(anthropic_server: AnthropicServer) -> None:
    Sent(anthropic_server, {"data": {"sky": "blue"}, "citations": [quote("sky", "is blue", None)]})

    class Sky(BaseModel):
        sky: str

    document = b"The sky is blue."
    job = batch(
        MODEL,
        files=[document],
        prompt="?",
        response_model=Sky,
        enable_citations=True,
        citation_mode="quoted",
    )
    attached = BatchJob.attach(
        job.id, model=MODEL, response_model=Sky, enable_citations=True, citation_mode="quoted", files=[document]
    )
    assert attached.results() == job.results()
    assert fields(job.results()[0])["sky"][0].verified
    unseen = BatchJob.attach(job.id, model=MODEL, response_model=Sky, enable_citations=True, citation_mode="quoted")
    assert shown(fields(unseen.results()[0])["sky"]) == [("quoted", "is blue", None, None, False, True)]


def test_a_quote_finds_its_document(anthropic_server: AnthropicServer) -> None:
    class Colours(RootModel[list[str]]):
        pass

    quotes = [quote("[0]", "Grass is green", 1), quote("[1]", "sky is blue", None)]
    Sent(anthropic_server, {"data": ["green", "blue"], "citations": quotes})
    parts = [
        {"type": "document", "file": b"The sky is blue."},
        {"type": "document", "file": b"Grass is green."},
        {"type": "text", "text": "Which colours?"},
    ]
    job = batch(
        MODEL,
        messages=[[{"role": "user", "content": parts}]],
        response_model=Colours,
        enable_citations=True,
        citation_mode="quoted",
    )
    cited = fields(job.results()[0])
    assert {
        path: [(each.document_index, each.start_page, each.verified) for each in places]
        for path, places in cited.items()
    } == {"[0]": [(1, None, True)], "[1]": [(0, None, True)]}


def test_text_with_quotes(anthropic_server: AnthropicServer) -> None:
    sent = Sent(anthropic_server, {"data": "It is blue.", "citations": [{"quote": "sky is blue", "page": None}]})
    job = batch(MODEL, files=[b"The sky is blue."], prompt="?", enable_citations=True, citation_mode="quoted")
    entry = job.results()[0]
    assert entry["result"] == "It is blue."
    assert isinstance(entry["citations"], list)
    (citation,) = entry["citations"]
    assert (citation.origin, citation.start_char, citation.end_char, citation.verified) == (
        Origin.QUOTED,
        4,
        15,
        True,
    )
    assert not sent.asks_for_native_citations()


def test_examples_show_the_quotes_that_are_wanted(anthropic_server: AnthropicServer, tmp_path: Path) -> None:
    sent = Sent(anthropic_server, {"data": DATA, "citations": []})
    example = make_pdf(
        tmp_path / "example.pdf", "Old Co, York", "Invoice no. 17\nTaxi  9.90\nTotal due: 2,009.90 EUR"
    )
    shown_output = {
        "invoiceNumber": 17,
        "seller": "Old Co",
        "lines": [{"text": "Taxi", "amount": "9.90"}],
        "total": "2009.90",
    }
    file = make_pdf(tmp_path / "invoice.pdf", *INVOICE)
    extract(file, "quoted", examples=[(example, shown_output)]).results()
    told = json.loads(sent.params[0]["messages"][1]["content"][0]["text"])
    assert told == {
        "data": shown_output,
        "citations": [
            quote("invoiceNumber", "17", 2),
            quote("seller", "Old Co", 1),
            quote("lines[0].text", "Taxi", 2),
            quote("lines[0].amount", "9.90", 2),
            quote("total", "2,009.90", 2),
        ],
    }


def test_values_are_looked_for_where_nobody_is_asked(anthropic_server: AnthropicServer, tmp_path: Path) -> None:
    sent = Sent(anthropic_server, DATA)
    file = make_pdf(tmp_path / "invoice.pdf", *INVOICE)
    job = extract(file, "aligned")
    cited = fields(job.results()[0])
    assert {path: shown(each) for path, each in cited.items()} == {
        "number": [("aligned", "4711", 2, Match.EXACT, True, True)],
        "seller": [("aligned", "Acme Ltd", 1, Match.EXACT, True, True)],
        "lines[0].text": [("aligned", "Travel", 2, Match.EXACT, True, True)],
        "lines[0].amount": [("aligned", "120.50", 2, Match.EXACT, True, True)],
        "lines[1].text": [("aligned", "Hotel", 2, Match.EXACT, True, True)],
        "lines[1].amount": [("aligned", "80.00", 2, Match.EXACT, True, True)],
        "total": [("aligned", "1,200.50", 2, Match.NUMERIC, True, True)],
        "paid": [],
    }
    assert not sent.asks_for_native_citations()
    assert "output_config" in sent.params[0]


def test_a_cited_text_that_does_not_say_the_value_is_told_apart(anthropic_server: AnthropicServer) -> None:
    class Sky(BaseModel):
        colour: str
        is_clear: bool

    place = answers.char_citation("The sky is grey.", 0)
    anthropic_server.answer = lambda _: answers.cited_answer(
        [('{"colour": ', []), ('"blue"', [place]), (', "is_clear": ', []), ("false", [place]), ("}", [])]
    )
    job = batch(MODEL, files=[b"The sky is grey."], prompt="?", response_model=Sky, enable_citations=True)
    cited = fields(job.results()[0])
    assert [(each.verified, each.holds_value) for each in cited["colour"]] == [(True, False)]
    assert [(each.verified, each.holds_value) for each in cited["is_clear"]] == [(True, None)]


@pytest.mark.parametrize("mode", ["native", "auto"])
def test_anthropic_cites_itself(anthropic_server: AnthropicServer, mode: Any) -> None:
    sent = Sent(anthropic_server, DATA)
    batch(MODEL, files=[b"x"], prompt="?", enable_citations=True, citation_mode=mode).results()
    assert sent.asks_for_native_citations()


def test_the_pages_without_text_are_named(anthropic_server: AnthropicServer, tmp_path: Path) -> None:
    Sent(anthropic_server, {"data": DATA, "citations": [quote("total", "1,200.50", 2)]})
    file = make_pdf(tmp_path / "scan.pdf", "Acme Ltd", "")
    job = extract(file, "quoted")
    entry = job.results()[0]
    cited = fields(entry)
    assert shown(cited["total"]) == [("quoted", "1,200.50", 2, Match.NOT_FOUND, False, True)]
    assert shown(cited["seller"]) == [("aligned", "Acme Ltd", 1, Match.EXACT, True, True)]
    assert entry["notes"] == ["scan.pdf has no text layer on page 2: nothing there can be checked"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"citation_mode": "exact"},
            ArgumentError,
            "citation_mode must be one of 'auto', 'native', 'quoted', 'aligned'",
        ),
        (
            {"citation_mode": "quoted", "enable_citations": False},
            ArgumentError,
            "citation_mode='quoted' goes with enable_citations=True",
        ),
        ({"citation_mode": "aligned"}, UnsupportedArgumentError, "without response_model there are none"),
        (
            {"citation_mode": "quoted", "examples": [("x", "y")]},
            UnsupportedArgumentError,
            "A worked example in words does not say where its answer stands",
        ),
    ],
)
def test_modes_that_cannot_be(
    anthropic_server: AnthropicServer, arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        batch(MODEL, **{"files": [b"x"], "prompt": "?", "enable_citations": True, **arguments})
    assert anthropic_server.ledger.created == []


class Unspeakable:
    def __repr__(self) -> str:
        raise TypeError("not to be said")


class Odd(BaseModel):
    colour: Annotated[Any, AfterValidator(lambda _: Unspeakable())]


def test_an_odd_value_never_costs_the_answer(anthropic_server: AnthropicServer) -> None:
    Sent(anthropic_server, {"colour": "blue"})
    job = batch(
        MODEL,
        files=[b"The sky is blue."],
        prompt="?",
        response_model=Odd,
        enable_citations=True,
        citation_mode="aligned",
    )
    entry = job.results()[0]
    assert entry["error"] is None, entry["error"]
    assert isinstance(entry["result"], Odd)
    assert entry["citations"] is None
    assert entry["notes"] == ["the citations could not be worked out: TypeError: not to be said"]


def test_worked_examples_in_text_are_quoted_too(anthropic_server: AnthropicServer) -> None:
    class Sky(BaseModel):
        colour: str

    sent = Sent(anthropic_server, {"data": {"colour": "blue"}, "citations": []})
    arguments: dict[str, Any] = {
        "files": [b"The sky is blue."],
        "prompt": "Which colour?",
        "response_model": Sky,
        "enable_citations": True,
        "citation_mode": "quoted",
    }
    batch(MODEL, **arguments, examples=[("Grass is green.", {"colour": "green"})]).results()
    told = json.loads(sent.params[0]["messages"][1]["content"][0]["text"])
    assert told == {"data": {"colour": "green"}, "citations": [quote("colour", "green", None)]}
