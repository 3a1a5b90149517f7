"""Exit codes, and the errors that only a command line has."""

from __future__ import annotations

from enum import IntEnum

from batchata.errors import (
    ArgumentError,
    BatchataError,
    MissingExtraError,
    MissingKeyError,
    MissingWeightsError,
    NotReadyError,
    ProviderError,
    StateLockedError,
)
from batchata.types import RunSummary


class Code(IntEnum):
    """What a script can tell from the exit code; the table is in docs/cli.md."""

    OK = 0
    ERROR = 1
    USAGE = 2
    ITEMS_FAILED = 3
    COST_LIMIT = 4
    NOT_AGREED = 5
    NOT_READY = 6
    INTERRUPTED = 130


class NotAgreedError(BatchataError):
    """Nobody agreed to the cost. Nothing was sent."""


class InterruptedRunError(BatchataError):
    """Ctrl+C. Everything so far is kept."""


def code_of(error: BatchataError) -> Code:
    """The exit code of an error."""
    match error:
        case NotAgreedError():
            return Code.NOT_AGREED
        case InterruptedRunError():
            return Code.INTERRUPTED
        case NotReadyError():
            return Code.NOT_READY
        case MissingKeyError() | MissingExtraError() | MissingWeightsError():
            return Code.ERROR  # the machine lacks something; what was typed is right
        case ArgumentError():
            return Code.USAGE
        case _:
            return Code.ERROR


def is_retryable(error: BatchataError) -> bool:
    """Whether the same command may succeed later."""
    if isinstance(error, ProviderError):
        return error.retryable
    return isinstance(error, (StateLockedError, NotReadyError, InterruptedRunError))


def code_of_summary(summary: RunSummary) -> Code:
    """The exit code of a run that came to its end."""
    if summary["cost_limit_reached"]:
        return Code.COST_LIMIT
    return Code.ITEMS_FAILED if summary["failed_items"] else Code.OK
