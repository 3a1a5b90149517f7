"""Runs the parts that are named, all but ``pictures`` without a name; exit code 1 if one misses its target."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks.citations import altered, cost, found, pdfs, pictures
from benchmarks.citations.data import DATA

PARTS: dict[str, Callable[[bool], bool]] = {
    "zugferd": found.zugferd,
    "financebench": found.financebench,
    "xquad": found.xquad,
    "altered": altered.run,
    "pdfs": pdfs.run,
    "cost": cost.run,
}


def main() -> int:
    """Run and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.citations", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join([*PARTS, "pictures"]))
    parser.add_argument("--pictures", type=Path, metavar="DIR", help="where the part pictures puts them")
    parser.add_argument("--verbose", action="store_true", help="print each miss")
    options = parser.parse_args()
    parts = options.parts or list(PARTS)
    if unknown := set(parts) - {*PARTS, "pictures"}:
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    if "pictures" in parts and options.pictures is None:
        parser.error("pictures needs --pictures DIR")
    if not DATA.is_dir():
        print(f"{DATA} is not here: nothing to measure", file=sys.stderr)
        return 2
    met = True
    for part in parts:
        print(f"\n== {part}")
        if part == "pictures":
            pictures.draw(options.pictures)
        else:
            met &= PARTS[part](options.verbose)
    return 0 if met else 1


if __name__ == "__main__":
    sys.exit(main())
