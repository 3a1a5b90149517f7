"""Cited text around the JSON: which fields it speaks of, by label and value. How to read the rows: see the import."""

from __future__ import annotations

from decimal import Decimal

import pytest
from pydantic import BaseModel

from batchata.citations.labels import Labels
from batchata.citations.leaves import Leaf
from tests.test_citations_mapping import (
    DEAL,
    EQUAL,
    Bill,
    Case,
    Contract,
    Deal,
    Mixed,
    Pair,
    Person,
    Renamed,
    mapped,
)


class Price(BaseModel):
    amount: Decimal


class Item(BaseModel):
    text: str
    price: Price
    quantity: int = 1


class Order(BaseModel):
    amount: Decimal | None = None
    line_items: list[Item]


BILL = '{"invoice_number": "INV-1", "vendor": "Acme Ltd", "net_total": 100, "total": 119.00}'
CONTRACT = '{"parties": ["Acme", "Beta"], "issue_date": "2024-03-05", "due_date": "2024-03-05"}'
ORDER = (
    '{"amount": 20.00, "line_items": [{"text": "Bolt", "price": {"amount": 10.00}}, '
    '{"text": "Washer", "price": {"amount": 10.00}}]}'
)

AROUND_THE_JSON: dict[str, Case] = {
    "a bulleted list behind the fence, values or lines cited": (
        Bill,
        (
            f"```json\n{BILL}\n```\n\n- **Invoice number:** ⟦INV-1|No. INV-1⟧\n- ⟦**Vendor:** Acme Ltd|by Acme Ltd⟧\n"
            "- **Net total:** ⟦100,00 €|net 100.00⟧\n- **Total:** ⟦€119|119.00⟧\n- **Clerk:** ⟦Bob|Bob⟧"
        ),
        {
            "invoice_number": ["No. INV-1"],
            "vendor": ["by Acme Ltd"],
            "net_total": ["net 100.00"],
            "total": ["119.00"],
        },
        ["Bob"],
    ),
    "prose before": (
        Pair,
        '⟦The first is Acme.|Acme Ltd⟧\n{"first": "Acme", "second": "b"}',
        {"first": ["Acme Ltd"]},
        [],
    ),
    "JSON in the middle": (
        Bill,
        f"The vendor is ⟦Acme Ltd|A⟧, as in\n{BILL}\nwhere the total is ⟦119|T⟧.",
        {"vendor": ["A"], "total": ["T"]},
        [],
    ),
    "no label reaches through the JSON": (
        Bill,
        f"This is the vendor: {BILL} ⟦Acme Ltd|A⟧",
        {},
        ["A"],
    ),
    "a label block and a value block": (
        Bill,
        (
            f"{BILL}\n\n⟦**Vendor:**|Supplier⟧ ⟦Acme Ltd|Acme Ltd⟧\n\n"
            "**Total:**\n⟦119.00|119⟧\n\n## Net total\n\n⟦100|100⟧"
        ),
        {"vendor": ["Acme Ltd"], "total": ["119"], "net_total": ["100"]},
        ["Supplier"],
    ),
    "joined by and: each list item its own": (
        Contract,
        f"{CONTRACT}\nThe parties are ⟦Acme|A⟧ and ⟦Beta|B⟧.",
        {"parties[0]": ["A"], "parties[1]": ["B"]},
        [],
    ),
    "joined by and: each field its own": (
        Bill,
        f"{EQUAL}\nThe invoice number is ⟦INV-1|I⟧ and the total is ⟦100|T⟧.",
        {"invoice_number": ["I"], "total": ["T"]},
        [],
    ),
    "a label behind its value": (
        Bill,
        f"{BILL}\n⟦Acme Ltd|A⟧ is the vendor, ⟦INV-1|I⟧ (invoice number) and ⟦119 EUR|T⟧ in total.",
        {"vendor": ["A"], "invoice_number": ["I"], "total": ["T"]},
        [],
    ),
    "a label behind a value is not that of the next": (
        Bill,
        '{"vendor": "Acme", "invoice_number": "Acme"}\n⟦Acme|A⟧ is the vendor and ⟦Acme|B⟧ the invoice number.',
        {"vendor": ["A"], "invoice_number": ["B"]},
        [],
    ),
    "a label that introduces the next value": (
        Bill,
        f"{EQUAL}\nSome ⟦100|A⟧ and the total is ⟦100|B⟧. Some ⟦100|C⟧, total: ⟦100|D⟧",
        {"total": ["B", "C", "D"]},
        ["A"],
    ),
    "several fields in one block": (
        Bill,
        f"{BILL}\n⟦The vendor Acme Ltd asks for a total of 119.00|Acme Ltd, 119.00⟧.",
        {"vendor": ["Acme Ltd, 119.00"], "total": ["Acme Ltd, 119.00"]},
        [],
    ),
    "respectively": (
        Bill,
        f"{BILL}\n⟦The net total and the total are 100 and 119|table⟧.",
        {"net_total": ["table"], "total": ["table"]},
        [],
    ),
    "equal values by their own label": (
        Contract,
        (
            f"{CONTRACT}\n- Issue date: ⟦5 March 2024|issued⟧\n- Due date: ⟦05.03.2024|due⟧\n"
            "- Delivery: ⟦5 March 2024|sent⟧"
        ),
        {"issue_date": ["issued"], "due_date": ["due"]},
        ["sent"],
    ),
    "equal values in one block: the label in the sentence": (
        Person,
        '{"age": 5, "page": 5}\n⟦The age is 5. See the next page.|A⟧ ⟦Age 5\nPage 5|B⟧ ⟦age and page are both 5|C⟧',
        {"age": ["A", "B", "C"], "page": ["B", "C"]},
        [],
    ),
    "the longest label, whole words, next to each other": (
        Bill,
        '{"net_total": 100, "total": 100}\n⟦Net total 100|A⟧\n⟦Net-Total 100|B⟧\n⟦total, net 100|C⟧\n\n⟦totally 100|D⟧',
        {"net_total": ["A", "B"], "total": ["C"]},
        ["D"],
    ),
    "a value inside another, a label inside another": (
        Person,
        '{"age": 5, "page": 150}\n⟦page 150|A⟧\n⟦age 150|B⟧\n⟦page 5|C⟧\n⟦age 5|D⟧',
        {"page": ["A"], "age": ["D"]},
        ["B", "C"],
    ),
    "a label inside a value is none": (
        Renamed,
        '{"vendorName": "Total Gas", "sum": 100, "names": ["Total Gas"]}\nVendor name: ⟦Total Gas|A⟧ for ⟦100|B⟧',
        {"vendor": ["A"]},
        ["B"],
    ),
    "one value inside another under one label": (
        Contract,
        '{"parties": ["Acme", "Acme Holding"]}\nThe parties are ⟦Acme|A⟧ and ⟦Acme Holding|B⟧.',
        {"parties[0]": ["A"], "parties[1]": ["B"]},
        [],
    ),
    "plural and singular": (
        Contract,
        f"{CONTRACT}\nThe first party is ⟦Acme|A⟧.",
        {"parties[0]": ["A"]},
        [],
    ),
    "a table, a row for each field": (
        Bill,
        f"{EQUAL}\n\n| Field | |\n|---|---|\n| Vendor | ⟦Acme Ltd|A⟧ |\n| Net total | ⟦100|N⟧ |\n| Total | ⟦100|T⟧ |",
        {"vendor": ["A"], "net_total": ["N"], "total": ["T"]},
        [],
    ),
    "keys as they stand in the JSON": (
        Bill,
        f"{EQUAL}\n\n- `net_total`: ⟦100|N⟧\n- **invoiceNumber** = ⟦INV-1|I⟧\n- TOTAL ⟦100|T⟧",
        {"net_total": ["N"], "invoice_number": ["I"], "total": ["T"]},
        [],
    ),
    "lines with Windows ends": (
        Bill,
        f"{EQUAL}\r\n\r\n**Vendor:**\r\n\r\n⟦Acme Ltd|A⟧\r\n\r\n⟦INV-1|I⟧\r\n- Net total: ⟦100|N⟧\r\n- Total: ⟦100|T⟧",
        {"vendor": ["A"], "net_total": ["N"], "total": ["T"]},
        ["I"],
    ),
    "a list below its label, items with labels of their own": (
        Contract,
        f"{CONTRACT}\n\n**Parties:**\n- Seller: ⟦Acme|A⟧\n- Buyer: ⟦Beta|B⟧",
        {"parties[0]": ["A"], "parties[1]": ["B"]},
        [],
    ),
    "a heading on its own, then a list": (
        Contract,
        f"{CONTRACT}\n\n### Parties\n\n1. ⟦Acme|A⟧\n2. ⟦Beta|B⟧\n\n⟦Acme|C⟧",
        {"parties[0]": ["A"], "parties[1]": ["B"]},
        ["C"],
    ),
    "a whole list in one block": (
        Bill,
        f"{EQUAL}\n⟦- Vendor: Acme Ltd\n- Net total: 100\n- Rounding: 100|table⟧",
        {"vendor": ["table"], "net_total": ["table"]},
        [],
    ),
    "what holds a leaf names it": (
        Deal,
        f"{DEAL}\n- Vendor: ⟦Acme|A⟧ from ⟦Rome|R⟧\n- Customer: ⟦Acme|B⟧\n\n⟦The customer name is Acme|C⟧",
        {"vendor.name": ["A"], "vendor.city": ["R"], "customer.name": ["B", "C"]},
        [],
    ),
    "fields below the heading of what holds them": (
        Deal,
        (
            f"{DEAL}\n\n## Vendor\n\n- Name: ⟦Acme|A⟧\n- City: ⟦Rome|R⟧\n\n"
            "## Customer\n\n- Name: ⟦Acme|B⟧\n- City: ⟦Oslo|O⟧"
        ),
        {"vendor.name": ["A"], "vendor.city": ["R"], "customer.name": ["B"], "customer.city": ["O"]},
        [],
    ),
    "equal list items by their siblings": (
        Order,
        (
            f"{ORDER}\n- Washer: amount ⟦10.00|N⟧\n- Bolt: amount ⟦10.00|B⟧\n- ⟦Amount 10,00 for the washer|M⟧\n"
            "- Amount: ⟦20.00|T⟧"
        ),
        {"line_items[1].price.amount": ["N", "M"], "line_items[0].price.amount": ["B"], "amount": ["T"]},
        [],
    ),
    "equal list items one after the other": (
        Order,
        f"{ORDER}\nAmounts: ⟦10.00|1st⟧, ⟦10.00|2nd⟧",
        {"line_items[0].price.amount": ["1st"], "line_items[1].price.amount": ["2nd"]},
        [],
    ),
    "equal list items, more blocks than items": (
        Order,
        f"{ORDER}\nAmounts: ⟦10.00|1st⟧, ⟦10.00|2nd⟧, ⟦10.00|3rd⟧",
        {
            "line_items[0].price.amount": ["1st", "2nd", "3rd"],
            "line_items[1].price.amount": ["1st", "2nd", "3rd"],
        },
        [],
    ),
    "list items under the name of the list, by value and sibling": (
        Order,
        f"{ORDER}\n\n**Line items:**\n- Bolt at ⟦10.00|B⟧\n- ⟦Washer|W⟧",
        {"line_items[0].price.amount": ["B"], "line_items[1].text": ["W"]},
        [],
    ),
    "of an item and the whole, the whole": (
        Order,
        '{"amount": 10.00, "line_items": [{"text": "Bolt", "price": {"amount": 10.00}}]}\nAmount: ⟦10.00|A⟧',
        {"amount": ["A"]},
        [],
    ),
    "numbers and dates written differently": (
        Bill,
        '{"net_total": 1234.5, "total": 12300000}\nNet total: ⟦1.234,50 €|A⟧; total ⟦12.3 million|B⟧; total ⟦1234.5|C⟧',
        {"net_total": ["A"], "total": ["B"]},
        ["C"],
    ),
    "the value only in the cited text": (
        Contract,
        f"{CONTRACT}\n⟦The due date is in March|until 5 March 2024⟧. Parties: ⟦the usual ones|Acme and Beta|Gamma⟧",
        {
            "due_date": ["until 5 March 2024"],
            "parties[0]": ["Acme and Beta"],
            "parties[1]": ["Acme and Beta"],
        },
        ["Gamma"],
    ),
    "a label of long ago does not reach what is only cited": (
        Contract,
        f"{CONTRACT}\nThe parties are named. ⟦It was raining|Acme and Beta⟧.",
        {},
        ["Acme and Beta"],
    ),
    "a value split over two blocks": (
        Bill,
        f"{BILL}\n**Vendor:** ⟦Acme|A⟧⟦ Ltd|B⟧",
        {"vendor": ["A", "B"]},
        [],
    ),
    "a value without its label": (
        Pair,
        '{"first": "Acme", "second": "b"}\n⟦They are called Acme.|Acme Ltd⟧',
        {},
        ["Acme Ltd"],
    ),
    "a courtesy that names a field and cites its value": (
        Bill,
        f"⟦Thank you for the vendor's invoice!|Acme Ltd⟧ Here it is:\n\n{BILL}",
        {"vendor": ["Acme Ltd"]},
        [],
    ),
    "small talk that names nothing": (
        Bill,
        f"⟦Gladly!|Acme Ltd, 119⟧\n\n{BILL}\n\n⟦Anything else?|119⟧",
        {},
        ["Acme Ltd, 119", "119"],
    ),
    "white space and punctuation say nothing": (
        Bill,
        f"{BILL}\nThe vendor is Acme Ltd⟦.|Acme Ltd⟧⟦ \n|Acme Ltd⟧⟦**|119⟧",
        {},
        ["Acme Ltd", "Acme Ltd", "119"],
    ),
    "booleans and nulls are not found in words": (
        Mixed,
        '{"paid": true}\n⟦Paid: true|paid⟧, kind: ⟦null|none⟧, notes ⟦""|blank⟧',
        {},
        ["paid", "none", "blank"],
    ),
    "a default that the prose states": (Bill, f"{BILL}\nCurrency: ⟦EUR|in EUR⟧", {"currency": ["in EUR"]}, []),
    "unescaped values, several lines, URLs": (
        Mixed,
        (
            r'{"notes": "say \"hi\"\nto \u00c9va", "url": "http://x.org:80/a"}'
            '\n- Notes: ⟦say "hi"\nto Éva|N⟧\n- URL: ⟦http://x.org:80/a|U⟧\n- URL: ⟦http://x.org:81/a|V⟧'
        ),
        {"notes": ["N"], "url": ["U"]},
        ["V"],
    ),
    "names with digits, in camel case": (
        Mixed,
        '{"iso_3166_code": "DE", "line2": "Flat"}\niso3166Code: ⟦DE|D⟧\nLine 2: ⟦Flat|F⟧\nline: ⟦Flat|G⟧',
        {"iso_3166_code": ["D"], "line2": ["F"]},
        ["G"],
    ),
    "aliases": (
        Renamed,
        '{"vendorName": "Acme", "total_amount": 100, "names": ["Bob"]}\nTotal amount ⟦100|T⟧, names: ⟦Bob|B⟧',
        {"total": ["T"]},
        ["B"],
    ),
    "braces and brackets in the prose": (
        Bill,
        f"See [1] {{draft}}: the vendor is ⟦Acme Ltd|A⟧ [2].\n{BILL}\n{{end}} total [sum]: ⟦119|T⟧",
        {"vendor": ["A"], "total": ["T"]},
        [],
    ),
    "cite markup in the prose": (
        Bill,
        f'{BILL}\nThe vendor is <cite index="1-2">⟦Acme|A⟧</cite> ⟦Ltd|B⟧, the <cite index="3">⟦total 119|T⟧</cite>.',
        {"vendor": ["A", "B"], "total": ["T"]},
        [],
    ),
    "a block from the last brace into the prose": (
        Bill,
        BILL[:-1] + "⟦}\nVendor: Acme Ltd|A⟧",
        {"vendor": ["A"]},
        [],
    ),
    "the JSON a second time": (
        Pair,
        '{"first": "Acme", "second": "Acme"}\n\n{"first": "⟦Acme|A⟧", "second": "⟦Acme|B⟧"}',
        {"first": ["A"], "second": ["B"]},
        [],
    ),
}


@pytest.mark.parametrize("name", AROUND_THE_JSON)
def test_blocks_around_the_json(name: str) -> None:
    model, answer, by_field, unmapped = AROUND_THE_JSON[name]
    assert mapped(model, answer) == (by_field, unmapped)


@pytest.mark.parametrize(
    ("label", "text", "found"),
    [
        ("parties", "The party, the Parties.", ["party", "Parties"]),
        ("address", "addresses and address", ["addresses", "address"]),
        ("tax", "Taxes, taxi, TAX", ["Taxes", "TAX"]),
        ("movie", "movies", ["movies"]),
        (
            "net total",
            "net total, net-total, netTotal, NET_TOTAL, net\ntotal",
            ["net total", "net-total", "netTotal", "NET_TOTAL", "net\ntotal"],
        ),
        ("net total", "net, total; total net; net\n\ntotal; planet total", []),
        ("age", "page, aged, ageing, âge", []),
        ("a", "as is", []),
    ],
)
def test_labels_in_a_text(label: str, text: str, found: list[str]) -> None:
    leaf = Leaf("field", (label,), None, None, None, given=True)
    assert [text[slice(*span)] for span, _ in Labels([leaf]).find(text)] == found
