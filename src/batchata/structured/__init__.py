"""Response models: what the provider is asked for, and what its answer is read into."""

from __future__ import annotations

from batchata.structured.dialect import for_dialect, is_object
from batchata.structured.form import Form, form
from batchata.structured.quoting import wrapped_answer
from batchata.structured.reading import InvalidOutput, Reading, read, read_text, value_of
from batchata.structured.schema import schema_of

__all__ = [
    "Form",
    "InvalidOutput",
    "Reading",
    "for_dialect",
    "form",
    "is_object",
    "read",
    "read_text",
    "schema_of",
    "value_of",
    "wrapped_answer",
]
