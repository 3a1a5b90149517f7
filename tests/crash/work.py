"""The run that is killed: its items, the answer that each must get, and the process that works on it."""

from __future__ import annotations

import json
import os
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, cast

import anthropic._base_client as anthropic_sdk
import openai._base_client as openai_sdk
from pydantic import BaseModel

from batchata import BatchManager
from batchata.runner import poll
from batchata.runner import submit as submitting
from tests.providers.served import KINDS
from tests.wire import answers
from tests.wire.answers import Answer, JsonObject

STATE = "state.json"
RESULTS = "out"


class Product(BaseModel):
    """No two items have the same."""

    item: int
    product: int


def text_of(item: int) -> str:
    return f"Item {item}: what is {item} times 37, plus 11?"


def product_of(item: int) -> Product:
    return Product(item=item, product=item * 37 + 11)


def answer(params: JsonObject) -> Answer:
    """The model: a function of the question alone, so that two answers that change places are seen."""
    found = re.search(r"Item (\d+):", answers.last_user_text(params))
    assert found is not None
    return answers.json_answer(product_of(int(found[1])).model_dump())


@dataclass(frozen=True, slots=True)
class Attempt:
    """One process that takes up a run, and how it dies.

    Attributes:
        folder: where it works.
        texts: the items; those of the crash test where it is empty.
        arguments: of ``BatchManager``, beside the items and the places.
        provider: whose server it is.
        method: that is called: ``run``, ``retry_failed`` or ``estimate``.
        kill_at: points at which it kills itself, before it gets any further.
        kill_after: seconds after which it is killed; ``None`` to leave it alone.
        points: file that each point it passes is written to.
    """

    folder: str
    url: str
    key: str
    items: int = 240
    texts: tuple[str, ...] = ()
    state: str = STATE
    is_structured: bool = True
    arguments: dict[str, Any] = field(default_factory=dict)
    provider: str = "anthropic"
    method: str = "run"
    kill_at: tuple[str, ...] = ()
    kill_after: float | None = None
    points: str | None = None

    def point_environment(self) -> None:
        """Tell this process where the server is."""
        key, address = KINDS[self.provider].variables
        os.environ[key], os.environ[address] = self.key, self.url + KINDS[self.provider].path

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> Attempt:
        raw = json.loads(line)
        return cls(**raw | {"kill_at": tuple(raw["kill_at"]), "texts": tuple(raw["texts"])})

    def manager(self) -> BatchManager[Any]:
        """The same in every process; its paths do not depend on the working directory."""
        texts = self.texts or tuple(map(text_of, range(self.items)))
        given = {"model": KINDS[self.provider].model, "max_tokens": 100, "items_per_job": 12} | self.arguments
        more: dict[str, Any] = {name: value for name, value in given.items() if name != "examples"}
        made: BatchManager[Any] = BatchManager(
            messages=[[{"role": "user", "content": text}] for text in texts],
            response_model=cast("type[Product]", Product if self.is_structured else None),
            state_path=self.state if "://" in self.state else Path(self.folder, self.state),
            results_dir=Path(self.folder, RESULTS),
            examples=[(question, said) for question, said in self.arguments.get("examples", ())],
            **more,
        )
        return made


def hurry() -> None:
    """Wait for milliseconds where a real provider is waited for by the second; nothing else is changed."""
    for module, name, seconds in _WAITS:
        assert hasattr(module, name)
        setattr(module, name, seconds)


_WAITS: tuple[tuple[Any, str, object], ...] = (
    (poll, "_FIRST_POLL_SECONDS", 0.02),
    (poll, "_LONGEST_POLL_SECONDS", 0.1),
    (submitting, "_LOOK_AFTER_SECONDS", (0.01, 0.05)),
    (submitting, "_LATE_SECONDS", 0.3),
    (submitting, "_LONGEST_BACKOFF_SECONDS", 0.05),
    (anthropic_sdk, "INITIAL_RETRY_DELAY", 0.01),
    (anthropic_sdk, "MAX_RETRY_DELAY", 0.1),
    (openai_sdk, "INITIAL_RETRY_DELAY", 0.01),
    (openai_sdk, "MAX_RETRY_DELAY", 0.1),
)
