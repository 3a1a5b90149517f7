"""Plain text: no response model, the result is the model's answer as it wrote it.

The local default model has 135 million parameters: its sentences are fluent, and what they say is often wrong.
"""

from __future__ import annotations

from batchata import batch
from examples._common import chosen_model

QUESTIONS = [
    "What is the capital of France?",
    "Write one sentence about the sea.",
    "Say 'good morning' in French.",
]


def main() -> None:
    """Three conversations, one job."""
    job = batch(
        model=chosen_model(__doc__),
        messages=[
            [{"role": "system", "content": "Answer in one sentence."}, {"role": "user", "content": question}]
            for question in QUESTIONS
        ],
        max_tokens=60,
    )
    for question, entry in zip(QUESTIONS, job.results(), strict=True):
        print(f"{question}\n  {entry['result'] or entry['error']}\n")
    job.stats(print_stats=True)


if __name__ == "__main__":
    main()
