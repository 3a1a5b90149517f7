"""Run the demo and write what it prints to docs/demo.svg, the picture in the README."""

from __future__ import annotations

import io
import re
import tempfile
from pathlib import Path

from rich.console import Console

from batchata import demo

ROOT = Path(__file__).resolve().parents[1]
WIDTH = 104


def main() -> None:
    """Run and draw."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    with tempfile.TemporaryDirectory() as folder:
        demo.run(Path(folder) / "batchata-demo", console=console)
        svg = console.export_svg(title="make demo", unique_id="demo").replace(folder + "/", "")
    # The picture must not fetch a font: the reader's own monospace will do.
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    (ROOT / "docs" / "demo.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
