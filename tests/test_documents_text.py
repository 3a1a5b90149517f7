"""Bytes to text: encodings, HTML, DOCX."""

from __future__ import annotations

import codecs
import io
import random
import sys
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from docx.oxml import OxmlElement
from docx.oxml.ns import qn

from batchata import documents
from batchata.errors import DocumentError
from batchata.types import DocumentKind
from tests.small_files import GIF, docx_of, without, zip_of

GERMAN = "Grüße aus Köln – das kostet 5 € für alle, die hier wohnen"


@pytest.mark.parametrize(
    "data",
    [
        GERMAN.encode(),
        codecs.BOM_UTF8 + GERMAN.encode(),
        GERMAN.encode("utf-16"),
        codecs.BOM_UTF16_BE + GERMAN.encode("utf-16-be"),
        GERMAN.encode("utf-32"),
        codecs.BOM_UTF32_BE + GERMAN.encode("utf-32-be"),
        GERMAN.encode("utf-16-le"),
        GERMAN.encode("utf-16-be"),
        GERMAN.encode("cp1252"),
    ],
)
def test_encodings(data: bytes) -> None:
    # "–" and "€" have a zero-free high byte, which the form without a mark must stand.
    assert documents.load(data, name="a.txt").text == GERMAN


@pytest.mark.parametrize(
    "text", ["Café", "Prix : 5 €", "£ 5", "Für eine genaue Definition", "Résumé – naïve “quotes”", "½"]
)
def test_a_few_signs_of_windows(text: str) -> None:
    assert documents.load(text.encode("cp1252"), name="a.txt").text == text


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Счёт на оплату № 5 от 3 мая", "cp1251"),
        ("Ελλάδα και οι νόμοι της: όλοι οι άνθρωποι γεννιούνται ελεύθεροι", "cp1253"),
        ("請求書 合計 5000円", "shift_jis"),
        ("Zażółć gęślą jaźń", "cp1250"),
    ],
)
def test_other_alphabets_told_by_their_letters(text: str, encoding: str) -> None:
    assert documents.load(text.encode(encoding), name="a.txt").text == text


def test_much_german_in_windows_letters() -> None:
    text = "Alle Menschen können über schöne Grüße für große Häuser reden. " * 20
    assert documents.load(text.encode("cp1252"), name="a.txt").text == text


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        ('<meta charset="iso-8859-2">', "iso-8859-2"),
        ('<meta http-equiv="Content-Type" content="text/html; charset=windows-1250">', "cp1250"),
        ("<meta charset='koi8-r'>", "koi8-r"),
        ("<meta charset=euc-jp>", "euc-jp"),
    ],
)
def test_the_declared_encoding_counts(head: str, encoding: str) -> None:
    word = {"koi8-r": "счёт", "euc-jp": "請求書"}.get(encoding, "żółć")
    html = f"<html><head>{head}</head><p>{word}</p></html>"
    assert documents.load(html.encode(encoding)).text == word


def test_an_email_says_its_encoding() -> None:
    mail = 'From: a@example.org\nContent-Type: text/plain; charset="iso-8859-15"\n\nŽižka platí 5 €'
    assert documents.load(mail.encode("iso-8859-15")).text == mail


@pytest.mark.parametrize("declared", ["utf-8", "no-such-encoding", "hex", "shift_jis"])
def test_a_wrong_declaration_does_not_count(declared: str) -> None:
    html = f'<html><meta charset="{declared}"><p>Grüße</p></html>'
    assert documents.load(html.encode("cp1252")).text == "Grüße"


def test_latin_1_is_read_as_windows_means_it() -> None:
    html = b'<html><meta charset="iso-8859-1"><p>Don\x92t pay 5 \x80 \xfcber Nacht</p></html>'
    assert documents.load(html).text == "Don’t pay 5 € über Nacht"


def test_latin_1_with_a_byte_that_windows_does_not_know() -> None:
    html = b'<html><meta charset="iso-8859-1"><p>' + b"Sch\xf6ne Gr\xfc\xdfe. " * 20 + b"\x81</p></html>"
    text = documents.load(html).text
    assert text is not None
    assert text.startswith("Schöne Grüße. Schöne Grüße.")


def test_text_with_a_wrong_mark() -> None:
    with pytest.raises(DocumentError, match="is marked as UTF-16 text, but is not"):
        documents.load(b"\xff\xfea", name="a.txt")


def test_html_without_its_machinery() -> None:
    html = """<?xml version="1.0" encoding="utf-8"?>
    <html><head><title>no</title><style>p {}</style><script>let a</script></head><body>
    <h1>Invoice é</h1><table><tr><td>Net</td><td>10.00</td></tr><tr><td>Total</td><td>11.90</td></tr></table>
    <ul><li>one</li><li>two</li></ul><img src="http://127.0.0.1:9/a.png"></body></html>"""
    document = documents.load(html.encode(), name="a.html")
    assert document.text == "Invoice é\n\nNet    10.00\nTotal  11.90\n\n  * one\n  * two"


def nested(depth: int) -> bytes:
    return b"<p>start</p>" + b"<div>" * depth + b"deep" + b"</div>" * depth + b"<p>end</p>"


def test_html_nested_deeply() -> None:
    text = documents.load(nested(400), name="a.html").text
    assert text is not None
    assert text.split() == ["start", "deep", "end"]
    for depth in (1500, 5000):
        with pytest.raises(DocumentError, match="'a.html' is HTML nested too deeply"):
            documents.load(nested(depth), name="a.html")


def test_html_cut_by_the_parser_is_not_taken_for_whole() -> None:
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(20_000)
    try:
        with pytest.raises(DocumentError, match="'a.html' is HTML nested too deeply"):
            documents.load(nested(2500), name="a.html")
    finally:
        sys.setrecursionlimit(limit)


@pytest.mark.parametrize("html", [b"<html><script>1</script></html>", b"<!-- nothing -->"])
def test_html_without_text(html: bytes) -> None:
    with pytest.raises(DocumentError, match="holds no text"):
        documents.load(html, name="a.html")


def letter(document: Any) -> None:
    document.sections[0].header.paragraphs[0].text = "ACME Ltd.\tVAT 12345"
    document.sections[0].footer.paragraphs[0].text = "IBAN DE02 1203"
    document.add_paragraph("Dear Ms Miller,")
    document.add_paragraph("first", style="List Bullet")
    table = document.add_table(rows=2, cols=2)
    cells = [cell for row in table.rows for cell in row.cells]
    for cell, text in zip(cells, ["Net", "10.00", "Total", "11.90"], strict=True):
        cell.text = text


def test_docx() -> None:
    document = documents.load(docx_of(letter), name="letter.docx")
    assert document.kind is DocumentKind.DOCX
    assert document.text == (
        "ACME Ltd. VAT 12345\n\nDear Ms Miller,\n\n  * first\nNet    10.00\n\nTotal  11.90\n\nIBAN DE02 1203"
    )
    source = documents.source(document)
    assert (source.pages, source.paged, source.boxes) == ((document.text,), False, None)


def test_docx_page_numbers_are_left_out() -> None:
    def numbered(document: Any) -> None:
        document.add_paragraph("Body")
        run = document.sections[0].footer.paragraphs[0].add_run("Page ")
        for tag, text, kind in [
            ("w:fldChar", None, "begin"),
            ("w:instrText", " PAGE ", None),
            ("w:fldChar", None, "separate"),
            ("w:t", "7", None),
            ("w:fldChar", None, "end"),
            ("w:t", " of the contract", None),
        ]:
            element = OxmlElement(tag)
            element.text = text
            if kind is not None:
                element.set(qn("w:fldCharType"), kind)
            run._r.append(element)

    assert documents.load(docx_of(numbered)).text == "Body\n\nPage  of the contract"


def test_docx_never_opens_what_it_links_to() -> None:
    def with_picture(document: Any) -> None:
        document.add_paragraph("Before")
        document.add_picture(io.BytesIO(GIF))

    data = docx_of(with_picture)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        relations = archive.read("word/_rels/document.xml.rels")
        body = archive.read("word/document.xml")
    linked = without(
        without(data, "word/document.xml", body.replace(b"r:embed", b"r:link")),
        "word/_rels/document.xml.rels",
        relations.replace(b'Target="media/image1.gif"', b'Target="file:///etc/hostname" TargetMode="External"'),
    )
    assert b"r:link" in body.replace(b"r:embed", b"r:link")
    assert documents.load(linked).text == "Before"


@pytest.fixture
def visits() -> Iterator[list[str]]:
    """Paths asked of a web server on this machine, its address first."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(404)
            self.end_headers()

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        asked.append(f"http://127.0.0.1:{server.server_port}")
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield asked
        server.shutdown()
        thread.join()


def test_html_asks_for_nothing(visits: list[str], tmp_path: Path) -> None:
    web = visits[0]
    (tmp_path / "other.txt").write_text("SECRET")
    local = (tmp_path / "other.txt").as_uri()
    html = f"""<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "{web}/x.dtd" [
    <!ENTITY other SYSTEM "{local}">]>
    <html><head><base href="{web}/"><link rel="stylesheet" href="{web}/a.css"><script src="{web}/a.js"></script>
    <meta http-equiv="refresh" content="0; url={web}/next"></head><body background="{web}/b.png">&other;
    <img src="{web}/a.png"><img src="{local}"><iframe src="{local}"></iframe><object data="{web}/o"></object>
    <p>Body</p></body></html>"""
    text = documents.load(html.encode(), name="a.html").text
    assert text is not None
    assert "Body" in text
    assert "SECRET" not in text
    assert visits == [web]


def test_docx_asks_for_nothing(visits: list[str], tmp_path: Path) -> None:
    web = visits[0]
    (tmp_path / "other.txt").write_text("SECRET")
    local = (tmp_path / "other.txt").as_uri()

    def with_picture(document: Any) -> None:
        document.add_paragraph("Before")
        document.add_picture(io.BytesIO(GIF))

    data = docx_of(with_picture)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        body = archive.read("word/document.xml").decode()
        relations = archive.read("word/_rels/document.xml.rels").decode()
    doctype = f"<!DOCTYPE d SYSTEM '{web}/d.dtd' [<!ENTITY other SYSTEM '{local}'>]>"
    body = body.replace("?>", f"?>{doctype}", 1).replace("Before", "Before&other;").replace("r:embed", "r:link")
    inside = 'Target="media/image1.gif"'
    assert inside in relations
    for target in (f"{web}/a.gif", local):
        linked = relations.replace(inside, f'Target="{target}" TargetMode="External"')
        changed = without(data, "word/document.xml", body.encode())
        changed = without(changed, "word/_rels/document.xml.rels", linked.encode())
        assert documents.load(changed).text == "Before"
    assert visits == [web]


def test_docx_of_pictures_only() -> None:
    with pytest.raises(DocumentError, match="holds no text"):
        documents.load(docx_of(lambda document: document.add_picture(io.BytesIO(GIF))))


def test_docx_damaged() -> None:
    whole = docx_of(letter)
    broken = {
        "is a damaged DOCX file: File is not a zip file": whole[:2000],
        "ExpatError": without(whole, "word/document.xml", b"<w:document><cut"),
        "ParseError": without(whole, "word/header1.xml", b"<cut"),
    }
    for words, data in broken.items():
        with pytest.raises(DocumentError, match=words):
            documents.load(data, name="a.docx")
    with pytest.raises(DocumentError, match="damaged ZIP archive"):
        documents.load(whole[:2000], name="a")


def test_docx_damaged_anywhere() -> None:
    whole = docx_of(letter)
    dice = random.Random(5)  # noqa: S311  # not for secrets
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(4):
            data[dice.randrange(4, len(data))] = dice.randrange(256)
        try:
            assert documents.load(bytes(data), name="a.docx").text
        except DocumentError as error:
            assert "'a.docx'" in str(error)  # noqa: PT017  # some of the damaged files can be read


def test_docx_member_with_a_wrong_checksum() -> None:
    whole = bytearray(zip_of(**{"word/document.xml": b"stored as it is"}))
    at = bytes(whole).index(b"stored")
    whole[at] ^= 1
    with pytest.raises(DocumentError, match="'word/document.xml' in it is broken"):
        documents.load(bytes(whole), name="a.docx")


def test_docx_bomb() -> None:
    stream = io.BytesIO()
    with (
        zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("word/document.xml", "w") as member,
    ):
        for _ in range(33):
            member.write(bytes(16 * 1024 * 1024))
    with pytest.raises(DocumentError, match="would unpack to 553,648,128 bytes"):
        documents.load(stream.getvalue(), name="bomb.docx")
