"""Reads one PDF with all its text and boxes, and prints what came of it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from batchata import documents
from batchata.errors import BatchataError


def main() -> None:
    """Prints outcome and detail as JSON; any other error is left to end the process."""
    try:
        document = documents.load(Path(sys.argv[1]), with_text_layer=True)
        source = documents.source(document)
    except BatchataError as error:
        print(json.dumps([type(error).__name__, str(error)]))
        return
    boxes = 0
    for number, page in enumerate(source.pages, start=1):
        if source.boxes is not None:
            boxes += len(source.boxes(number, 0, len(page)))
    characters = sum(len(page.strip()) for page in source.pages)
    detail = f"{len(source.pages)} pages, {characters} characters, {boxes} boxes"
    print(json.dumps(["text" if characters else "no text layer", detail]))


if __name__ == "__main__":
    main()
