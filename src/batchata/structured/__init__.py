"""Response models: what the provider is asked for, and what its answer is read into."""

from __future__ import annotations

from batchata.structured.dialect import for_dialect, is_object
from batchata.structured.reading import InvalidOutput, Reading, read
from batchata.structured.schema import instructions, schema_of

__all__ = ["InvalidOutput", "Reading", "for_dialect", "instructions", "is_object", "read", "schema_of"]
