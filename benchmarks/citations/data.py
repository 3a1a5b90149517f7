"""The shared documents with what is known of them, and the two ways in which a user has values looked up."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import create_model

from batchata import documents
from batchata.citations import resolve
from batchata.structured import read
from batchata.types import Citation, Origin, Source, TextBlock

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"

Value: TypeAlias = "str | Decimal | date"


@lru_cache(maxsize=32)
def pdf(path: Path) -> Source:
    """The text of a PDF, read as a user's file is."""
    return documents.source(documents.load(path, with_text_layer=True))


def text(name: str, content: str) -> Source:
    """A document without pages."""
    return Source(name, (content,), paged=False)


def lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file with one a line."""
    for line in path.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def align(values: Mapping[str, Value], source: Source) -> dict[str, Citation | None]:
    """Look up values that an answer gives without citing anything, all at once, by their JSON."""
    model = create_model("Values", **{name: (type(value), ...) for name, value in values.items()})  # type: ignore[call-overload]  # fields known at run time only
    answer = model(**values).model_dump_json()
    reading = read(answer, model)
    by_field = resolve([TextBlock(answer)], reading.value, reading.node, [source]).by_field or {}
    return {name: next(iter(by_field[name]), None) for name in values}


def check(quotes: Sequence[tuple[str, int | None]], source: Source) -> list[Citation]:
    """Look up quotes, each on its page, as a model gives them that was asked for some."""
    cited = tuple(
        Citation(quote, start_page=page, end_page=page, origin=Origin.QUOTED, document_index=0)
        for quote, page in quotes
    )
    return resolve([TextBlock("answer", cited)], None, None, [source]).flat[: len(cited)]


def invoices() -> Iterator[tuple[Source, dict[str, Value]]]:
    """ZUGFeRD invoices with the fields that stand in their text layer."""
    for told in lines(DATA / "invoices" / "zugferd" / "expected.jsonl"):
        fields = {
            name: told["expected"][name] for name, is_found in told["value_found_in_text_layer"].items() if is_found
        }
        yield (
            pdf(DATA / "invoices" / "zugferd" / told["file"]),
            {name: typed(name, value) for name, value in fields.items()},
        )


def typed(name: str, value: str) -> Value:
    """A field of an invoice as a user would declare it."""
    if name.endswith("_date"):
        return date.fromisoformat(value)
    return Decimal(value) if name.endswith(("_total", "_payable")) else value


@dataclass(frozen=True, slots=True)
class Passage:
    """Gold evidence: a passage and the page where it stands."""

    question: str
    source: Source
    text: str
    page: int


def passages() -> Iterator[Passage]:
    """FinanceBench's gold evidence."""
    folder = DATA / "grounding" / "financebench"
    for told in sorted(lines(folder / "questions.jsonl"), key=lambda told: str(told["file"])):
        for evidence in told["evidence"]:
            yield Passage(
                told["id"], pdf(folder / told["file"]), evidence["evidence_text"], evidence["page_number_1_based"]
            )


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of XQuAD with its answers: text and offset."""

    language: str
    name: str
    text: str
    answers: tuple[tuple[str, int], ...]


def paragraphs() -> Iterator[Paragraph]:
    """XQuAD, all languages."""
    for path in sorted((DATA / "grounding" / "xquad").glob("xquad_*.json")):
        for article in json.loads(path.read_text(encoding="utf-8"))["data"]:
            for number, paragraph in enumerate(article["paragraphs"]):
                answers = [answer for question in paragraph["qas"] for answer in question["answers"]]
                yield Paragraph(
                    path.stem.removeprefix("xquad_"),
                    f"{path.stem} {article['title']} {number}",
                    paragraph["context"],
                    tuple((answer["text"], answer["answer_start"]) for answer in answers),
                )


def agreements() -> Iterator[tuple[Source, list[Value]]]:
    """Non-disclosure agreements with their dates, and the parties and places that stand in them as written."""
    folder = DATA / "grounding" / "nda"
    for told in lines(folder / "expected.jsonl"):
        values: list[Value] = [date.fromisoformat(value) for value in told["expected"].get("effective_date", ())]
        values += [name.split("=", 1)[1] for name, is_literal in told["literal_in_text"].items() if is_literal]
        yield pdf(folder / told["file"]), values


def reports() -> Iterator[tuple[Source, list[Value]]]:
    """TAT-QA's excerpts, as text, with the answers that stand in them; plain amounts as numbers too."""
    for told in json.loads((DATA / "grounding" / "tatqa" / "tatqa.json").read_text(encoding="utf-8")):
        table = "\n".join("\t".join(row) for row in told["table"]["table"])
        content = "\n".join([table, *(each["text"] for each in told["paragraphs"])])
        answers = [answer for question in told["questions"] for answer in _literal(question["answer"], content)]
        values: list[Value] = list(dict.fromkeys(answers))
        values += [
            Decimal(answer.replace(",", "").strip("$ ")) for answer in dict.fromkeys(answers) if _is_amount(answer)
        ]
        yield text(told["table"]["uid"], content), values


def _literal(answer: object, content: str) -> list[str]:
    spans = answer if isinstance(answer, list) else []
    return [span for span in spans if span and span in content]


def _is_amount(answer: str) -> bool:
    return answer.strip("$ ").replace(",", "").replace(".", "", 1).isdecimal()
