"""What the server's "model" answers: values a test builds, in the shape of the Messages API."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

JsonObject: TypeAlias = dict[str, Any]

MALFORMED_JSON = '{"unfinished": [1, 2,, "'
"""Not JSON, and no repair of it holds a field that a response model would have."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer of the model.

    Attributes:
        content: content blocks, in order.
        stop_reason: why the model stopped.
        stop_details: more on a refusal.
        usage: keys that replace what the server counted.
    """

    content: tuple[JsonObject, ...]
    stop_reason: str = "end_turn"
    stop_details: JsonObject | None = None
    usage: JsonObject | None = None


def text_block(text: str, citations: Sequence[JsonObject] = ()) -> JsonObject:
    block: JsonObject = {"type": "text", "text": text}
    return {**block, "citations": list(citations)} if citations else block


def text_answer(text: str, *, usage: JsonObject | None = None) -> Answer:
    return Answer((text_block(text),), usage=usage)


def json_answer(value: object, *, usage: JsonObject | None = None) -> Answer:
    """The value as JSON text, as schema mode gives it."""
    return text_answer(json.dumps(value, ensure_ascii=False), usage=usage)


def cited_answer(pieces: Iterable[tuple[str, Sequence[JsonObject]]]) -> Answer:
    """One text block for each (text, citations)."""
    return Answer(tuple(text_block(text, citations) for text, citations in pieces))


def refusal(text: str = "", *, category: str | None = None) -> Answer:
    """What the model wrote before it refused; often nothing."""
    details = {"type": "refusal", "category": category, "explanation": None}
    return Answer((text_block(text),) if text else (), stop_reason="refusal", stop_details=details)


def truncated(text: str) -> Answer:
    """An answer that ran into ``max_tokens``."""
    return Answer((text_block(text),), stop_reason="max_tokens")


def malformed_json() -> Answer:
    return text_answer(MALFORMED_JSON)


def with_thinking(answer: Answer, thought: str) -> Answer:
    """The same answer, after a thinking block."""
    block: JsonObject = {"type": "thinking", "thinking": thought, "signature": "c2lnbmF0dXJl"}
    return replace(answer, content=(block, *answer.content))


def page_citation(
    cited_text: str, first_page: int, last_page: int | None = None, *, document: int = 0, title: str | None = None
) -> JsonObject:
    """A place in a PDF, from the first page to the last, both inclusive; on the wire the end is exclusive."""
    return {
        "type": "page_location",
        "cited_text": cited_text,
        "document_index": document,
        "document_title": title,
        "start_page_number": first_page,
        "end_page_number": (first_page if last_page is None else last_page) + 1,
        "file_id": None,
    }


def char_citation(cited_text: str, start: int, *, document: int = 0, title: str | None = None) -> JsonObject:
    """A place in a plain-text document."""
    return {
        "type": "char_location",
        "cited_text": cited_text,
        "document_index": document,
        "document_title": title,
        "start_char_index": start,
        "end_char_index": start + len(cited_text),
        "file_id": None,
    }


def text_of(answer: Answer) -> str:
    """All the text of an answer, without its thinking."""
    return "".join(block.get("text", "") for block in answer.content)


def last_user_text(params: JsonObject) -> str:
    """All text of the last user turn, in whichever provider's words; documents and images left out."""
    turns = params.get("messages") or params.get("input") or params.get("contents") or []
    if isinstance(turns, str):
        return turns
    last = next(turn for turn in reversed(turns) if turn.get("role", "user") == "user")
    content = last.get("content", last.get("parts"))
    if isinstance(content, str):
        return content
    return "".join(block["text"] for block in content if "text" in block)


def schema_of(params: JsonObject) -> JsonObject | None:
    """The schema that the answer must have, in whichever provider's words."""
    for path in (
        ("output_config", "format", "schema"),
        ("text", "format", "schema"),
        ("response_format", "json_schema", "schema"),
        ("generationConfig", "responseJsonSchema"),
    ):
        found: Any = params
        for key in path:
            found = found.get(key) if isinstance(found, dict) else None
        if isinstance(found, dict):
            return found
    return None


def max_tokens_of(params: JsonObject) -> int:
    """The most tokens that the answer may have, in whichever provider's words."""
    found = (
        params.get("max_tokens") or params.get("max_output_tokens") or params["generationConfig"]["maxOutputTokens"]
    )
    return int(found)


def echo(params: JsonObject) -> Answer:
    """The default model: says the last user text again."""
    return text_answer(last_user_text(params))
