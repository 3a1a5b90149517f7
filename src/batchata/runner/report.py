"""Results and documents, brought together for the report."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from batchata.errors import ArgumentError, ConversationError, DocumentError, LimitError, MissingExtraError
from batchata.results import fingerprints, iter_entries, job_numbers, read_job
from batchata.types import BatchResult, Citation, Document

if TYPE_CHECKING:
    from pydantic import BaseModel

    from batchata.report import Run, Shown
    from batchata.runner.task import FileSource

_UNCHECKED = "Documents are shown as they are now: it cannot be told whether they are still what was sent."
Files: TypeAlias = "Sequence[FileSource] | Mapping[str, FileSource]"


def write_report(
    results: str | os.PathLike[str] | Iterable[BatchResult[Any]],
    path: str | os.PathLike[str] | None = None,
    *,
    response_model: type[BaseModel] | None = None,
    files: Files | None = None,
) -> Path:
    """Write every result beside its source page as an HTML file that needs neither server nor network.

    Each document is read again, from where it was read: one that is gone, or changed since it was sent, is said so,
    and its citations are shown as text.

    Args:
        results: the results directory of a run, or entries as ``results()`` gives them.
        path: the file to write; ``report.html`` in the results directory if not given. With more than 200 items it
            is the index, and the items stand in files of the folder ``<name>-items`` beside it.
        response_model: the model of the run, to see what no longer fits it.
        files: where the documents are now: in the order of the inputs, or by file name; bytes will do.

    Returns:
        The file to open.

    Raises:
        MissingExtraError: Jinja2 or Pillow is not installed.
        ResultsError: the results directory cannot be read, or the report cannot be written.
    """
    try:
        from batchata.report.writer import write  # noqa: PLC0415  # needs the extra
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f"The package {error.name!r} is not installed: pip install 'batchata[report]'."
        ) from error
    from batchata.documents.pdf import PDFIUM_LOCK  # noqa: PLC0415  # most of what importing us would cost

    target = _target(results, path)
    if isinstance(results, str | os.PathLike):
        folder = Path(results)
        finder = _Finder(files, **_sent(folder))
        write(_run_of(folder), map(finder.shown, iter_entries(folder, response_model)), target, drawing=PDFIUM_LOCK)
    else:
        write(_run_of_entries(), map(_Finder(files).shown, results), target, drawing=PDFIUM_LOCK)
    return target


def _target(results: object, path: str | os.PathLike[str] | None) -> Path:
    if path is not None:
        return Path(path)
    if isinstance(results, str | os.PathLike):
        return Path(results) / "report.html"
    raise ArgumentError("Entries without a results directory bring no place for the report: give its path=.")


def _sent(folder: Path) -> dict[str, Any]:
    """What is needed to tell whether a file is still what was sent. Of conversations no single file tells it."""
    from batchata.results.load import read_run  # noqa: PLC0415  # most of what importing us would cost

    about = read_run(folder)
    if about.get("inputs") == "messages":
        return {}
    digests: dict[int, str] = {}
    for number in job_numbers(folder):
        digests.update(fingerprints(folder, number))
    return {"prompt": about.get("prompt"), "digests": digests}


def _run_of(folder: Path) -> Run:
    from batchata.report import Run  # noqa: PLC0415  # most of what importing us would cost
    from batchata.results.load import read_run  # noqa: PLC0415  # as above

    about = read_run(folder)
    labels = {
        "model": "Model",
        "created_at": "Begun",
        "prompt": "Prompt",
        "response_model": "Response model",
        "citation_mode": "Citations",
        "max_tokens": "Most output tokens",
        "run_id": "Run",
        "batchata": "batchata",
    }
    facts = [(label, str(about[key])) for key, label in labels.items() if about.get(key) is not None]
    name = folder.resolve().name
    billed, is_least = _billed(folder)
    return Run(
        title=f"{name} · {about.get('model', 'batchata')}",
        facts=tuple(facts),
        billed=billed,
        billed_is_least=is_least,
        remarks=(_UNCHECKED,) if about.get("inputs") == "messages" else (),
    )


def _billed(folder: Path) -> tuple[Decimal, bool]:
    """What all tries cost, an item that was retried being paid more than once, and whether some of it is not known."""
    known, is_least = Decimal(0), False
    for number in job_numbers(folder):
        for entry in read_job(folder, number, None):
            is_least = is_least or entry["cost_usd"] is None
            known += entry["cost_usd"] or 0
    return known, is_least


def _run_of_entries() -> Run:
    from batchata.report import Run  # noqa: PLC0415  # most of what importing us would cost

    return Run("Batchata report", remarks=(_UNCHECKED,))


@dataclass(frozen=True, slots=True)
class _Finder:
    """Finds the documents of entries.

    Attributes:
        files: where they are now, if not where they were.
        prompt: what was sent with each of them.
        digests: by item, what was sent; ``None`` where it cannot be told.
    """

    files: Files | None = None
    prompt: str | None = None
    digests: Mapping[int, str] | None = None

    def shown(self, entry: BatchResult[Any]) -> Shown:
        """The entry with its documents, or with why they are not there."""
        from batchata.citations.leaves import leaves  # noqa: PLC0415  # most of what importing us would cost
        from batchata.report import Shown  # noqa: PLC0415  # as above

        result = entry["result"]
        values = () if result is None else tuple((leaf.path, leaf.value) for leaf in leaves(result, None))
        documents: list[Document] = []
        remarks: list[str] = []
        for name, source in self._sources(entry):
            try:
                documents.append(self._read(entry["input"]["index"], name, source))
            except (DocumentError, LimitError, ConversationError) as error:
                remarks.append(f"The source cannot be shown. {error!s}")
        return Shown(entry, values, tuple(documents), tuple(remarks))

    def _sources(self, entry: BatchResult[Any]) -> Iterator[tuple[str | None, FileSource]]:
        """Name and place of each document: of a file the file, of a conversation what ``files`` names."""
        about = entry["input"]
        index, name, files = about["index"], about["name"], self.files
        if isinstance(files, Mapping):
            names = [name] if name is not None else _cited_names(entry)
            yield from ((each, files[each]) for each in names if each in files)
            if name is None or name in files:
                return
        elif files is not None and index < len(files):
            yield name, files[index]
            return
        if about["source"] is not None:
            yield name, about["source"]

    def _read(self, index: int, name: str | None, source: FileSource) -> Document:
        from batchata import documents  # noqa: PLC0415  # most of what importing us would cost
        from batchata.runner.prepare import conversation  # noqa: PLC0415  # as above
        from batchata.runner.task import Item  # noqa: PLC0415  # as above

        def load(given: FileSource) -> Document:
            return documents.load(given, name=name if isinstance(given, bytes) else None)

        digest = None if self.digests is None else self.digests.get(index)
        if digest is None:
            return load(source)
        said = conversation(Item(index, file=source), self.prompt, lambda given, **_: load(given))
        if said.digest != digest:
            raise DocumentError(
                f"{name or documents.file_name(source)!r} changed since it was sent: its citations are given as text."
            )
        return said.documents[0]


def _cited_names(entry: BatchResult[Any]) -> list[str]:
    cited = entry["citations"] or {}
    lists: Iterable[Sequence[Citation]] = cited.values() if isinstance(cited, dict) else [cited]
    names = (each.document for places in [*lists, entry["unmapped_citations"]] for each in places)
    return list(dict.fromkeys(name for name in names if name is not None))
