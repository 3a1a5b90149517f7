"""Spam or not: one short conversation a message, an answer of one boolean, and eight worked examples.

Judging is what a small model cannot do. The local default, with 135 million parameters, is right here about as
often as a coin, with or without the examples: this shows how the call is made, not what the model is worth. A large
model (``--model claude-haiku-5-5``) needs no examples for this. For what the small one can do: ``pdf_extraction``.
"""

from __future__ import annotations

from pydantic import BaseModel

from batchata import batch
from examples._common import chosen_model

QUESTION = "Is this message spam (unwanted advertising or a fraud)?"
MESSAGES = [
    ("CONGRATULATIONS! You have won a free cruise. Click here to claim your prize now!", True),
    ("Are we still meeting at the library at four?", False),
    ("Get cheap loans today, no credit check, reply YES to win cash!!!", True),
    ("The plumber comes on Tuesday morning, can you let him in?", False),
    ("Your parcel is waiting. Pay the £1.99 fee at this link within 24 hours.", True),
    ("Thanks for dinner, the soup was wonderful.", False),
]
EXAMPLES = [
    ("WINNER!! Claim your £900 prize by calling this number now.", True),
    ("I'll be ten minutes late, sorry.", False),
    ("Lose 10 kg in a week with this FREE miracle pill! Order today!", True),
    ("Mum asks whether you can bring the big pot.", False),
    ("Your account is locked. Verify your password at the link below.", True),
    ("The minutes of yesterday's meeting are attached.", False),
    ("Earn $5000 a month from home, no experience needed, text START!", True),
    ("Happy birthday! See you on Saturday.", False),
]


class Verdict(BaseModel):
    """The answer."""

    is_spam: bool


def main() -> None:
    """Ask about all messages in one job, and compare."""
    job = batch(
        model=chosen_model(__doc__),
        messages=[[{"role": "user", "content": f"{QUESTION}\n\n{text}"}] for text, _ in MESSAGES],
        response_model=Verdict,
        max_tokens=50,
        examples=[(f"{QUESTION}\n\n{text}", Verdict(is_spam=is_spam)) for text, is_spam in EXAMPLES],
    )
    right = 0
    for (text, is_spam), entry in zip(MESSAGES, job.results(), strict=True):
        verdict = entry["result"]
        if verdict is None:
            print(f"failed  {text}\n        {entry['error']}")
            continue
        right += verdict.is_spam == is_spam
        print(f"{'spam' if verdict.is_spam else 'fine'}  {'' if verdict.is_spam == is_spam else '(wrong) '}{text}")
    print(f"\n{right} of {len(MESSAGES)} right (a coin: {len(MESSAGES) // 2})")


if __name__ == "__main__":
    main()
