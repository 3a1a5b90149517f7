"""The HTML report: every result beside its source page, in one file that needs neither server nor network.

``writer``, which needs the extra ``report``, is imported where it is first used.
"""

from __future__ import annotations

from batchata.report.shown import Run, Shown

__all__ = ["Run", "Shown"]
