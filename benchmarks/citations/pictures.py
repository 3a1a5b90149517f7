"""Pages drawn with the boxes of what was found on them, to be looked at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from batchata.documents.pdf import PDFIUM_LOCK
from batchata.types import Source
from benchmarks.citations.data import DATA, Value, align, pdf

if TYPE_CHECKING:
    from PIL.Image import Image

_SCALE = 2.0
_RED = (200, 0, 0)


@dataclass(frozen=True, slots=True)
class Page:
    """A page and values that stand on it."""

    name: str
    path: Path
    page: int
    values: dict[str, Value]


_INVOICES = DATA / "invoices"
_GROUNDING = DATA / "grounding"
_PDFS = DATA / "pdfs"
PAGES = (
    Page(
        "1_german_invoice",
        _INVOICES / "zugferd" / "EN16931_1_Teilrechnung.pdf",
        1,
        {
            "invoice_number": "471102",
            "issue_date": date(2018, 6, 5),
            "seller_name": "Lieferant GmbH",
            "buyer_name": "Kunden AG Mitte",
            "vat_id": "DE123456789",
            "order": "2018-471331",
        },
    ),
    Page(
        "2_dutch_invoice",
        _INVOICES / "invoice2data" / "coolblue1.pdf",
        1,
        {
            "factuurnummer": "993548900",
            "factuurdatum": date(2014, 4, 19),
            "iban": "NL50INGB0683251309",
            "totaal": Decimal("717.97"),
            "btw": Decimal("124.61"),
            "afschrijvingskosten": Decimal("-9.32"),
            "item": "Decoded Leather Slim Cover Apple iPad Air 2 Zwart",
        },
    ),
    Page(
        "3_french_invoice",
        _INVOICES / "zugferd" / "Facture_FR_BASICWL.pdf",
        1,
        {
            "facture": "FA-2017-0010",
            "date_de_facture": date(2017, 11, 13),
            "date_d_echeance": date(2017, 12, 13),
            "contact_commercial": "Tony Dubois",
            "capital": Decimal(120000),
            "item": "Biscuits aux raisins 300g",
            "prix_ht": Decimal("81.90"),
        },
    ),
    Page(
        "4_annual_report_table",
        _GROUNDING / "financebench" / "NETFLIX_2015_10K.pdf",
        40,
        {
            "revenues": Decimal(6779511),
            "cost_of_revenues_2013": Decimal(3117203),
            "interest_expense_2014": Decimal(-50219),
            "net_income": Decimal(122641),
            "weighted_average_diluted_2015": Decimal(436456),
            "title": "Consolidated statements of operations",
        },
    ),
    Page(
        "5_agreement",
        _GROUNDING / "nda" / "0f32a3a54d9c1e42d26f66746821c3bf.pdf",
        1,
        {
            "party": "JDA Software Group, Inc.",
            "other_party": "RedPrairie Holding, Inc.",
            "jurisdiction": "Delaware",
            "exhibit": "Exhibit (d)(3)",
            "two_lines": "is prepared to make available to the Party referred to as the “Recipient” certain "
            "“Evaluation Material” (as defined in Section 2 below)",
        },
    ),
    Page(
        "6_rotated_90",
        _PDFS / "nics-background-checks-2015-11-rotated.pdf",
        1,
        {
            "state": "District of Columbia",
            "alabama_permit": Decimal(18870),
            "florida_total": Decimal(103532),
            "illinois_permit": Decimal(87190),
            "colorado_totals": Decimal(42271),
        },
    ),
    Page("7_rotated_180_arabic", _PDFS / "habibi-rotated.pdf", 3, {"latin": "habibi", "arabic": "يبيبَح"}),
    Page("8_rotated_270_arabic", _PDFS / "habibi-rotated.pdf", 4, {"latin": "habibi", "arabic": "يبيبَح"}),
    Page(
        "9_right_to_left",
        _PDFS / "right_to_left_01.pdf",
        1,
        {
            "words": "الأدوات القوية",
            "as_drawn": "عقلية تحليلية",
            "two_lines": "يسهل على المحللين والعلماء إجراء",
            "end": "تحسين نتائج العمل",
        },
    ),
    Page(
        "10_hyphenated",
        _PDFS / "multi-column.pdf",
        1,
        {
            "efficient": "efficient passage retrieval",
            "embeddings": "embeddings",
            "learning": "complementary",
            "email": "danqic@cs.princeton.edu",
            "author": "Danqi Chen",
        },
    ),
    Page(
        "11_chinese",
        _PDFS / "chinese_report_issue-67.pdf",
        3,
        {
            "company": "东北电气发展股份有限公司",
            "revenue": Decimal("4755785.11"),
            "net_profit": Decimal("-4648986.52"),
            "over_two_lines": "归属于上市公司股东的扣除非经常性损益的净利润",
            "total_assets": Decimal("298608889.04"),
            "change": Decimal("-2.49"),
        },
    ),
    Page(
        "12_japanese",
        _PDFS / "japanese_issue16538.pdf",
        1,
        {
            "model": "マーケットモデル",
            "over_two_lines": "マクロ経済変数",
            "latin": "BM",
            "last": "原資産に対する評価は変化せず",
        },
    ),
)


def draw(folder: Path) -> None:
    """One picture a page, each box labelled with its field."""
    folder.mkdir(parents=True, exist_ok=True)
    for page in PAGES:
        found = align(page.values, _alone(pdf(page.path), page.page))
        picture = _rendered(page.path, page.page)
        for name, citation in found.items():
            if citation is None:
                print(f"  {page.name}: {name} is not found: {page.values[name]!s}")
                continue
            print(
                f"  {page.name}: {name} {citation.match} on page {citation.start_page}, {len(citation.boxes)} boxes: "
                f"{citation.cited_text!r}"
            )
            for box in citation.boxes:
                if box.page == page.page:
                    _outline(picture, (box.left, box.top, box.right, box.bottom), name)
        picture.save(folder / f"{page.name}.png")


def _alone(source: Source, number: int) -> Source:
    """The document with the text of one page only, so that nothing is found on another."""
    return replace(
        source, pages=tuple(text if page == number else "" for page, text in enumerate(source.pages, start=1))
    )


def _rendered(path: Path, number: int) -> Image:
    import pypdfium2  # noqa: PLC0415  # imported where first used

    with PDFIUM_LOCK:
        document = pypdfium2.PdfDocument(path)
        page = document[number - 1]
        picture: Image = page.render(scale=_SCALE).to_pil().convert("RGB")
        page.close()
        document.close()
    return picture


def _outline(picture: Image, sides: tuple[float, float, float, float], name: str) -> None:
    from PIL import ImageDraw  # noqa: PLC0415  # imported where first used

    left, top, right, bottom = (side * _SCALE for side in sides)
    pen = ImageDraw.Draw(picture)
    pen.rectangle((left, top, right, bottom), outline=_RED, width=1)
    pen.text((left, max(0.0, top - 11)), name, fill=(0, 0, 220))
