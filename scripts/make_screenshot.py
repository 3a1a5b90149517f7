"""Read the demo's documents with the small local model, and write docs/report.webp, the report's picture in the README.

Needs Chromium (`make chromium`) and the weights of the local model (`batchata local fetch`).
"""

from __future__ import annotations

import io
import os
import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

from batchata import BatchManager, write_report
from batchata.demo.task import PROMPT, BusinessDocument, copy_documents, worked_examples

TARGET = Path(__file__).resolve().parents[1] / "docs" / "report.webp"


def main() -> int:
    """Run, write the report, open it and take its picture."""
    chromium = shutil.which("chromium")
    if chromium is None:
        print("Chromium is not installed: make chromium", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder:
        report = _report(Path(folder))
        picture = _picture(report, chromium)
    with Image.open(io.BytesIO(picture)) as image:
        image.convert("RGB").save(TARGET, "WEBP", quality=80, method=6)
    return 0


def _report(folder: Path) -> Path:
    run = BatchManager(
        files=copy_documents(folder / "documents"),
        prompt=PROMPT,
        model="local/smollm2-135m",
        response_model=BusinessDocument,
        enable_citations=True,
        max_tokens=200,
        results_dir=folder / "demo",
        examples=worked_examples(),
    )
    run.run()
    return write_report(folder / "demo", response_model=BusinessDocument)


def _picture(report: Path, chromium: str) -> bytes:
    with sync_playwright() as playwright:
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        page = browser.new_page(
            viewport={"width": 1280, "height": 800}, device_scale_factor=1.5, reduced_motion="reduce"
        )
        page.goto(f"{report.as_uri()}#item-0")
        page.locator(".field .head").last.click()
        picture = page.screenshot()
        browser.close()
        return picture


if __name__ == "__main__":
    sys.exit(main())
