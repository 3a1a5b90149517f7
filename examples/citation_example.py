"""Citations of free text: an answer in prose, and a flat list of the places it rests on.

On a provider that cites by itself (``--model claude-haiku-5-5``) each entry of the list names the passage, its page
and whether it was found there. The local engine writes the answer but cannot say where its sentences come from:
its list is empty, and this example says so. It does cite the fields of a response model, which the example
``citation_with_pydantic`` shows.
"""

from __future__ import annotations

from batchata import batch
from examples._common import DOCUMENTS, chosen_model


def main() -> None:
    """Ask about a letter, print the answer and its sources."""
    model = chosen_model(__doc__)
    job = batch(
        model=model,
        files=[DOCUMENTS / "aldermoor-letter.pdf"],
        prompt="What is the refund amount?",
        enable_citations=True,
        max_tokens=120,
    )
    for entry in job.results():
        print(f"{entry['input']['name']}\n\n{entry['result'] or entry['error']}\n")
        citations = entry["citations"]
        if not isinstance(citations, list):  # a failed entry has none; with a response model it would be a dict
            continue
        print(f"{len(citations)} citations")
        for citation in citations:
            mark = "verified" if citation.verified else "not verified"
            print(f"  page {citation.start_page}, {mark}: {citation.cited_text!r}")
        if not citations:
            print(f"  {model} does not cite free text; with a response model it traces every field.")


if __name__ == "__main__":
    main()
