"""What the demo's documents say, and what a careful reader would take from them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

CENT = Decimal("0.01")

Row = tuple[str, int, str]
"""What, how many, price of one."""


@dataclass(frozen=True)
class Field:
    """A value as a careful reader would return it, as it is printed, and the page where it stands."""

    value: str
    printed: str
    page: int = 1


@dataclass(frozen=True)
class Made:
    """One document and what stands in it."""

    file: str
    language: Literal["en", "de"]
    sender: Field
    reference: Field
    issued: Field
    total_due: Field
    rows: tuple[Row, ...] = ()
    text: str = ""
    pages: int = 1
    text_layer: bool = True

    @property
    def fields(self) -> dict[str, Field]:
        """What is asked of every document."""
        return {
            "sender": self.sender,
            "reference": self.reference,
            "issued": self.issued,
            "total_due": self.total_due,
        }

    def truth(self) -> dict[str, object]:
        """The entry in ``truth.json``."""
        return {
            "file": self.file,
            "language": self.language,
            "pages": self.pages,
            "text_layer": self.text_layer,
            "fields": {name: vars(field) for name, field in self.fields.items()},
        }


def net(rows: Sequence[Row]) -> Decimal:
    """The sum of a table's lines."""
    return sum((quantity * Decimal(price) for _, quantity, price in rows), Decimal(0))


def share(amount: Decimal, percent: str) -> Decimal:
    """A tax on an amount, in whole cents."""
    return (amount * Decimal(percent) / 100).quantize(CENT)


def english(amount: Decimal) -> str:
    """1234.5 as 1,234.50."""
    return f"{amount:,.2f}"


def german(amount: Decimal) -> str:
    """1234.5 as 1.234,50."""
    return english(amount).translate(str.maketrans(",.", ".,"))


def money(value: Decimal, form: str, write: Callable[[Decimal], str] = english, page: int = 1) -> Field:
    """A total as it is printed."""
    return Field(str(value), form.format(write(value)), page)


JOINERY: tuple[Row, ...] = (
    ("Oak window seat, fitted", 2, "412.50"),
    ("Sash window, repaired", 5, "96.00"),
    ("Larch decking, per metre", 18, "34.75"),
    ("Site visit and survey", 1, "85.00"),
)
ELECTRICS: tuple[Row, ...] = (
    ("Unterverteilung, 3-reihig", 1, "284.90"),
    ("LED-Einbauleuchte 9 W, dimmbar", 14, "23.80"),
    ("Mantelleitung NYM-J 3x1,5, je Meter", 85, "1.12"),
    ("Arbeitsstunde Meister", 4, "68.50"),
    ("Anfahrtspauschale", 1, "39.00"),
)
LAB: tuple[Row, ...] = (
    ("Beaker, glass, 250 ml", 48, "4.15"),
    ("Beaker, glass, 600 ml", 24, "6.40"),
    ("Erlenmeyer flask, 500 ml", 24, "7.85"),
    ("Graduated cylinder, 100 ml", 30, "9.20"),
    ("Test tube, 16 x 150 mm, box of 72", 10, "21.75"),
    ("Test tube rack, 40 places", 15, "8.90"),
    ("Pipette, 10 ml, pack of 12", 12, "26.40"),
    ("Pipette filler", 20, "5.60"),
    ("Burette, 50 ml, PTFE stopcock", 16, "31.25"),
    ("Burette clamp", 16, "11.80"),
    ("Ring stand with rod", 16, "17.45"),
    ("Crucible with lid, 30 ml", 30, "3.95"),
    ("Crucible tongs", 15, "6.10"),
    ("Wire gauze, ceramic centre", 30, "2.85"),
    ("Bunsen burner, natural gas", 15, "19.90"),
    ("Safety goggles, splash proof", 60, "5.25"),
    ("Lab coat, cotton, medium", 20, "18.60"),
    ("Lab coat, cotton, large", 20, "18.60"),
    ("Nitrile gloves, box of 100", 36, "8.75"),
    ("Fire blanket, wall case", 4, "27.30"),
    ("Eye wash bottle, 500 ml", 8, "9.95"),
    ("Digital balance, 0.01 g", 4, "164.00"),
    ("Thermometer, -10 to 110 C", 30, "6.35"),
    ("pH meter, pocket", 6, "48.50"),
    ("pH buffer set, 3 x 250 ml", 6, "22.10"),
    ("Litmus paper, 100 strips", 20, "2.40"),
    ("Microscope slides, box of 72", 20, "4.80"),
    ("Cover slips, box of 100", 20, "3.30"),
    ("Dissecting tray with pad", 15, "10.75"),
    ("Dissecting kit, 8 pieces", 30, "12.15"),
    ("Model cell, plant", 2, "74.00"),
    ("Model cell, animal", 2, "74.00"),
    ("Stirring rod, 25 cm, pack of 10", 10, "5.90"),
    ("Wash bottle, 500 ml", 30, "3.15"),
)
PRINTING: tuple[Row, ...] = (
    ("Posters, two colours, A2", 150, "1.20"),
    ("Programmes, 16 pages, stitched", 400, "0.85"),
    ("Proofs and plates", 1, "64.00"),
)

REFUND_LETTER = """
We have read the meter at your property and compared the reading of 2,118 cubic metres with our estimate. You
used less water last year than we had charged for, and your account is now in credit.

We will therefore pay back {total_due} to the bank account from which your Direct Debit is taken. The money should
reach you within ten working days. Your monthly payment falls from June onwards, and we will confirm the new
amount in your next statement.

You do not need to do anything. If you have moved, or if the reading looks wrong to you, please call us on
weekdays between 8 a.m. and 6 p.m. and quote the reference above.

Yours sincerely,
"""
PREMIUM_LETTER = """
Sehr geehrter Herr Aschenwald,

zum 1. Juni beginnt ein neues Versicherungsjahr. Der Baupreisindex ist um 2,8 Prozent gestiegen; wir passen die
Versicherungssumme wie vereinbart an, damit Ihr Haus weiterhin zum vollen Wert geschützt ist.

Ihr Jahresbeitrag einschließlich Versicherungsteuer beträgt {total_due}. Wir buchen ihn am 1. Juni von Ihrem Konto
ab. Ihr Schadenfreirabatt von 15 Prozent ist bereits berücksichtigt.

Haben Sie angebaut oder modernisiert? Dann rufen Sie uns bitte unter (030) 23125 417 an, damit kein Wert
unversichert bleibt.

Mit freundlichen Grüßen
"""

FREIGHT = Decimal("148.00")
ELECTRICS_NET, JOINERY_NET = net(ELECTRICS), net(JOINERY)

DOCUMENTS = (
    Made(
        file="harrow-pike-invoice.pdf",
        language="en",
        reference=Field("HP-2026-0417", "HP-2026-0417"),
        issued=Field("2026-04-01", "1 April 2026"),
        sender=Field("Harrow & Pike Joinery", "Harrow & Pike Joinery"),
        total_due=money(JOINERY_NET + share(JOINERY_NET, "20"), "£{}"),
        rows=JOINERY,
    ),
    Made(
        file="tannwald-rechnung.pdf",
        language="de",
        reference=Field("RE-26/00318", "RE-26/00318"),
        issued=Field("2026-03-05", "05.03.2026"),
        sender=Field("Elektro Tannwald GmbH", "Elektro Tannwald GmbH"),
        total_due=money(ELECTRICS_NET + share(ELECTRICS_NET, "19"), "{} €", german),
        rows=ELECTRICS,
    ),
    Made(
        file="quillbrook-invoice.pdf",
        language="en",
        reference=Field("QB-20931", "QB-20931"),
        issued=Field("2026-03-12", "March 12, 2026"),
        sender=Field("Quillbrook Lab Supply, Inc.", "Quillbrook Lab Supply, Inc."),
        total_due=money(net(LAB) + FREIGHT, "${}", page=2),
        rows=LAB,
        pages=2,
    ),
    Made(
        file="aldermoor-letter.pdf",
        language="en",
        reference=Field("AWC/7741/26", "AWC/7741/26"),
        issued=Field("2026-04-14", "14 April 2026"),
        sender=Field("Aldermoor Water Cooperative", "Aldermoor Water Cooperative"),
        total_due=money(Decimal("318.75"), "£{}"),
    ),
    Made(
        file="erlenhagen-brief.pdf",
        language="de",
        reference=Field("WG-58/2026-031", "WG-58/2026-031"),
        issued=Field("2026-04-21", "21.04.2026"),
        sender=Field("Erlenhagener Feuerkasse VVaG", "Erlenhagener Feuerkasse VVaG"),
        total_due=money(Decimal("1187.40"), "{} €", german),
    ),
    Made(
        file="penhallow-scan.pdf",
        language="en",
        reference=Field("PPW 5512", "PPW 5512"),
        issued=Field("2026-04-27", "27 April 2026"),
        sender=Field("Penhallow Print Works", "Penhallow Print Works"),
        total_due=money(net(PRINTING), "£ {}"),
        rows=PRINTING,
        text_layer=False,
    ),
)

GARDEN_INVOICE = """
The Walled Garden, Otterlow OT5 1ZZ, 01632 960 255
VAT no. GB 000 0000 25

INVOICE

Invoice to: Otterlow Parish Council, Market Square, Otterlow
Invoice number | {reference}
Invoice date | {issued}
Payment due | 16 February 2026

Description | Amount
3 × hedge cut, main square, at £62.00 | 186.00
2 × leaf clearance at £45.00 | 90.00
Subtotal | 276.00
VAT 20 % | 55.20
Total due | {total_due}

Payment by bank transfer, please: Otter Bank, sort code 00-00-00, account 00000255
"""
PAINTER_INVOICE = """
Innen- und Außenanstrich
{sender} · Talweg 3 · 00711 Quendelau

Hotel Zur Linde
Marktplatz 1
00712 Birkenried

Rechnungsnummer | {reference}
Kundennummer | 10033
Lieferdatum | 05.02.2026
Rechnungsdatum | {issued}

Wir berechnen Ihnen für die Ausführung:

Pos. Bezeichnung | Gesamt
1 Fassade streichen, 120 m² zu 12,50 | 1.500,00
2 Gerüst, 1 Stück zu 300,00 | 300,00
Nettobetrag | 1.800,00 €
zzgl. 19 % USt. | 342,00 €
Rechnungsbetrag | {total_due}

Zahlbar innerhalb von 30 Tagen.
"""
CLAIM_LETTER = """
14 Harbour Street, Wetherby Sands WS1 4ZZ

Mr Jonas Pellingrove
2 Orchard Row
Wetherby Sands WS2 1ZZ

Our reference: {reference}
{issued}

Dear Mr Pellingrove,

Your claim for water damage

Thank you for the photographs of 12 February. We have accepted your claim
and will pay {total_due} to your account within five days.

Yours sincerely,
Claims Department
"""

EXAMPLES = (
    Made(
        file="example-invoice.pdf",
        language="en",
        reference=Field("FG-1188", "FG-1188"),
        issued=Field("2026-02-02", "2 February 2026"),
        sender=Field("Fernleigh Garden Services", "Fernleigh Garden Services"),
        total_due=money(Decimal("331.20"), "£{}"),
        text=GARDEN_INVOICE,
    ),
    Made(
        file="example-rechnung.pdf",
        language="de",
        reference=Field("M-2026/77", "M-2026/77"),
        issued=Field("2026-02-11", "11.02.2026"),
        sender=Field("Malerbetrieb Quendelau", "Malerbetrieb Quendelau"),
        total_due=money(Decimal("2142.00"), "{} €", german),
        text=PAINTER_INVOICE,
    ),
    Made(
        file="example-letter.pdf",
        language="en",
        reference=Field("TMI-99812", "TMI-99812"),
        issued=Field("2026-03-03", "3 March 2026"),
        sender=Field("Thistlemere Mutual Insurance", "Thistlemere Mutual Insurance"),
        total_due=money(Decimal("1240.00"), "£{}"),
        text=CLAIM_LETTER,
    ),
)
"""Worked examples, shown to the model before each document; not among the documents it is asked about."""
