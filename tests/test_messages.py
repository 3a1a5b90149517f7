"""Conversations in every accepted form, and every mistake named by its place."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from batchata import documents, messages
from batchata.errors import ConversationError
from batchata.types import DocumentKind, DocumentPart, Message, TextPart

GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
GIF_TEXT = base64.b64encode(GIF).decode()


def parse(*turns: Any) -> tuple[str | None, tuple[Message, ...]]:
    return messages.parse(list(turns), "messages[3]", documents.load)


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def test_texts_and_roles() -> None:
    system, turns = parse(
        {"role": "system", "content": "Be brief."},
        {"role": "developer", "content": [{"type": "text", "text": "Be kind."}]},
        user("Hi"),
        {"role": "assistant", "content": "Hello"},
        user([{"type": "text", "text": "One"}, {"type": "text", "text": "Two"}]),
    )
    assert system == "Be brief.\n\nBe kind."
    assert turns == (
        Message("user", (TextPart("Hi"),)),
        Message("assistant", (TextPart("Hello"),)),
        Message("user", (TextPart("One"), TextPart("Two"))),
    )


def test_without_a_system_message() -> None:
    assert parse(user("Hi"))[0] is None


@pytest.mark.parametrize(
    "part",
    [
        {"type": "image", "file": GIF},
        {"type": "image", "source": {"type": "base64", "media_type": "image/gif", "data": GIF_TEXT}},
        {"type": "image_url", "image_url": {"url": f"data:image/gif;base64,{GIF_TEXT}"}},
        {"type": "file", "file": {"file_data": f"data:image/gif;base64,{GIF_TEXT}", "filename": "dot.gif"}},
    ],
)
def test_every_form_of_an_image(part: dict[str, Any]) -> None:
    (given,) = parse(user([part]))[1][0].parts
    assert isinstance(given, DocumentPart)
    assert given.document.kind is DocumentKind.GIF
    assert given.document.data == GIF
    assert given.document.size_px == (1, 1)


@pytest.mark.parametrize("source", ["text", "file", "url"])
def test_every_form_of_a_text_document(source: str, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("The sky is blue.")
    part = {
        "text": {"type": "document", "source": {"type": "text", "data": "The sky is blue."}, "title": "Sky"},
        "file": {"type": "document", "file": path, "title": "Sky"},
        "url": {"type": "document", "source": {"type": "url", "url": path.as_uri()}, "title": "Sky"},
    }[source]
    (given,) = parse(user([part]))[1][0].parts
    assert isinstance(given, DocumentPart)
    assert given.title == "Sky"
    assert given.document.text == "The sky is blue."


@pytest.mark.parametrize(
    ("conversation", "words"),
    [
        ("Hi", r"messages\[3\] must be a list.*got str.*messages=\[\[…\]\]"),
        ([], r"messages\[3\] has no user message"),
        (["Hi"], r"messages\[3\]\[0\] must be a dict"),
        ([{"role": "bot", "content": "x"}], r"messages\[3\]\[0\] has the role 'bot'; allowed are user"),
        ([{"role": "user"}], r"messages\[3\]\[0\] has no 'content'"),
        ([user("")], r"messages\[3\]\[0\]\['content'\] must be a text that is not empty"),
        ([user([])], r"\['content'\] must be a text or a list of parts, and not empty"),
        ([user(None)], r"\['content'\] must be a text or a list"),
        ([user(b"x")], r"\['content'\] must be a text or a list"),
        ([user(["x"])], r"\['content'\]\[0\] must be a dict with a 'type'"),
        ([user([{"type": "video"}])], r"\[0\] has the type 'video'; allowed are text, image"),
        ([user([{"type": "text"}])], r"\['text'\] must be a text"),
        ([user([{"type": "image"}])], r"needs a 'file'"),
        ([user([{"type": "image_url", "image_url": "x"}])], r"needs a dict under 'image_url'"),
        ([user([{"type": "image_url", "image_url": {}}])], r"needs a 'data:"),
        ([user([{"type": "image_url", "image_url": {"url": "data:image/png,x"}}])], r"not base64"),
        ([user([{"type": "image", "file": 7}])], r"must be a path, an address or bytes, got int"),
        ([user([{"type": "image", "source": {"type": "base64", "data": "%%"}}])], r"\['data'\] is not base64"),
        ([user([{"type": "image", "source": {"type": "base64"}}])], r"\['data'\] must be base64 text"),
        ([user([{"type": "image", "source": {"type": "file"}}])], r"allowed are base64, text and url"),
        ([user("x"), {"role": "system", "content": "y"}], r"messages\[3\]\[1\] is a system message in the middle"),
        ([{"role": "system", "content": [{"type": "image", "file": GIF}]}], "system message with a document"),
        (
            [user("x"), {"role": "assistant", "content": [{"type": "image", "file": GIF}]}],
            r"messages\[3\]\[1\] is an assistant turn with a document",
        ),
    ],
)
def test_mistakes_are_named_by_their_place(conversation: Any, words: str) -> None:
    with pytest.raises(ConversationError, match=words):
        messages.parse(conversation, "messages[3]", documents.load)


def test_a_file_that_cannot_be_used_keeps_its_error_and_gets_its_place() -> None:
    place = r"messages\[3\]\[0\]\['content'\]\[0\]"
    with pytest.raises(FileNotFoundError, match=place + r".* cannot be used: .*gone.pdf"):
        parse(user([{"type": "document", "file": "gone.pdf"}]))
