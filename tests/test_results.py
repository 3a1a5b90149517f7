"""The results directory: nothing is lost on the way to the disk and back, and nothing half-written is ever read."""

from __future__ import annotations

import dataclasses
import enum
import json
import os
import random
import shutil
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    PrivateAttr,
    RootModel,
    ValidationInfo,
    field_serializer,
    field_validator,
)

from batchata.errors import ArgumentError, ResultsError
from batchata.results import ResultsDir, load_results_from_disk, write_raw, write_raw_lines
from batchata.results.entries import kept, read
from batchata.results.jsons import from_json, to_json
from batchata.spool import Lines
from batchata.types import BatchResult, Box, Citation, ErrorInfo, Match, Origin, UsageInfo

VERSION_1 = Path(__file__).parent / "data" / "results"
RUN_ID = "bt0123456789ab"

M = TypeVar("M", bound=BaseModel)


class Currency(enum.Enum):
    EUR = "eur"
    USD = "usd"


class Address(BaseModel):
    city: str = Field(alias="town")
    lines: tuple[str, ...] = ()


class Tags(RootModel[list[str]]):
    pass


class Card(BaseModel):
    kind: Literal["card"] = Field(alias="Kind")
    digits: int


class Cash(BaseModel):
    kind: Literal["cash"] = Field(alias="Kind")


class Invoice(BaseModel):
    model_config = ConfigDict(extra="allow")

    number: str = Field(alias="invoiceNumber")
    total: Decimal = Field(validation_alias="amount", serialization_alias="sum")
    day: date
    paid_at: datetime | None = None
    currency: Currency = Currency.EUR
    address: Address | None = None
    tags: Tags = Tags([])
    payment: Card | Cash | None = Field(None, discriminator="kind")
    seal: bytes = b""
    ratio: float = 0.5
    codes: set[int] = set()
    shares: dict[str, Decimal] = {}


FULL = Invoice.model_validate(
    {
        "invoiceNumber": 'ÄÖ-7 \u2028 "q" \\ \n 🧾',
        "amount": Decimal("1234.50"),
        "day": date(2026, 2, 28),
        "paid_at": datetime(2026, 3, 1, 12, 30, 15, 250, tzinfo=UTC),
        "currency": "usd",
        "address": {"town": "Köln", "lines": ["a", ""]},
        "tags": ["x", "y"],
        "payment": {"Kind": "card", "digits": 12345678901234567890123},
        "seal": "söal",
        "ratio": 0.1,
        "codes": [3, 1, 2],
        "shares": {"a.b": "0.10"},
        "unasked": {"deep": [1, 2.5, None, True]},
    }
)


def an_entry(index: int, result: object = "text", **changes: Any) -> BatchResult[Any]:
    entry: BatchResult[Any] = {
        "result": result,
        "citations": None,
        "unmapped_citations": [],
        "error": None,
        "input": {"index": index, "name": f"{index}.pdf", "source": None},
        "usage": None,
        "cost_usd": Decimal("0.0012"),
        "cost_is_estimate": False,
        "notes": [],
    }
    return {**entry, **changes}  # type: ignore[typeddict-item]  # names of its keys


def a_failure(index: int, reason: str = "expired", **changes: Any) -> BatchResult[Any]:
    error: ErrorInfo = {"reason": reason, "message": f"{reason}!", "retryable": True, "raw_text": None}
    return an_entry(index, None, error=error, **changes)


def opened(folder: Path, *, raw_files: bool = False) -> ResultsDir:
    found = ResultsDir.open(folder, run_id=RUN_ID, raw_files=raw_files)
    found.write_run({"model": "m", "provider": "p"})
    return found


def put(
    where: ResultsDir,
    number: int,
    *entries: BatchResult[Any],
    answers: Mapping[int, str] | None = None,
    fingerprints: Mapping[int, str] | None = None,
) -> list[BatchResult[Any]]:
    ordered = sorted(entries, key=index_of)
    filed = [
        kept(each, (fingerprints or {}).get(index_of(each)), (answers or {}).get(index_of(each)))
        for each in ordered
    ]
    where.write_job(number, [index_of(each) for each in ordered], [line for _, line in filed])
    return [entry for entry, _ in filed]


def index_of(entry: BatchResult[Any]) -> int:
    return entry["input"]["index"]


def round_trip(entry: BatchResult[Any], model: type[BaseModel] | None) -> BatchResult[Any]:
    stays, line = kept(entry, None, None)
    assert stays == entry
    assert b"\n" not in line
    return read(from_json(line), model)


# --- entries ---


def test_a_result_comes_back_as_the_same_instance() -> None:
    assert round_trip(an_entry(0, FULL), Invoice) == an_entry(0, FULL)
    assert round_trip(an_entry(0, Tags(["a"])), Tags)["result"] == Tags(["a"])
    assert round_trip(an_entry(0, ""), None)["result"] == ""


def test_without_the_model_it_comes_back_as_plain_json_by_field_name() -> None:
    assert round_trip(an_entry(0, FULL), None)["result"] == {
        "number": 'ÄÖ-7 \u2028 "q" \\ \n 🧾',
        "total": "1234.50",
        "day": "2026-02-28",
        "paid_at": "2026-03-01T12:30:15.000250Z",
        "currency": "usd",
        "address": {"city": "Köln", "lines": ["a", ""]},
        "tags": ["x", "y"],
        "payment": {"kind": "card", "digits": 12345678901234567890123},
        "seal": "söal",
        "ratio": 0.1,
        "codes": [1, 2, 3],
        "shares": {"a.b": "0.10"},
        "unasked": {"deep": [1, 2.5, None, True]},
    }


words = st.text(st.characters(exclude_categories=())).filter(
    # Two halves of a surrogate pair that meet are one character in JSON.
    lambda text: text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass") == text
)
clean_words = st.text()
numbers = st.none() | st.integers(min_value=0)
floats = st.floats(allow_nan=False, allow_infinity=False)
plain_json = st.recursive(
    st.none() | st.booleans() | st.integers() | floats | words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=5,
)
citations = st.builds(
    Citation,
    words,
    document=st.none() | words,
    document_index=numbers,
    document_title=st.none() | words,
    start_page=numbers,
    end_page=numbers,
    start_char=numbers,
    end_char=numbers,
    start_block=numbers,
    end_block=numbers,
    source=st.none() | words,
    boxes=st.lists(st.builds(Box, st.integers(1), floats, floats, floats, floats), max_size=2).map(tuple),
    origin=st.sampled_from(Origin),
    match=st.none() | st.sampled_from(Match),
    verified=st.booleans(),
    holds_value=st.none() | st.booleans(),
    score=st.none() | st.floats(0, 1),
    raw=st.none() | st.dictionaries(words, plain_json, max_size=3),
)
invoices = st.builds(
    lambda **values: Invoice.model_validate(values, by_name=True),
    number=clean_words,
    total=st.decimals(allow_nan=False, allow_infinity=False),
    day=st.dates(),
    paid_at=st.none() | st.datetimes(),
    currency=st.sampled_from(Currency),
    address=st.none() | st.builds(lambda city: {"town": city}, clean_words),
    tags=st.lists(clean_words, max_size=2),
    seal=clean_words.map(str.encode),
    ratio=floats,
    codes=st.sets(st.integers(), max_size=3),
    more=st.integers() | floats | clean_words,
)
errors = st.fixed_dictionaries(
    {"reason": words, "message": words, "retryable": st.booleans(), "raw_text": st.none() | words}
)
usages = st.fixed_dictionaries(
    {name: st.integers(min_value=0) for name in UsageInfo.__annotations__},
)
cited = (
    st.none()
    | st.lists(citations, max_size=2)
    | st.dictionaries(words, st.lists(citations, max_size=2), max_size=2)
)


@st.composite
def any_entries(draw: st.DrawFn) -> BatchResult[Any]:
    is_failed = draw(st.booleans())
    return an_entry(
        draw(st.integers(0)),
        None if is_failed else draw(words | invoices),
        error=draw(errors) if is_failed else None,
        citations=draw(cited),
        unmapped_citations=draw(st.lists(citations, max_size=2)),
        input={
            "index": draw(st.integers(0)),
            "name": draw(st.none() | words),
            "source": draw(st.none() | words),
        },
        usage=draw(st.none() | usages),
        cost_usd=draw(st.none() | st.decimals(allow_nan=False, allow_infinity=False)),
        cost_is_estimate=draw(st.booleans()),
        notes=draw(st.lists(words, max_size=2)),
    )


def told(value: object) -> object:
    """Every citation with all that it says: what the provider said of it does not count for ``==``."""
    if isinstance(value, Citation):
        return dataclasses.asdict(value)
    if isinstance(value, dict):
        return {key: told(each) for key, each in value.items()}
    return [told(each) for each in value] if isinstance(value, list) else value


@given(any_entries())
@settings(max_examples=300, deadline=None)
def test_nothing_of_any_entry_is_lost(entry: BatchResult[Any]) -> None:
    model = Invoice if isinstance(entry["result"], Invoice) else None
    back = round_trip(entry, model)
    assert told(dict(back)) == told(dict(entry))
    assert str(back["cost_usd"]) == str(entry["cost_usd"])


def test_half_a_surrogate_pair_costs_no_other_value() -> None:
    plain = {
        "text": "\ud83d",
        "cost": Decimal("1.50"),
        "at": datetime(2026, 1, 2, tzinfo=UTC),
        "raw": MappingProxyType({"id": 12345678901234567890123}),
        "box": Box(1, 0.5, 1.0, 2.0, 3.0),
    }
    expected = (
        rb'{"text":"\ud83d","cost":"1.50","at":"2026-01-02T00:00:00+00:00","raw":{"id":12345678901234567890123},'
        rb'"box":{"page":1,"left":0.5,"top":1.0,"right":2.0,"bottom":3.0}}'
    )
    assert to_json(plain) == expected
    assert from_json(expected)["text"] == "\ud83d"
    with pytest.raises(TypeError, match="object has no form in JSON"):
        to_json({"text": "\ud83d", "more": object()})


class Percent(BaseModel):
    """A validator that must not be run twice."""

    share: float

    @field_validator("share")
    @classmethod
    def _of_hundred(cls, value: float) -> float:
        return value / 100


class Noted(BaseModel):
    thinking: str | None = Field(None, exclude=True)
    day: date = date(2026, 1, 1)

    @field_serializer("day")
    def _german(self, day: date) -> str:
        return day.strftime("%d.%m.%Y")


class Unwritable(BaseModel):
    share: float

    @field_serializer("share")
    def _never(self, share: float) -> str:
        raise RuntimeError(f"no words for {share}")


class Incomparable(BaseModel):
    share: float

    def __eq__(self, other: object) -> bool:
        raise ValueError("the truth value of an array is ambiguous")

    __hash__ = None  # type: ignore[assignment]  # as Python does where only __eq__ is given


ODD = [
    (Percent, '{"share": 12}', {"share": 0.12}),
    (Noted, '{"thinking": "hm",\n "day": "2026-03-04"}', {"day": "04.03.2026"}),
    (Unwritable, '{"share": 1}', {"share": 1}),
    (Unwritable, '{"share": "NaN"}', {"share": "NaN"}),
    (Incomparable, '{"share": 1}', {"share": 1.0}),
]


@pytest.mark.parametrize(("model", "answer", "plain"), ODD)
def test_what_its_own_json_does_not_give_back_is_read_from_the_answer(
    tmp_path: Path, model: type[BaseModel], answer: str, plain: object
) -> None:
    where, value = opened(tmp_path), model.model_validate_json(answer)
    (stays,) = put(where, 0, an_entry(0, value), answers={0: answer})
    (back,) = load_results_from_disk(tmp_path, model)
    assert stays["result"] is value
    assert back["error"] is None
    assert repr(back["result"]) == repr(value)
    assert load_results_from_disk(tmp_path)[0]["result"] == plain


@pytest.mark.parametrize(
    ("model", "answer", "message", "raw_text"),
    [
        (
            Percent,
            '{"share": 12}',
            "The response model makes something else of what it made itself.",
            '{"share":0.12}',
        ),
        (
            Noted,
            '{"day": "2026-03-04"}',
            "day: Input should be a valid date or datetime, invalid character in year",
            '{"day":"04.03.2026"}',
        ),
    ],
)
def test_without_the_answer_it_is_a_failure_that_says_so(
    tmp_path: Path, model: type[BaseModel], answer: str, message: str, raw_text: str
) -> None:
    where = opened(tmp_path)
    stays = put(where, 0, an_entry(0, model.model_validate_json(answer)), an_entry(1))
    words = f"the answer is valid, but its JSON as kept on disk would not give it back: {message}"
    error = {"reason": "invalid_output", "message": words, "retryable": False, "raw_text": raw_text}
    assert stays == [an_entry(0, None, error=error), an_entry(1)]
    assert load_results_from_disk(tmp_path) == stays
    assert list(where.failed_items()) == [(0, error)]


def test_a_serializer_that_fails_costs_one_entry_not_the_job(tmp_path: Path) -> None:
    first, second = put(opened(tmp_path), 0, an_entry(0, Unwritable(share=1)), an_entry(1))
    assert first["error"] is not None
    assert first["error"]["message"].endswith("RuntimeError: no words for 1.0")
    assert first["error"]["raw_text"] is None
    assert load_results_from_disk(tmp_path) == [first, second]


class Cached(BaseModel):
    share: float
    _seen: list[object] = PrivateAttr(default_factory=lambda: [object()])


def test_a_result_that_never_equals_itself_is_kept_all_the_same(tmp_path: Path) -> None:
    put(opened(tmp_path), 0, an_entry(0, Cached(share=0.25)), answers={0: '{"share": 0.25}'})
    (entry,) = load_results_from_disk(tmp_path, Cached)
    assert entry["error"] is None
    assert entry["result"] is not None
    assert entry["result"].share == 0.25


# --- the folder as version 1 writes it, kept for ever ---


class Bill(BaseModel):
    number: str = Field(alias="no")
    total: Decimal
    rate: float | None = None

    @field_validator("rate")
    @classmethod
    def _of_hundred(cls, value: float | None) -> float | None:
        return None if value is None else value / 100


PLACE = Citation(
    cited_text="Total 12.50",
    document="0.pdf",
    document_index=0,
    document_title="0.pdf",
    start_page=2,
    end_page=2,
    start_char=40,
    end_char=51,
    boxes=(Box(2, 72.0, 100.5, 130.25, 112.0),),
    origin=Origin.PROVIDER,
    match=Match.EXACT,
    verified=True,
    holds_value=True,
    score=1.0,
    raw={"type": "page_location", "start_page_number": 2, "end_page_number": 3},
)
LOOSE = Citation("7 – 8", start_block=1, end_block=2, source="https://example.org/ä", origin=Origin.QUOTED)
TOKENS: UsageInfo = {
    "input_tokens": 1200,
    "output_tokens": 80,
    "cached_input_tokens": 1000,
    "cache_write_tokens": 0,
    "reasoning_tokens": 16,
}
FIRST = an_entry(
    0,
    Bill(no="A-1", total=Decimal("12.50")),
    citations={"number": [], "total": [PLACE], "rate": []},
    unmapped_citations=[LOOSE],
    usage=TOKENS,
    cost_usd=Decimal("0.00123"),
    notes=["0.pdf has no text layer on page 1: nothing there can be checked"],
)
EXPIRED = a_failure(1, usage=None, cost_usd=Decimal(0))
SECOND = an_entry(1, Bill(no="A-2", total=Decimal(7)), citations={"number": [], "total": [], "rate": []})
GARBLED = an_entry(
    2,
    None,
    error={"reason": "invalid_output", "message": "no JSON", "retryable": True, "raw_text": "I am sorry, \ud83d"},
    usage=TOKENS,
    cost_usd=None,
)
TRUNCATED = a_failure(2, "truncated", input={"index": 2, "name": None, "source": None}, cost_is_estimate=True)
FOURTH = an_entry(3, Bill(no="A-4", total=Decimal("1E+3"), rate=19), usage=TOKENS)
ANSWER = '{"no": "A-4", "total": "1E+3", "rate": 19}'

JOBS: dict[int, Sequence[BatchResult[Any]]] = {0: (EXPIRED, FIRST), 1: (GARBLED, FOURTH), 2: (SECOND, TRUNCATED)}
ABOUT = {
    "provider": "anthropic",
    "model": "claude-x",
    "created_at": datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC),
    "arguments": {"prompt": "What is the total?", "max_tokens": "1024", "max_cost": Decimal("1.50")},
}


def write_version_1(folder: Path) -> None:
    where = ResultsDir.open(folder, run_id=RUN_ID, raw_files=True)
    where.write_run(ABOUT)
    for number, entries in JOBS.items():
        put(where, number, *entries, fingerprints={0: "ab" * 32, 3: "cd" * 32}, answers={3: ANSWER})
    assert where.raw is not None
    write_raw(where.raw, f"{RUN_ID}-0-0", b'{"custom_id": "bt0123456789ab-0-0"}')


def test_version_1_is_read() -> None:
    assert load_results_from_disk(VERSION_1, Bill) == [FIRST, SECOND, TRUNCATED, FOURTH]
    plain = load_results_from_disk(VERSION_1)
    assert [entry["result"] for entry in plain] == [
        {"number": "A-1", "total": "12.50", "rate": None},
        {"number": "A-2", "total": "7", "rate": None},
        None,
        {"number": "A-4", "total": "1E+3", "rate": 0.19},
    ]
    assert plain[0]["citations"] == {"number": [], "total": [PLACE], "rate": []}
    assert isinstance(plain[0]["citations"], dict)
    assert plain[0]["citations"]["total"][0].raw == PLACE.raw


def test_version_1_is_a_run_that_can_be_continued(tmp_path: Path) -> None:
    shutil.copytree(VERSION_1, tmp_path / "r")
    where = ResultsDir.open(tmp_path / "r", run_id=RUN_ID, raw_files=True)
    assert where.job_numbers() == [0, 1, 2]
    assert (where.has_job(2), where.has_job(3)) == (True, False)
    assert list(where.read_job(0, Bill)) == [FIRST, EXPIRED]
    assert next(where.read_job(1, None)) == GARBLED
    assert [where.fingerprints(number) for number in (0, 1, 2)] == [{0: "ab" * 32}, {3: "cd" * 32}, {}]
    assert list(where.failed_items()) == [(2, TRUNCATED["error"])]
    put(where, 3, an_entry(2, Bill(no="A-3", total=Decimal(3))))
    assert [entry["error"] for entry in where.iter_entries(Bill)] == [None, None, None, None]


def test_what_is_written_now_is_version_1_to_the_byte(tmp_path: Path) -> None:
    """Another layout is another version: it gets a new folder of data, and a reader for this one stays."""
    write_version_1(tmp_path)
    for old in sorted(path for path in VERSION_1.rglob("*") if path.is_file() and path.name != "run.json"):
        assert (tmp_path / old.relative_to(VERSION_1)).read_bytes() == old.read_bytes()
    then, now = (json.loads((folder / "run.json").read_bytes()) for folder in (VERSION_1, tmp_path))
    assert {**now, "batchata": "0.1.0"} == then
    assert then == {
        "version": 1,
        "batchata": "0.1.0",
        "run_id": "bt0123456789ab",
        "provider": "anthropic",
        "model": "claude-x",
        "created_at": "2026-01-02T03:04:05+00:00",
        "arguments": {"prompt": "What is the total?", "max_tokens": "1024", "max_cost": "1.50"},
    }


def test_every_file_is_json_for_anybody() -> None:
    found = json.loads((VERSION_1 / "processed" / "job-00000001.json").read_text("utf-8"))
    assert (found["version"], found["job"], found["items"]) == (1, 1, "2-3")
    assert found["entries"][1] == {
        "index": 3,
        "name": "3.pdf",
        "fingerprint": "cd" * 32,
        "status": "completed",
        "result": {"number": "A-4", "total": "1E+3", "rate": 0.19},
        "text": False,
        "citations": None,
        "unmapped_citations": [],
        "error": None,
        "usage": TOKENS,
        "cost_usd": "0.0012",
        "cost_is_estimate": False,
        "notes": [],
        "answer": ANSWER,
    }


# --- order and retries ---


@pytest.mark.parametrize(
    ("attempts", "expected"),
    [
        ([a_failure(0), an_entry(0)], an_entry(0)),
        ([an_entry(0), a_failure(0)], an_entry(0)),
        ([an_entry(0, "old"), an_entry(0, "new")], an_entry(0, "new")),
        ([a_failure(0, "expired"), a_failure(0, "errored")], a_failure(0, "errored")),
        ([a_failure(0), an_entry(0), a_failure(0), a_failure(0)], an_entry(0)),
    ],
)
def test_a_result_beats_a_failure_and_the_latest_beats_the_rest(
    tmp_path: Path, attempts: list[BatchResult[Any]], expected: BatchResult[Any]
) -> None:
    where = opened(tmp_path)
    for number, entry in reversed(list(enumerate(attempts))):
        put(where, number, entry, a_failure(7))
    assert load_results_from_disk(tmp_path) == [expected, a_failure(7)]
    failed = [index for index, _ in where.failed_items()]
    assert failed == ([0, 7] if expected["error"] else [7])


class Small(BaseModel):
    value: int


def test_ten_thousand_items_in_shuffled_jobs_come_back_in_order(tmp_path: Path) -> None:
    where, order = opened(tmp_path), list(range(10_000))
    random.Random(0).shuffle(order)  # noqa: S311  # the same order every time
    jobs = [sorted(order[start : start + 10]) for start in range(0, 10_000, 10)]
    jobs.append([item for item in range(10_000) if item % 1_000 == 7])
    begun = time.perf_counter()
    for number, items in enumerate(jobs):
        is_retry = number == 1_000
        entries = [
            a_failure(item)
            if item % 1_000 == 7 and not is_retry
            else an_entry(item, Small(value=item), notes=["x"])
            for item in items
        ]
        put(where, number, *entries, fingerprints=dict.fromkeys(items, "ab" * 32))
    written, size = time.perf_counter(), sum(path.stat().st_size for path in tmp_path.rglob("*.json"))
    found = load_results_from_disk(tmp_path, Small)
    loaded = time.perf_counter()
    print(f"10,000 items, 1,001 jobs: {size:,} bytes, {written - begun:.2f} s out, {loaded - written:.2f} s in")  # noqa: T201  # figures to look at
    assert [entry["input"]["index"] for entry in found] == list(range(10_000))
    assert [entry["result"] for entry in found] == [Small(value=item) for item in range(10_000)]
    assert list(where.failed_items()) == []


def test_reading_takes_memory_for_one_entry_not_for_all(tmp_path: Path) -> None:
    where = opened(tmp_path)
    for number in range(20):
        put(where, number, *(an_entry(item, "x" * 10_000) for item in range(number * 10, number * 10 + 10)))
    tracemalloc.start()
    try:
        assert sum(1 for _ in where.iter_entries(None)) == 200
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 500_000  # of two million characters


def test_there_must_be_an_entry_for_each_item_of_the_job(tmp_path: Path) -> None:
    where = opened(tmp_path)
    lines = [kept(an_entry(index), None, None)[1] for index in range(3)]
    for wrong in (lines[:1], lines):
        with pytest.raises(ValueError, match="(1|3) entries of 2 items"):
            where.write_job(3, (0, 1), wrong)
    assert where.job_numbers() == []
    assert files_in(where.path) == ["run.json"]


def test_a_run_without_outcomes_has_no_entries(tmp_path: Path) -> None:
    where = opened(tmp_path)
    assert load_results_from_disk(tmp_path) == []
    where.write_job(0, (), [])
    assert load_results_from_disk(str(tmp_path)) == []


# --- loading ---


class Stricter(BaseModel):
    value: int = Field(lt=5)


class Explosive(BaseModel):
    value: int

    @field_validator("value")
    @classmethod
    def _looked_up(cls, value: int, info: ValidationInfo) -> int:
        return {2: value}[value] if info.field_name else 0


def test_a_result_that_does_not_fit_costs_one_entry_not_the_load(tmp_path: Path) -> None:
    where = opened(tmp_path)
    put(where, 0, *(an_entry(item, Small(value=item)) for item in (2, 7)), a_failure(9))
    stricter, explosive = load_results_from_disk(tmp_path, Stricter), load_results_from_disk(tmp_path, Explosive)
    assert [entry["result"] for entry in stricter] == [Stricter(value=2), None, None]
    assert stricter[1] == an_entry(
        7,
        None,
        error={
            "reason": "invalid_output",
            "message": "the result on disk does not fit the response model: value: Input should be less than 5",
            "retryable": False,
            "raw_text": '{"value":7}',
        },
    )
    assert stricter[2] == a_failure(9)
    assert [entry["result"] for entry in explosive] == [Explosive(value=2), None, None]
    assert explosive[1]["error"] is not None
    assert explosive[1]["error"]["message"] == (
        "the result on disk does not fit the response model: The response model's own code raised KeyError: 7"
    )


def test_of_many_misfits_the_first_are_told(tmp_path: Path) -> None:
    put(opened(tmp_path), 0, an_entry(0, Tags(list("abcdefg"))))
    (entry,) = load_results_from_disk(tmp_path, RootModel[list[int]])
    assert entry["error"] is not None
    assert entry["error"]["message"].splitlines()[3:] == [
        "3: Input should be a valid integer, unable to parse string as an integer",
        "4: Input should be a valid integer, unable to parse string as an integer",
        "… and 2 more",
    ]


BLOCKED = """
import sys

class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {"anthropic", "openai", "mistralai", "xllamacpp"} or name.startswith("google.genai"):
            raise AssertionError(f"{name} is imported")

sys.meta_path.insert(0, Blocked())
from batchata.results import load_results_from_disk
entries = load_results_from_disk(sys.argv[1])
print(len(entries), entries[0]["result"]["total"], entries[0]["citations"]["total"][0].boxes[0].top)
"""


def test_loading_needs_neither_sdk_nor_key() -> None:
    environment = {name: value for name, value in os.environ.items() if not name.endswith(("_API_KEY", "_TOKEN"))}
    found = subprocess.run(
        [sys.executable, "-c", BLOCKED, str(VERSION_1)],
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
        env=environment,
    )
    assert found.stdout == "4 12.50 100.5\n"


def test_a_folder_that_is_no_results_directory_is_named(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match=r"nowhere/run\.json' cannot be read: No such file"):
        load_results_from_disk(tmp_path / "nowhere")
    opened(tmp_path)
    shutil.rmtree(tmp_path / "processed")
    with pytest.raises(ResultsError, match="processed' cannot be read: No such file"):
        load_results_from_disk(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not a file as this library writes it: it is not JSON"),
        (b'{"version": 1, "run_id"', "it is not JSON"),
        (b"[]", "it names no run"),
        (b'{"version": 1, "name": "mine"}', "it names no run"),
        (b'{"run_id": "x"}', "it names no version of the format"),
        (b'{"run_id": "x", "version": true}', "it names no version of the format"),
        (b'{"run_id": "x", "version": 2}', r"version 2 of the format.* reads up to 1\. Install a newer batchata"),
    ],
)
def test_a_run_file_that_is_not_ours_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "run.json").write_bytes(content)
    with pytest.raises(ResultsError, match=rf"run\.json' .*{message}"):
        load_results_from_disk(tmp_path)
    with pytest.raises(ArgumentError, match=rf"results_dir .* cannot be used: .*run\.json' .*{message}"):
        ResultsDir.open(tmp_path, run_id="x", raw_files=False)
    assert (tmp_path / "run.json").read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["run.json"]


def replaced(old: str, new: str) -> Callable[[bytes], bytes]:
    return lambda whole: whole.replace(old.encode(), new.encode(), 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda _: b"", "it names no version of the format"),
        (lambda _: b"\x00" * 300, "it names no version of the format"),
        (lambda _: b'{"version":1,"job":0', "its entries do not stand one a line"),
        (lambda whole: whole[:-4], "it is cut short"),
        (lambda whole: whole[: len(whole) // 2], "ValueError: |JSONDecodeError: "),
        (lambda whole: whole.splitlines(keepends=True)[0], "it is cut short"),
        (lambda whole: json.dumps(json.loads(whole), indent=1).encode(), "its entries do not stand one a line"),
        (replaced('"version":1', '"version":2'), "version 2 of the format.* Install a newer batchata"),
        (lambda _: b'{\n  "version": 3,\n "pages": []}', "version 3 of the format.* Install a newer batchata"),
        (replaced('"job":0', '"job":1'), "it is of job 1"),
        (replaced('"items":"0-1"', '"items":"0-2"'), "entries for the items '0-1', and not for '0-2'"),
        (replaced('"index":0', '"index":-1'), "an entry has the index -1"),
        (replaced('"status":"completed"', '"status":"well"'), "an entry has .* the status 'well'"),
        (
            replaced('"status":"completed"', '"status":"failed"'),
            "the status and the error of item 0 contradict each other",
        ),
        (replaced('"notes":', '"remarks":'), "KeyError: 'notes'"),
        (replaced('"cost_usd":"0.0012"', '"cost_usd":"dear"'), "InvalidOperation"),
        (replaced('{"index":0', '[{"index":0'), "JSONDecodeError: |ValueError: "),
    ],
)
def test_a_job_file_that_is_not_whole_or_not_ours_is_named(
    tmp_path: Path, change: Callable[[bytes], bytes], message: str
) -> None:
    where = opened(tmp_path)
    put(where, 0, an_entry(0), a_failure(1))
    path = tmp_path / "processed" / "job-00000000.json"
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(ResultsError, match=rf"job-00000000\.json' .*({message})"):
        load_results_from_disk(tmp_path)
    with pytest.raises(ResultsError, match=rf"job-00000000\.json' .*({message})"):
        list(where.read_job(0, None))


def test_an_edited_failure_is_named_where_failures_are_read(tmp_path: Path) -> None:
    where = opened(tmp_path)
    put(where, 0, an_entry(0))
    path = tmp_path / "processed" / "job-00000000.json"
    path.write_bytes(path.read_bytes().replace(b"completed", b"failed"))
    with pytest.raises(ResultsError, match=r"job-00000000\.json' .*contradict each other"):
        list(where.failed_items())


def test_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    put(opened(tmp_path), 0, an_entry(0), an_entry(1))
    path = tmp_path / "processed" / "job-00000000.json"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert load_results_from_disk(tmp_path) == [an_entry(0), an_entry(1)]


def test_a_job_that_is_not_there_is_named(tmp_path: Path) -> None:
    where = opened(tmp_path)
    with pytest.raises(ResultsError, match=r"job-00000004\.json' cannot be read: No such file"):
        list(where.read_job(4, None))
    with pytest.raises(ResultsError, match=r"job-00000004\.json' cannot be read: No such file"):
        where.fingerprints(4)


# --- opening ---


def test_opening_leaves_alone_what_it_finds(tmp_path: Path) -> None:
    mine = {"notes.txt": b"mine", "processed/readme": b"mine too", "raw/x.json": b"{}"}
    for name, content in mine.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(content)
    where = opened(tmp_path, raw_files=True)
    put(where, 0, an_entry(0))
    assert {name: (tmp_path / name).read_bytes() for name in mine} == mine
    assert load_results_from_disk(tmp_path) == [an_entry(0)]


def test_raw_files_only_if_wanted(tmp_path: Path) -> None:
    assert opened(tmp_path / "a").raw is None
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == ["processed", "run.json"]
    assert opened(tmp_path / "b", raw_files=True).raw == tmp_path / "b" / "raw"
    assert sorted(path.name for path in (tmp_path / "b").iterdir()) == ["processed", "raw", "run.json"]


def test_another_runs_folder_is_refused(tmp_path: Path) -> None:
    put(opened(tmp_path), 0, an_entry(0))
    before = (tmp_path / "run.json").read_bytes()
    with pytest.raises(
        ArgumentError, match=f"holds the results of the run '{RUN_ID}', and this is the run 'other'"
    ):
        ResultsDir.open(tmp_path, run_id="other", raw_files=True)
    assert (tmp_path / "run.json").read_bytes() == before
    assert not (tmp_path / "raw").exists()
    (tmp_path / "run.json").unlink()
    with pytest.raises(ArgumentError, match=r"holds results of a run that no 'run\.json' names"):
        ResultsDir.open(tmp_path, run_id=RUN_ID, raw_files=False)


def test_a_folder_that_cannot_be_is_known_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ArgumentError, match=r"results_dir .*file' cannot be written: File exists"):
        ResultsDir.open(tmp_path / "file", run_id=RUN_ID, raw_files=False)
    with pytest.raises(ArgumentError, match="results_dir is empty"):
        ResultsDir.open("", run_id=RUN_ID, raw_files=False)
    (tmp_path / "raw").touch()
    with pytest.raises(ArgumentError, match=r"results_dir .*raw' cannot be written: File exists"):
        ResultsDir.open(tmp_path, run_id=RUN_ID, raw_files=True)


def test_what_a_crash_left_is_not_read_and_is_written_over(tmp_path: Path) -> None:
    where = opened(tmp_path)
    partial = tmp_path / "processed" / ".job-00000000.json.partial"
    partial.write_bytes(b'{"version":1,"job":0,"ite')
    assert load_results_from_disk(tmp_path) == []
    put(where, 0, an_entry(0))
    assert load_results_from_disk(tmp_path) == [an_entry(0)]
    assert not partial.exists()


# --- a disk that is full, or cannot be written ---


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    if shutil.which("mount") is None or subprocess.run(command, check=False, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here: that needs Linux and root")
    try:
        yield disk
    finally:
        subprocess.run(["umount", str(disk)], check=True, timeout=30)


def files_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def test_a_disk_that_fills_up_leaves_whole_files_and_goes_on_after_room_is_made(small_disk: Path) -> None:
    ballast = small_disk / "ballast"
    where = opened(small_disk / "r", raw_files=True)
    put(where, 0, an_entry(0))
    before = files_in(where.path)
    ballast.write_bytes(bytes(200_000))
    big = an_entry(1, "x" * 100_000)
    with pytest.raises(
        ResultsError, match=r"'job-00000001\.json' cannot be written .*/r/processed': No space left on device"
    ) as caught:
        put(where, 1, big)
    assert isinstance(caught.value.__cause__, OSError)
    assert where.raw is not None
    with pytest.raises(ResultsError, match=r"'a-1-1\.json' cannot be written .*/r/raw': No space left on device"):
        write_raw(where.raw, "a-1-1", b"x" * 100_000)
    with Lines() as lines:
        lines.add(b"x" * 100_000)
        with pytest.raises(ResultsError, match=r"'job-00000001\.jsonl' cannot be written .*/r/raw': No space left"):
            write_raw_lines(where.raw, 1, lines)
    with pytest.raises(ResultsError, match="'job-00000000.json' cannot be written"):
        put(where, 0, an_entry(0, "y" * 100_000))
    assert files_in(where.path) == before
    assert load_results_from_disk(where.path) == [an_entry(0)]
    ballast.unlink()
    put(where, 1, big)
    assert load_results_from_disk(where.path) == [an_entry(0), big]


def test_a_disk_that_is_full_from_the_start_is_known_before_anything_is_paid_for(small_disk: Path) -> None:
    (small_disk / "ballast").write_bytes(bytes(256 * 1024))
    with pytest.raises(ArgumentError, match="cannot be written: No space left on device"):
        ResultsDir.open(small_disk / "r", run_id=RUN_ID, raw_files=False)
    assert files_in(small_disk) == ["ballast"]


def test_a_disk_that_turns_read_only(small_disk: Path) -> None:
    where = opened(small_disk / "r", raw_files=True)
    put(where, 0, an_entry(0))
    before = files_in(where.path)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True, timeout=30)
    with pytest.raises(ResultsError, match="'job-00000001.json' cannot be written .*: Read-only file system"):
        put(where, 1, an_entry(1))
    with pytest.raises(ResultsError, match="'run.json' cannot be written .*: Read-only file system"):
        where.write_run({})
    with pytest.raises(ArgumentError, match="results_dir .* cannot be written: Read-only file system"):
        ResultsDir.open(where.path, run_id=RUN_ID, raw_files=False)
    assert load_results_from_disk(where.path) == [an_entry(0)]
    subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True, timeout=30)
    assert files_in(where.path) == before
    put(where, 1, an_entry(1))
    assert load_results_from_disk(where.path) == [an_entry(0), an_entry(1)]
