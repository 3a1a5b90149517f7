"""The models this server knows, as the Models API tells of them (reference: providers.md 1.5, 1.8 and 8.1)."""

from __future__ import annotations

from dataclasses import dataclass

from tests.wire.answers import JsonObject

EFFORTS = ("low", "medium", "high", "xhigh", "max")


@dataclass(frozen=True, slots=True)
class Model:
    """One row of the catalogue.

    Attributes:
        thinking: kinds of ``thinking`` the model takes.
        forced_tools: whether ``tool_choice`` may force a tool.
        prefill: whether the last turn may be the assistant's.
    """

    id: str
    display_name: str
    line: str
    created_at: str
    lifecycle: str = "active"
    deprecated_at: str | None = None
    retires_at: str | None = None
    max_input_tokens: int = 1_000_000
    max_tokens: int = 128_000
    thinking: frozenset[str] = frozenset({"adaptive"})
    forced_tools: bool = False
    prefill: bool = False

    @property
    def max_pages(self) -> int:
        return 600 if self.max_input_tokens >= 1_000_000 else 100


_ALL_MODELS = (
    Model("claude-fable-5-2", "Claude Fable 5.2", "fable", "2026-11-09T00:00:00Z"),
    Model("claude-opus-5-5", "Claude Opus 5.5", "opus", "2026-09-22T00:00:00Z"),
    Model(
        "claude-haiku-5-5",
        "Claude Haiku 5.5",
        "haiku",
        "2026-10-07T00:00:00Z",
        max_tokens=64_000,
        thinking=frozenset({"adaptive", "disabled"}),
        forced_tools=True,
    ),
    Model(
        "claude-sonnet-5-5",
        "Claude Sonnet 5.5",
        "sonnet",
        "2026-09-22T00:00:00Z",
        thinking=frozenset({"adaptive", "between_tools"}),
    ),
    Model(
        "claude-sonnet-4-5",
        "Claude Sonnet 4.5",
        "sonnet",
        "2025-09-29T00:00:00Z",
        lifecycle="deprecated",
        deprecated_at="2026-08-20T00:00:00Z",
        retires_at="2026-11-30T00:00:00Z",
        max_input_tokens=200_000,
        max_tokens=64_000,
        thinking=frozenset({"enabled", "disabled"}),
        forced_tools=True,
        prefill=True,
    ),
    Model(
        "claude-3-haiku-20240307",
        "Claude Haiku 3",
        "haiku",
        "2024-03-07T00:00:00Z",
        lifecycle="retired",
        deprecated_at="2025-10-20T00:00:00Z",
        retires_at="2026-04-20T00:00:00Z",
        max_input_tokens=200_000,
        max_tokens=4_096,
    ),
    Model(
        "claude-3-5-sonnet-20241022",
        "Claude Sonnet 3.5",
        "sonnet",
        "2024-10-22T00:00:00Z",
        lifecycle="retired",
        deprecated_at="2025-08-13T00:00:00Z",
        retires_at="2025-10-28T00:00:00Z",
        max_input_tokens=200_000,
        max_tokens=8_192,
    ),
)

MODELS = {model.id: model for model in _ALL_MODELS}


def model_info(model: Model) -> JsonObject:
    """The model as the Models API shows it."""
    return {
        "type": "model",
        "id": model.id,
        "display_name": model.display_name,
        "line": model.line,
        "created_at": model.created_at,
        "lifecycle": model.lifecycle,
        "deprecated_at": model.deprecated_at,
        "retires_at": model.retires_at,
        "max_input_tokens": model.max_input_tokens,
        "max_tokens": model.max_tokens,
        "capabilities": _capabilities(model),
    }


def _capabilities(model: Model) -> JsonObject:
    yes, no = {"supported": True}, {"supported": False}
    kinds = ("adaptive", "between_tools", "disabled", "enabled")
    return {
        "batch": yes,
        "citations": yes,
        "code_execution": no,
        "context_management": no,
        "effort": {"supported": True, **dict.fromkeys(EFFORTS, yes)},
        "image_input": yes,
        "pdf_input": yes,
        "server_tools": {"supported": False, "code_execution": no, "web_search": no},
        "structured_outputs": yes,
        "thinking": {
            "supported": True,
            "types": {kind: yes if kind in model.thinking else no for kind in kinds},
        },
    }
