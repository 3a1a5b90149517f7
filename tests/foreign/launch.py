"""AIBrix's metadata service on local storage, its inference sent to the address in MODEL_URL.

Run by the interpreter that has AIBrix, not by the project's. ``--dry-run`` is how AIBrix runs without Kubernetes; what
it would echo goes to a model instead, by AIBrix's own class for a server at a fixed address.
"""

from __future__ import annotations

import os

import aibrix.metadata.app as metadata
from aibrix.batch.client.sources import StaticEndpointSource

metadata.NoopEndpointSource = lambda: StaticEndpointSource(os.environ["MODEL_URL"])
metadata.main()
