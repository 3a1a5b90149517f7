"""What was bought, priced by the server itself: the truth that the library's accounts are held against.

Prices and formula: providers.md 7 and 8.1. Not one line of the library is used here.
"""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal
from pathlib import Path
from typing import IO, Literal

from tests.wire.answers import JsonObject

BATCH_FACTOR = Decimal("0.5")
US_FACTOR = Decimal("1.1")
WRITE_5M = Decimal("1.25")
WRITE_1H = Decimal(2)
MILLION = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Rate:
    """Standard dollars per million tokens; ``read`` is the share of the input price that a cache read costs."""

    input: Decimal
    output: Decimal
    read: Decimal


_HAIKU_LONG_PROMPT = 100_000
_HAIKU_LONG = Rate(Decimal("0.50"), Decimal("2.50"), Decimal("0.1"))
RATES = {
    "claude-haiku-5-5": Rate(Decimal("0.10"), Decimal("0.50"), Decimal("0.1")),
    "claude-sonnet-5-5": Rate(Decimal(2), Decimal(10), Decimal("0.05")),
    "claude-opus-5-5": Rate(Decimal(4), Decimal(20), Decimal("0.05")),
    "claude-fable-5-2": Rate(Decimal(8), Decimal(40), Decimal("0.025")),
    "claude-sonnet-4-5": Rate(Decimal(3), Decimal(15), Decimal("0.1")),
}


def price(model: str, usage: JsonObject) -> Decimal:
    """Dollars of one answer, exact."""
    writes = usage.get("cache_creation") or {
        "ephemeral_5m_input_tokens": usage.get("cache_creation_input_tokens") or 0,
        "ephemeral_1h_input_tokens": 0,
    }
    write_5m, write_1h = writes["ephemeral_5m_input_tokens"], writes["ephemeral_1h_input_tokens"]
    read = usage.get("cache_read_input_tokens") or 0
    prompt = usage["input_tokens"] + write_5m + write_1h + read
    is_long = model == "claude-haiku-5-5" and prompt > _HAIKU_LONG_PROMPT
    rate = _HAIKU_LONG if is_long else RATES[model]
    weighed: Decimal = usage["input_tokens"] + write_5m * WRITE_5M + write_1h * WRITE_1H + read * rate.read
    cost: Decimal = (weighed * rate.input + usage["output_tokens"] * rate.output) / MILLION
    if usage.get("service_tier") == "batch":
        cost *= BATCH_FACTOR
    return cost * US_FACTOR if usage.get("inference_geo") == "us" else cost


@dataclass(frozen=True, slots=True)
class Created:
    """A batch that the server accepted; ``contents`` are the hashes of the requests' params, in order."""

    time: float
    batch_id: str
    custom_ids: tuple[str, ...]
    contents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Billed:
    """A result that costs money; ``batch_id`` and ``custom_id`` are ``None`` outside a batch."""

    time: float
    batch_id: str | None
    custom_id: str | None
    content: str
    model: str
    usage: JsonObject
    cost: Decimal


class Ledger:
    """Grows only. With a path, each entry is a line of that file as soon as it happened.

    ``price`` says what an answer of a model with this usage costs; Anthropic's formula unless another is given.
    """

    def __init__(self, path: Path | None = None, price: Callable[[str, JsonObject], Decimal] = price) -> None:
        self._price = price
        self.created: list[Created] = []
        self.answered: set[str] = set()
        self.billed: list[Billed] = []
        self._lock = threading.Lock()
        self._file: IO[str] | None = None if path is None else path.open("a", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Ledger:
        """The ledger that another process wrote, or is writing."""
        ledger = cls()
        for line in path.read_text(encoding="utf-8").splitlines():
            entry = json.loads(line)
            match entry.pop("event"):
                case "created":
                    ids, contents = tuple(entry.pop("custom_ids")), tuple(entry.pop("contents"))
                    ledger.created.append(Created(**entry, custom_ids=ids, contents=contents))
                case "answered":
                    ledger.answered.add(entry["batch_id"])
                case "billed":
                    ledger.billed.append(Billed(**entry | {"cost": Decimal(entry["cost"])}))
        return ledger

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def record_created(self, batch_id: str, custom_ids: Sequence[str], contents: Sequence[str]) -> None:
        entry = Created(time.time(), batch_id, tuple(custom_ids), tuple(contents))
        with self._lock:
            self.created.append(entry)
            self._write("created", asdict(entry))

    def record_answered(self, batch_id: str) -> None:
        """The answer to the create of this batch goes out (whether it arrives, only the client knows)."""
        with self._lock:
            self.answered.add(batch_id)
            self._write("answered", {"batch_id": batch_id})

    def record_billed(
        self, *, batch_id: str | None, custom_id: str | None, content: str, model: str, usage: JsonObject
    ) -> None:
        entry = Billed(time.time(), batch_id, custom_id, content, model, usage, self._price(model, usage))
        with self._lock:
            self.billed.append(entry)
            self._write("billed", asdict(entry) | {"cost": str(entry.cost)})

    def _write(self, event: str, entry: JsonObject) -> None:
        if self._file is not None:
            self._file.write(json.dumps({"event": event, **entry}) + "\n")
            self._file.flush()

    @property
    def total(self) -> Decimal:
        """All that is billed so far."""
        return sum((entry.cost for entry in self.billed), Decimal(0))

    def bought_more_than_once(self, by: Literal["content", "custom_id"] = "content") -> dict[str, int]:
        """What was billed twice or more: the same params, or the same custom_id, and how often."""
        keys = (entry.content if by == "content" else entry.custom_id for entry in self.billed)
        return _repeated(key for key in keys if key is not None)

    def accepted_more_than_once(self, by: Literal["content", "custom_id"] = "content") -> dict[str, int]:
        """What was accepted in a batch twice or more, billed or not (a failed item may rightly be sent again)."""
        lists = (entry.contents if by == "content" else entry.custom_ids for entry in self.created)
        return _repeated(key for keys in lists for key in keys)


def _repeated(keys: Iterable[str]) -> dict[str, int]:
    return {key: times for key, times in Counter(keys).items() if times > 1}
