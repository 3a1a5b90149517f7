"""One prompt over many inputs at the providers' batch price, every field traced, every cent counted."""

from typing import TYPE_CHECKING

from batchata.api import BatchJob, batch
from batchata.errors import (
    ArgumentError,
    BatchataError,
    ConversationError,
    DocumentError,
    DocumentNotFoundError,
    JobFailedError,
    LimitError,
    MissingExtraError,
    MissingKeyError,
    MissingWeightsError,
    NotReadyError,
    ProviderError,
    ResultsError,
    SchemaError,
    StateError,
    StateLockedError,
    SubmissionInDoubtError,
    UnknownModelError,
    UnsupportedArgumentError,
)
from batchata.manager import BatchManager
from batchata.types import (
    BatchResult,
    Box,
    Citation,
    Estimate,
    JobStats,
    Match,
    Origin,
    Price,
    Reason,
    RunStats,
    RunSummary,
)

if TYPE_CHECKING:
    from batchata.results import load_results_from_disk
    from batchata.runner.report import write_report

__all__ = [
    "ArgumentError",
    "BatchJob",
    "BatchManager",
    "BatchResult",
    "BatchataError",
    "Box",
    "Citation",
    "ConversationError",
    "DocumentError",
    "DocumentNotFoundError",
    "Estimate",
    "JobFailedError",
    "JobStats",
    "LimitError",
    "Match",
    "MissingExtraError",
    "MissingKeyError",
    "MissingWeightsError",
    "NotReadyError",
    "Origin",
    "Price",
    "ProviderError",
    "Reason",
    "ResultsError",
    "RunStats",
    "RunSummary",
    "SchemaError",
    "StateError",
    "StateLockedError",
    "SubmissionInDoubtError",
    "UnknownModelError",
    "UnsupportedArgumentError",
    "batch",
    "load_results_from_disk",
    "write_report",
]


def __getattr__(name: str) -> object:
    """What reads results is imported when it is first wanted: it is a third of what importing us would cost."""
    if name == "load_results_from_disk":
        from batchata.results import load_results_from_disk  # noqa: PLC0415

        return load_results_from_disk
    if name == "write_report":
        from batchata.runner.report import write_report  # noqa: PLC0415

        return write_report
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
