"""What the examples share: the model to use, and documents to read."""

from __future__ import annotations

import argparse

from batchata.demo.task import DOCUMENTS, worked_examples

__all__ = ["DOCUMENTS", "WORKED_EXAMPLES", "chosen_model"]

WORKED_EXAMPLES = [(path, answer.model_dump(mode="json")) for path, answer in worked_examples()]
"""Documents that no example asks about, and what stands in them: a small model needs to be shown."""


def chosen_model(description: str | None) -> str:
    """The model from the command line; the local engine, which needs no key and no network, by default."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--model", default="local/smollm2-135m", help="default: %(default)s")
    return str(parser.parse_args().model)
