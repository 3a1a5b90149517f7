"""A path, bytes or an address → a checked ``Document``, and its text for looking citations up.

PDFs are read with PDFium, which is not thread-safe: threads that call these functions take turns at it.
"""

from __future__ import annotations

from batchata.documents.check import check
from batchata.documents.load import load, source, unopened
from batchata.documents.pdf import text_layer
from batchata.documents.read import file_name

__all__ = ["check", "file_name", "load", "source", "text_layer", "unopened"]
