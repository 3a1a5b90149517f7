"""What the demo asks of every document. Change the fields to your own, with names like those in your documents."""

from datetime import date
from decimal import Decimal

from pydantic import BaseModel


class BusinessDocument(BaseModel):
    """A letter or an invoice."""

    sender: str
    reference: str
    issued: date
    total_due: Decimal
