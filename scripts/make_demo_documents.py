"""Make the demo's documents and ``truth.json``: ``python scripts/make_demo_documents.py [FOLDER]``.

Every company, person, number and address is invented: phone numbers are from the ranges kept for fiction, bank
details carry check digits that no bank gives out. The same versions of the libraries give the same bytes: fixed
dates, fixed names, a seeded scanner, no compression of the text pages (zlib builds differ).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from demo_contents import (
    DOCUMENTS,
    EXAMPLES,
    FREIGHT,
    PREMIUM_LETTER,
    REFUND_LETTER,
    Made,
    english,
    german,
    net,
    share,
)
from demo_sheet import BLACK, GREY, WHITE, Colour, Sheet, letter, scan

FOLDER = Path(__file__).parents[1] / "src" / "batchata" / "demo" / "documents"


def harrow_invoice(made: Made) -> bytes:
    """Two columns: a coloured band with the logo and the sender, the invoice beside it."""
    sheet = Sheet(f"Invoice {made.reference.printed}", made.sender.printed)
    band: Colour = (34, 68, 61)
    pale: Colour = (200, 215, 210)
    sheet.box(0, 0, 62, 297, band)
    for step, shade in enumerate([(214, 158, 70), (232, 196, 132), (245, 229, 200)]):
        sheet.set_fill_color(*shade)
        sheet.polygon([(14 + 9 * step, 34), (23 + 9 * step, 16), (32 + 9 * step, 34)], style="F")
    sheet.put(14, 48, made.sender.printed, 11, "B", colour=WHITE)
    sheet.put(14, 53.5, "Unit 7, Saltmarsh Yard", 9, colour=WHITE)
    sheet.put(14, 58.5, "Brackenhythe BK4 7QX", 9, colour=WHITE)
    sheet.put(14, 68, "01632 960 418", 8, colour=pale)
    sheet.put(14, 72.6, "accounts@harrowpike.example", 8, colour=pale)
    sheet.put(74, 28, "INVOICE", 24, "B", colour=band)
    sheet.pairs(74, 132, 42, [("Invoice number", made.reference.printed), ("Invoice date", made.issued.printed)])
    sheet.pairs(74, 132, 52.4, [("Payment due", "1 May 2026"), ("Your order", "PO 88120")])
    sheet.put(146, 42, "Billed to", 9, colour=GREY)
    sheet.lines(
        146, 47.2, ["Larkspur House Hotel", "Estate Office", "3 Quay Parade", "Nether Wick NK2 4TT"], 9, 5.2
    )
    sheet.rule(74, 78, 198, 0.6, band)
    columns = (74.0, -148.0, -172.0, -198.0)
    heads = ("Description", "Qty", "Unit price", "Amount")
    sheet.row(83.5, list(zip(columns, heads, strict=True)), bold=True)
    sheet.rule(74, 86, 198, 0.2, band)
    y = 93.0
    for text, quantity, price in made.rows:
        amount = english(quantity * Decimal(price))
        sheet.row(y, list(zip(columns, (text, str(quantity), english(Decimal(price)), amount), strict=True)))
        y += 8
    subtotal = net(made.rows)
    sheet.rule(130, y, 198)
    sheet.pairs(130, 198, y + 7, [("Subtotal", english(subtotal)), ("VAT 20 %", english(share(subtotal, "20")))])
    sheet.box(128, y + 15.5, 72, 9, (240, 236, 226))
    sheet.row(y + 21.6, [(130, "Total due"), (-198, made.total_due.printed)], 11, bold=True)
    sheet.lines(
        74,
        y + 40,
        [
            "Please pay within 30 days, quoting the invoice number.",
            "Fennmoor Bank, sort code 00-00-00, account 00000417",
        ],
        8.5,
    )
    sheet.put(
        74, 282, "Oak, ash and elm from managed woodland. Workshop visits by appointment.", 8, "I", colour=GREY
    )
    sheet.put(14, 278, "Company no. 00000417", 8, colour=pale)
    sheet.put(14, 282, "VAT no. GB 000 0000 17", 8, colour=pale)
    return sheet.finish()


def tannwald_invoice(made: Made) -> bytes:
    """A German business letter's form (window address, information block, fold marks, three-column footer)."""
    sheet = Sheet(f"Rechnung {made.reference.printed}", made.sender.printed)
    red: Colour = (168, 36, 40)
    sheet.set_fill_color(*red)
    sheet.circle(178, 20, 9, style="F")
    sheet.set_fill_color(*WHITE)
    sheet.polygon([(180, 13), (173.5, 21.5), (177.5, 21.5), (175.5, 27), (182.5, 18.5), (178.5, 18.5)], style="F")
    sheet.put(25, 22, made.sender.printed, 15, "B", colour=red)
    sheet.put(25, 27.5, "Meisterbetrieb für Gebäudetechnik", 9, colour=GREY)
    sheet.put(25, 50, f"{made.sender.printed} · Am Mühlgraben 12 · 00417 Tannwald", 7, colour=GREY)
    sheet.rule(25, 51.2, 100, 0.1)
    sheet.lines(25, 57, ["Gästehaus Sonnenhang", "Frau Ottilie Brandmeyr", "Lindenallee 4", "00532 Oberfurt"], 10)
    sheet.pairs(
        125, 190, 57, [("Rechnungsnummer", made.reference.printed), ("Rechnungsdatum", made.issued.printed)]
    )
    sheet.pairs(125, 190, 67.4, [("Kundennummer", "20418"), ("Lieferdatum", "27.02.2026")])
    for mark in (105, 148.5, 210):
        sheet.rule(4, mark, 9, 0.1)
    sheet.put(25, 98, f"Rechnung Nr. {made.reference.printed}", 13, "B")
    sheet.put(25, 106, "Sehr geehrte Frau Brandmeyr, für unsere Leistungen berechnen wir Ihnen:", 9.5)
    columns = (25.0, 36.0, -128.0, -158.0, -190.0)
    sheet.box(25, 111, 165, 7, (238, 238, 240))
    heads = ("Pos.", "Bezeichnung", "Menge", "Einzelpreis", "Gesamt")
    sheet.row(115.8, list(zip(columns, heads, strict=True)), bold=True)
    y = 123.5
    for position, (text, quantity, price) in enumerate(made.rows, start=1):
        amount = german(quantity * Decimal(price))
        cells = (str(position), text, str(quantity), german(Decimal(price)), amount)
        sheet.row(y, list(zip(columns, cells, strict=True)))
        sheet.rule(25, y + 2.2, 190, 0.1, (205, 205, 210))
        y += 7
    subtotal = net(made.rows)
    sums = [("Nettobetrag", german(subtotal)), ("zzgl. 19 % USt.", german(share(subtotal, "19")))]
    y = sheet.pairs(125, 190, y + 3, [(label, f"{amount} €") for label, amount in sums])
    sheet.row(y + 1.5, [(125, "Rechnungsbetrag"), (-190, made.total_due.printed)], 10.5, bold=True)
    sheet.rule(125, y + 3, 190, 0.5, BLACK)
    note = [
        "Zahlbar innerhalb von 14 Tagen ohne Abzug. Vielen Dank für Ihren Auftrag!",
        "Elektro Tannwald ist Innungsbetrieb.",
    ]
    sheet.lines(25, y + 18, note)
    sheet.rule(25, 272, 190, 0.3, red)
    sheet.lines(25, 277, [made.sender.printed, "Am Mühlgraben 12, 00417 Tannwald"], 7.5, 3.8)
    sheet.lines(88, 277, ["Sparbank Tannwald", "IBAN DE00 0000 0000 0000 0417 00"], 7.5, 3.8)
    sheet.lines(147, 277, ["Amtsgericht Tannwald HRB 00417", "Steuernummer 000/000/00417"], 7.5, 3.8)
    return sheet.finish()


def quillbrook_invoice(made: Made) -> bytes:
    """Many lines over two pages, American; the total stands on the second page only."""
    sheet = Sheet(f"Invoice {made.reference.printed}", made.sender.printed, "Courier")
    columns = (18.0, 28.0, -140.0, -164.0, -192.0)
    heads = ("#", "Item", "Qty", "Each", "Amount")
    per_page = 26
    blue: Colour = (31, 63, 125)

    def head(page: int) -> float:
        sheet.put(18, 20, made.sender.printed, 15, "B", colour=blue)
        sheet.put(192, 20, f"Page {page} of {made.pages}", 9, colour=GREY, right=True)
        sheet.rule(18, 23.5, 192, 0.8, blue)
        if page > 1:
            sheet.put(18, 30, f"Invoice {made.reference.printed}, continued", 9)
            return 38
        sheet.lines(18, 30, ["2210 Cinder Mill Road", "Port Ansel, OR 00417", "(503) 555-0142"], 9, 4.4)
        sheet.pairs(116, 192, 30, [("Invoice No.", made.reference.printed), ("Date", made.issued.printed)])
        sheet.pairs(116, 192, 40.4, [("Terms", "Net 45"), ("Ship via", "Freight")])
        sheet.put(18, 50, "SOLD TO", 9, "B")
        sheet.lines(18, 55, ["Cedar Bluff Unified School District", "Purchasing, 80 Schoolhouse Lane"], 9, 4.4)
        sheet.lines(18, 63.8, ["Cedar Bluff, OR 00562"], 9)
        return 78

    for start in range(0, len(made.rows), per_page):
        if start:
            sheet.put(192, 288, "carried to next page", 9, "I", colour=GREY, right=True)
            sheet.add_page()
        y = head(start // per_page + 1)
        sheet.row(y, list(zip(columns, heads, strict=True)), bold=True)
        sheet.rule(18, y + 2, 192, 0.3, blue)
        for position, (text, quantity, price) in enumerate(made.rows[start : start + per_page], start=start + 1):
            y += 7.4
            amount = english(quantity * Decimal(price))
            cells = (str(position), text, str(quantity), english(Decimal(price)), amount)
            sheet.row(y, list(zip(columns, cells, strict=True)), 8.5)
    subtotal = net(made.rows)
    sheet.rule(116, y + 4, 192)
    y = sheet.pairs(
        116, 192, y + 10, [("Merchandise", f"${english(subtotal)}"), ("Freight", f"${english(FREIGHT)}")]
    )
    sheet.row(y + 2, [(116, "TOTAL"), (-192, made.total_due.printed)], 12, bold=True)
    sheet.rule(116, y + 4.5, 192, 0.8, blue)
    sheet.lines(18, y + 22, ["Remit to the address on page 1. Sales tax exempt: public school."], 9)
    return sheet.finish()


def aldermoor_letter(made: Made) -> bytes:
    """An English letter: the amount stands in a sentence."""
    sheet = Sheet("Your refund", made.sender.printed, "Times")
    teal: Colour = (20, 110, 130)
    sheet.set_draw_color(*teal)
    sheet.set_line_width(0.9)
    for offset in (0, 3.2, 6.4):
        sheet.bezier([(25, 18 + offset), (30, 14 + offset), (35, 22 + offset), (40, 18 + offset)])
    sheet.put(45, 22, made.sender.printed, 17, "B", colour=teal)
    sheet.put(45, 27.5, "Reservoir House, Mill Lane, Aldermoor AM1 2ZZ · 01632 960 733", 9, "I", colour=GREY)
    sheet.rule(25, 33, 185, 0.3, teal)
    sheet.lines(25, 46, ["Ms Philippa Tarrowby", "19 Heron Close", "Aldermoor AM3 9ZZ"], 11, 5.4)
    sheet.lines(25, 70, [f"Our reference: {made.reference.printed}", made.issued.printed], 11, 5.6)
    sheet.put(25, 88, "Dear Ms Tarrowby,", 11)
    sheet.put(25, 97, "Refund of your credit balance", 11.5, "B")
    y = letter(sheet, 101, REFUND_LETTER.format(total_due=made.total_due.printed))
    sheet.set_draw_color(30, 40, 110)
    sheet.set_line_width(0.4)
    sheet.bezier([(26, y + 9), (32, y - 2), (34, y + 14), (41, y + 4)])
    sheet.bezier([(41, y + 4), (46, y + 1), (48, y + 10), (58, y + 5)])
    sheet.lines(25, y + 18, ["D. Wexcombe", "Customer Accounts"], 11, 5.4)
    sheet.put(25, 283, "A members' cooperative. Registered society no. 00417R.", 8, "I", colour=GREY)
    return sheet.finish()


def erlenhagen_letter(made: Made) -> bytes:
    """A German letter: reference and date in a line of their own, the amount in a sentence."""
    sheet = Sheet("Beitragsrechnung 2026", made.sender.printed, "Times")
    green: Colour = (58, 96, 52)
    sheet.set_fill_color(*green)
    sheet.ellipse(25, 13, 8, 14, style="F")
    sheet.box(28.5, 26, 1, 6, green)
    sheet.put(38, 21, made.sender.printed, 16, "B", colour=green)
    sheet.put(38, 27, "Gegenseitigkeit seit 1897", 9.5, "I", colour=GREY)
    sheet.lines(25, 52, ["Herrn", "Korbinian Aschenwald", "Ziegelhüttenweg 31", "00893 Erlenhagen"], 11, 5.2)
    labels = [
        (25, "Unser Zeichen", made.reference.printed),
        (92, "Ihr Zeichen", "–"),
        (150, "Datum", made.issued.printed),
    ]
    for x, label, value in labels:
        sheet.put(x, 84, label, 8, colour=GREY)
        sheet.put(x, 89, value, 10.5)
    sheet.put(25, 102, "Ihre Wohngebäudeversicherung: Beitrag für das Jahr 2026", 11.5, "B")
    y = letter(sheet, 106, PREMIUM_LETTER.format(total_due=made.total_due.printed))
    sheet.set_draw_color(25, 35, 90)
    sheet.set_line_width(0.4)
    sheet.bezier([(26, y + 8), (30, y - 4), (36, y + 16), (44, y + 2)])
    sheet.lines(25, y + 18, ["i. A. M. Oderwald", "Vertragsservice"], 11, 5.2)
    sheet.rule(25, 276, 185, 0.3, green)
    sheet.put(25, 281, f"{made.sender.printed} · Kirchgasse 2 · 00893 Erlenhagen", 8, colour=GREY)
    return sheet.finish()


def plain_page(made: Made) -> bytes:
    """The worked examples: the sender's name, a rule, and lines of text; what stands behind a bar is set right."""
    sheet = Sheet(made.reference.printed, made.sender.printed)
    sheet.put(20, 24, made.sender.printed, 15, "B")
    sheet.rule(20, 28, 190, 0.4, BLACK)
    text = made.text.strip().format(**{name: field.printed for name, field in made.fields.items()})
    for number, line in enumerate(text.splitlines()):
        left, _, right = line.partition(" | ")
        y = 37 + 5.4 * number
        sheet.put(20, y, left)
        sheet.put(120, y, right, right=True)
    return sheet.finish()


def penhallow_scan(made: Made) -> bytes:
    """A page from the office scanner: a picture, slightly askew, with no text layer."""
    sheet = Sheet(f"Invoice {made.reference.printed}", made.sender.printed, "Times")
    sheet.rect(18, 14, 174, 24)
    sheet.put(24, 25, made.sender.printed, 20, "B")
    sheet.put(24, 33, "Letterpress, binding and posters · 4 Ropewalk, Penhallow PW2 8ZZ", 10, "I")
    sheet.pairs(120, 188, 52, [("Invoice", made.reference.printed), ("Date", made.issued.printed)])
    sheet.lines(24, 52, ["Seagrass Theatre Company", "Old Lifeboat Station", "Penhallow PW1 1ZZ"], 11, 5.4)
    y = 84.0
    for text, quantity, price in made.rows:
        amount = english(quantity * Decimal(price))
        sheet.row(y, [(24, str(quantity)), (36, text), (-188, f"£ {amount}")], 11)
        y += 8
    sheet.rule(120, y, 188, 0.4, BLACK)
    sheet.row(y + 7, [(120, "To pay"), (-188, made.total_due.printed)], 13, bold=True)
    sheet.put(24, y + 30, "With thanks. Terms: 30 days.", 11, "I")
    picture = scan(sheet.finish())
    paper = Sheet("Scan 2026-04-29 09:14", "Office scanner")
    paper.image(picture, 0, 0, 210, 297)
    return paper.finish()


DRAW: dict[str, Callable[[Made], bytes]] = {
    "harrow-pike-invoice.pdf": harrow_invoice,
    "tannwald-rechnung.pdf": tannwald_invoice,
    "quillbrook-invoice.pdf": quillbrook_invoice,
    "aldermoor-letter.pdf": aldermoor_letter,
    "erlenhagen-brief.pdf": erlenhagen_letter,
    "penhallow-scan.pdf": penhallow_scan,
}


def main(folder: Path) -> None:
    """Write all documents and the truth about them."""
    folder.mkdir(parents=True, exist_ok=True)
    for made in (*DOCUMENTS, *EXAMPLES):
        (folder / made.file).write_bytes(DRAW.get(made.file, plain_page)(made))
    truth = {"documents": [made.truth() for made in DOCUMENTS], "examples": [made.truth() for made in EXAMPLES]}
    text = json.dumps(truth, indent=2, ensure_ascii=False)
    (folder / "truth.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
