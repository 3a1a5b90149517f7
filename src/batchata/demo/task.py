"""What the demo asks, of which documents, and what a careful reader would answer."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic_core import to_jsonable_python

from batchata.demo import fields
from batchata.demo.fields import BusinessDocument
from batchata.types import BatchResult

__all__ = [
    "DOCUMENTS",
    "PROMPT",
    "BusinessDocument",
    "copy_documents",
    "copy_fields",
    "expected",
    "worked_examples",
    "write_results",
]

DOCUMENTS = Path(__file__).parent / "documents"
PROMPT = "Extract the sender, the reference, the date of issue and the total due."


def expected() -> dict[str, BusinessDocument]:
    """The right answers, by file name."""
    return {document["file"]: _answer(document) for document in _truth()["documents"]}


def worked_examples() -> list[tuple[Path, BusinessDocument]]:
    """Shown to the model before each document: an invoice, a Rechnung and a letter that are none of the six."""
    return [(DOCUMENTS / document["file"], _answer(document)) for document in _truth()["examples"]]


def _truth() -> Any:
    return json.loads((DOCUMENTS / "truth.json").read_text(encoding="utf-8"))


def _answer(document: dict[str, Any]) -> BusinessDocument:
    return BusinessDocument.model_validate({name: field["value"] for name, field in document["fields"].items()})


def copy_documents(folder: Path) -> list[Path]:
    """Put the demo's documents where the user can open them; returns their paths in order."""
    folder.mkdir(parents=True, exist_ok=True)
    return [Path(shutil.copyfile(DOCUMENTS / name, folder / name)) for name in expected()]


def copy_fields(path: Path) -> None:
    """Put the demo's response model where the user can change it."""
    shutil.copyfile(fields.__file__, path)


def write_results(path: Path, entries: Sequence[BatchResult[BusinessDocument]]) -> None:
    """One JSON object a line: result, citations, error, usage and cost of one document."""
    lines = [json.dumps(to_jsonable_python(entry), ensure_ascii=False) for entry in entries]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
