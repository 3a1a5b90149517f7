"""Write llms.txt: the README and every page of docs/ in one file, for AI tools. `--check` only compares."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCS = ("cli", "batch-manager", "citations", "report", "providers", "costs", "performance", "local-engine")
PAGES = ("README.md", *(f"docs/{name}.md" for name in DOCS), "CONTRIBUTING.md")


def assemble() -> str:
    """The text that llms.txt must hold."""
    parts = []
    for page in PAGES:
        text = (ROOT / page).read_text(encoding="utf-8").strip()
        parts.append(f"<!-- {page} -->\n\n{text}")
    return "\n\n".join(parts) + "\n"


def main() -> int:
    """0 when llms.txt is, or was made, up to date."""
    target = ROOT / "llms.txt"
    if "--check" in sys.argv:
        return 0 if target.exists() and target.read_text(encoding="utf-8") == assemble() else 1
    target.write_text(assemble(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
