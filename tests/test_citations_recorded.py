"""Recorded answers of Anthropic and Bedrock: no citation lost, and each stands where it says."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from batchata.citations import resolve
from batchata.documents import text_layer
from batchata.providers.anthropic.decode import decode, decode_message
from batchata.types import Citation, Failed, Match, Source, Succeeded, TextBlock

CITATIONS = {
    "anthropic_citations/constitutional_ai_pdf_cookbook": 5,
    "anthropic_citations/content_block_joined_langchain_docs": 1,
    "anthropic_citations/content_block_location_langchain": 2,
    "anthropic_citations/help_center_char_location_cookbook": 2,
    "anthropic_citations/pdf_page_location_prism": 2,
    "anthropic_citations/pdf_page_location_ruby_llm": 3,
    "anthropic_citations/search_result_location_ruby_llm": 1,
    "anthropic_citations/stream_prism": 2,
    "anthropic_citations/structured_json_content_block_prism": 2,
    "anthropic_citations/text_char_location_followup_prism_1": 2,
    "anthropic_citations/text_char_location_followup_prism_2": 0,
    "anthropic_citations/text_char_location_pydantic_ai": 1,
    "anthropic_citations/text_char_location_ruby_llm": 1,
    "anthropic_citations/text_char_location_stream_rig": 1,
    "anthropic_citations/web_fetch_char_location_langchain": 6,
    "anthropic_citations/web_search_llm_anthropic": 5,
    "bedrock_citations/pdf_document_page_ruby_llm": 3,
    "bedrock_citations/search_result_ruby_llm": 1,
}
"""How many each recording holds: 40."""

WITH_DOCUMENT = {
    "anthropic_citations/constitutional_ai_pdf_cookbook": 5,
    "anthropic_citations/content_block_location_langchain": 2,
    "anthropic_citations/help_center_char_location_cookbook": 2,
    "anthropic_citations/pdf_page_location_ruby_llm": 3,
    "anthropic_citations/search_result_location_ruby_llm": 1,
    "anthropic_citations/text_char_location_pydantic_ai": 1,
    "anthropic_citations/text_char_location_ruby_llm": 1,
    "anthropic_citations/text_char_location_stream_rig": 1,
    "anthropic_citations/web_fetch_char_location_langchain": 6,
    "bedrock_citations/pdf_document_page_ruby_llm": 3,
    "bedrock_citations/search_result_ruby_llm": 1,
}
"""How many of them have their document beside them: 26."""

Place = tuple[str, int | None, int | None, int | None, int | None, int | None, int | None, int | None, str | None]
"""Text, document, first and last page, first character and the one after the last, blocks likewise, address."""


def load(shared: Path, name: str) -> dict[str, Any]:
    recording: dict[str, Any] = json.loads((shared / "recordings" / f"{name}.json").read_text(encoding="utf-8"))
    return recording


def names(shared: Path, folder: str) -> list[str]:
    return sorted(f"{folder}/{path.stem}" for path in (shared / "recordings" / folder).glob("*.json"))


def message_of(recording: dict[str, Any]) -> dict[str, Any]:
    message: dict[str, Any] = recording["response" if "response" in recording else "response_assembled"]
    # Some sources kept only the content.
    return {"stop_reason": "end_turn", **message}


def blocks_of(recording: dict[str, Any]) -> list[TextBlock]:
    if recording["kind"] == "converse":
        return list(converse_blocks(recording["response"]["output"]["message"]["content"]))
    outcome = decode_message("id", message_of(recording))
    assert isinstance(outcome, Succeeded)
    return list(outcome.blocks)


# --- what the recording says, read without our code --------------------------------------------------


def raw_citations(recording: dict[str, Any]) -> list[dict[str, Any]]:
    if recording["kind"] == "converse":
        content = recording["response"]["output"]["message"]["content"]
        return [each for block in content for each in block.get("citationsContent", {}).get("citations", ())]
    return [each for block in message_of(recording)["content"] for each in block.get("citations") or ()]


def told(raw: dict[str, Any]) -> Place:
    """Page ends are exclusive on the wire, and inclusive for us."""
    if "location" in raw:
        ((kind, at),) = raw["location"].items()
        text = "".join(part["text"] for part in raw["sourceContent"])
        if kind == "documentPage":
            return text, at["documentIndex"], at["start"], at["end"] - 1, None, None, None, None, None
        return text, None, None, None, None, None, at["start"], at["end"], raw["source"]
    return (
        raw["cited_text"],
        raw.get("document_index"),
        raw.get("start_page_number"),
        raw["end_page_number"] - 1 if "end_page_number" in raw else None,
        raw.get("start_char_index"),
        raw.get("end_char_index"),
        raw.get("start_block_index"),
        raw.get("end_block_index"),
        raw.get("source", raw.get("url")),
    )


def place(citation: Citation) -> Place:
    return (
        citation.cited_text,
        citation.document_index,
        citation.start_page,
        citation.end_page,
        citation.start_char,
        citation.end_char,
        citation.start_block,
        citation.end_block,
        citation.source,
    )


# --- Bedrock: no adapter yet, so the shape is read here ----------------------------------------------


def converse_blocks(content: list[dict[str, Any]]) -> Iterator[TextBlock]:
    for block in content:
        if "citationsContent" in block:
            cited = block["citationsContent"]
            text = "".join(part["text"] for part in cited["content"])
            yield TextBlock(text, tuple(converse_citation(each) for each in cited["citations"]))
        else:
            yield TextBlock(block["text"])


def converse_citation(raw: dict[str, Any]) -> Citation:
    """Pages are counted from 1 with an exclusive end, as at Anthropic: page 1 of a one-page PDF is 1 to 2."""
    ((kind, at),) = raw["location"].items()
    citation = Citation(
        "".join(part["text"] for part in raw["sourceContent"]), document_title=raw.get("title"), raw=raw
    )
    match kind:
        case "documentPage":
            return replace(
                citation, document_index=at["documentIndex"], start_page=at["start"], end_page=at["end"] - 1
            )
        case "searchResultLocation":
            return replace(citation, source=raw["source"], start_block=at["start"], end_block=at["end"])
        case _:
            raise AssertionError(f"no recording had a {kind}")


# --- the documents beside the answers ----------------------------------------------------------------


def sources_of(recording: dict[str, Any], shared: Path) -> list[Source]:
    if "documents" in recording:
        return [beside(each, shared) for each in recording["documents"]]
    parts = [*sent(recording.get("request")), *fetched(recording)]
    return [source for part in parts if (source := source_of(part)) is not None]


def beside(document: dict[str, Any], shared: Path) -> Source:
    if "text" in document:
        return Source(document["title"], (document["text"],), paged=False)
    assert document["path"] == "misc/data/Constitutional AI.pdf"
    paper = (shared / "pdfs" / "constitutional_ai_paper.pdf").read_bytes()
    return Source(document["title"], text_layer(paper), paged=True)


def sent(request: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
    """The parts of all messages, those inside tool results too."""
    for message in ((request or {}).get("body") or {}).get("messages", ()):
        for part in message["content"] if isinstance(message["content"], list) else ():
            yield part
            yield from part.get("toolResult", {}).get("content", ())
            if part.get("type") == "tool_result":
                yield from part["content"]


def fetched(recording: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Documents that the provider fetched itself stand in its answer."""
    if recording["kind"] != "converse":
        for block in message_of(recording)["content"]:
            if block["type"] == "web_fetch_tool_result":
                yield block["content"]["content"]


def source_of(part: dict[str, Any]) -> Source | None:
    match part:
        case {"document": {"name": name, "source": {"bytes": data}}}:
            return Source(name, text_layer(base64.b64decode(data)), paged=True)
        case {"searchResult": {"source": name, "content": texts}} | {
            "type": "search_result",
            "source": name,
            "content": texts,
        }:
            return in_blocks(name, texts)
        case {"type": "document", "source": {"type": "base64", "data": data}}:
            return Source(part.get("title") or "pdf", text_layer(base64.b64decode(data)), paged=True)
        case {"type": "document", "source": {"type": "text", "data": text}}:
            return Source(part.get("title") or "text", (text,), paged=False)
        case {"type": "document", "source": {"type": "content", "content": texts}}:
            return in_blocks(part.get("title") or "blocks", texts)
        case _:
            return None


def in_blocks(name: str, texts: list[dict[str, Any]]) -> Source:
    return Source(name, tuple(each["text"] for each in texts), paged=False)


def numbered(citation: Citation, sources: list[Source]) -> Citation:
    """With the number of its document: search results have one of their own, two recordings kept titles only."""
    raw = citation.raw or {}
    index = citation.document_index
    if index is None:
        index = raw.get("search_result_index")  # type: ignore[assignment]  # JSON
    if index is None and isinstance(location := raw.get("location"), dict):
        index = location["searchResultLocation"]["searchResultIndex"]
    if index is None:
        (index,) = (number for number, source in enumerate(sources) if source.name == citation.document_title)
    return replace(citation, document_index=index)


# --- tests -------------------------------------------------------------------------------------------


def test_the_list_of_recordings_is_whole(shared: Path) -> None:
    assert list(CITATIONS) == names(shared, "anthropic_citations") + names(shared, "bedrock_citations")
    assert sum(CITATIONS.values()) == 40
    assert sum(WITH_DOCUMENT.values()) == 26


@pytest.mark.parametrize("name", CITATIONS)
def test_no_citation_is_lost_or_changed(shared: Path, name: str) -> None:
    recording = load(shared, name)
    blocks = blocks_of(recording)
    kept = [citation for block in blocks for citation in block.citations]
    assert len(kept) == CITATIONS[name]
    assert [place(each) for each in kept] == [told(raw) for raw in raw_citations(recording)]
    assert [each.raw for each in kept] == raw_citations(recording)
    resolved = resolve(blocks, None, None, [])
    assert resolved.flat == kept
    assert resolved.unmapped == []


@pytest.mark.parametrize("name", CITATIONS)
def test_each_is_verified_at_the_place_it_names(shared: Path, name: str) -> None:
    recording = load(shared, name)
    sources = sources_of(recording, shared)
    assert bool(sources) == (name in WITH_DOCUMENT)
    cited = [
        TextBlock(block.text, tuple(numbered(each, sources) for each in block.citations))
        for block in blocks_of(recording)
        if sources
    ]
    found = resolve(cited, None, None, sources).flat
    assert [each.verified for each in found] == [True] * WITH_DOCUMENT.get(name, 0)
    assert [each.cited_text for each in found] == [raw[0] for raw in map(told, raw_citations(recording)) if sources]
    for citation, before in zip(found, (each for block in cited for each in block.citations), strict=True):
        assert stands_where_it_says(citation, before, sources)


def stands_where_it_says(found: Citation, before: Citation, sources: list[Source]) -> bool:
    """The place is the one that the recording names, and the words stand there."""
    source = sources[found.document_index or 0]
    first, last = found.start_char, found.end_char
    assert first is not None
    assert last is not None
    if before.start_page is not None:
        words = source.pages[before.start_page - 1][first:last]
        is_there = found.start_page == found.end_page == before.start_page
    elif before.start_block is not None:
        words = "".join(source.pages[before.start_block : before.end_block])
        is_there = (found.start_block, found.end_block) == (before.start_block, before.end_block)
    else:
        words = source.pages[0][first:last]
        is_there = before.start_char in {None, first} and before.end_char in {None, last}
    return is_there and letters(words) == letters(before.cited_text)


@pytest.mark.parametrize("name", [name for name in WITH_DOCUMENT if "help_center" not in name])
def test_at_another_place_none_is_verified(shared: Path, name: str) -> None:
    """The cookbook's help center kept no places, so there is none to move."""
    recording = load(shared, name)
    sources = sources_of(recording, shared)
    moved = [moved_on(numbered(each, sources)) for block in blocks_of(recording) for each in block.citations]
    found = resolve([TextBlock("x", tuple(moved))], None, None, sources).flat[: len(moved)]
    assert [each.match for each in found] == [Match.NOT_FOUND] * WITH_DOCUMENT[name]
    assert [place(each) for each in found] == [place(each) for each in moved]


def moved_on(citation: Citation) -> Citation:
    """A page, a block or seven characters further."""
    if citation.start_page is not None and citation.end_page is not None:
        return replace(citation, start_page=citation.start_page + 1, end_page=citation.end_page + 1)
    if citation.start_block is not None and citation.end_block is not None:
        return replace(citation, start_block=citation.start_block + 1, end_block=citation.end_block + 1)
    assert citation.start_char is not None
    assert citation.end_char is not None
    return replace(citation, start_char=citation.start_char + 7, end_char=citation.end_char + 7)


def letters(text: str) -> str:
    """Without white space, and without the hyphens of line ends, which Anthropic writes as U+0002."""
    return "".join(char for char in text if char.isalnum())


def test_answers_without_citations_are_whole(shared: Path) -> None:
    ended: dict[str, int] = {}
    for name in names(shared, "anthropic_structured"):
        message = message_of(load(shared, name))
        outcome = decode_message("id", message)
        texts = [block["text"] for block in message["content"] if block["type"] == "text"]
        if isinstance(outcome, Succeeded):
            assert [(block.text, block.citations) for block in outcome.blocks] == [(text, ()) for text in texts]
            assert len(outcome.blocks) + len(outcome.other_blocks) == len(message["content"])
        else:
            assert outcome.text == "".join(texts)
        ended[message["stop_reason"]] = ended.get(message["stop_reason"], 0) + 1
    assert ended == {"end_turn": 16, "tool_use": 1, "max_tokens": 1}


def test_batch_results_are_whole(shared: Path) -> None:
    counts: dict[str, int] = {}
    for name in names(shared, "anthropic_batch"):
        recording = load(shared, name)
        bodies = [each for each in recording.get("interactions", ()) if each["response_format"] == "jsonl"]
        lines = recording.get("lines") or [line for body in bodies for line in body["response"]]
        counts[name] = len(lines)
        for line in lines:
            outcome = decode(json.dumps(line).encode())
            assert outcome.custom_id == line["custom_id"]
            if line["result"]["type"] == "succeeded":
                content = line["result"]["message"]["content"]
                assert isinstance(outcome, Succeeded)
                assert outcome.text == "".join(block["text"] for block in content if block["type"] == "text")
                assert len(outcome.blocks) + len(outcome.other_blocks) == len(content)
            else:
                assert isinstance(outcome, Failed)
    assert counts == {
        "anthropic_batch/authored_errored_canceled_expired_vercel": 3,
        "anthropic_batch/cancel_curator": 0,
        "anthropic_batch/three_succeeded_curator": 3,
        "anthropic_batch/two_chats_ruby_llm": 2,
        "anthropic_batch/two_reasoning_curator": 2,
    }
