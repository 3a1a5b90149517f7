"""The words beside numbers and dates, casefolded: month names, scales, currencies, units."""

from __future__ import annotations

import unicodedata

_MONTHS = """
january jan januar jänner janvier janv enero ene gennaio gen januari janeiro stycznia styczeń sty
января январь янв ocak oca يناير

february feb februar feber février févr fév febrero febbraio februari fevereiro fev lutego luty lut
февраля февраль фев şubat şub فبراير

march mar märz mär mars marzo maart mrt março marca marzec
марта март мар mart مارس

april apr avril avr abril abr aprile kwietnia kwiecień kwi
апреля апрель апр nisan nis أبريل ابريل

may mai mayo maggio mag mei maio maja maj
мая май mayıs maj مايو

june jun juni juin junio giugno giu junho czerwca czerwiec cze
июня июнь июн haziran haz يونيو يونيه

july jul juli juillet juil julio luglio lug julho lipca lipiec lip
июля июль июл temmuz tem يوليو يوليه

august aug août aout agosto ago augustus sierpnia sierpień sie
августа август авг ağustos ağu august augusti أغسطس اغسطس

september sep sept septembre septiembre settembre set setembro września wrzesień wrz
сентября сентябрь сен eylül eyl سبتمبر

october oct oktober okt octobre octubre ottobre ott outubro out października październik paź
октября октябрь окт ekim eki أكتوبر اكتوبر

november nov novembre noviembre novembro listopada listopad lis
ноября ноябрь ноя kasım kas نوفمبر

december dec dezember dez décembre déc diciembre dic dicembre dezembro grudnia grudzień gru
декабря декабрь дек aralık ara desember ديسمبر
"""


def _without_accents(word: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFD", word) if not unicodedata.combining(char))


MONTHS: dict[str, int] = {
    spelling: month
    for month, line in enumerate(_MONTHS.strip().split("\n\n"), start=1)
    for word in line.split()
    for spelling in (word, _without_accents(word))
}

_SCALES = {
    1_000: "thousand thousands tsd tausend mille tys duizend mil тыс тысяч тысячи тысяча ألف آلاف",
    100_000: "lakh lakhs",
    1_000_000: "million millions mio mln millionen millones millón milione milioni miljoen milhão milhões "
    "milion miliony milionów mill mn млн миллион миллиона миллионов milyon مليون ملايين",
    10_000_000: "crore crores",
    1_000_000_000: "billion billions bn milliarde milliarden mrd milliard milliards miliardo miliardi miljard "
    "mld bln bilhão bilhões miliard miliardy miliardów млрд миллиард миллиарда миллиардов milyar مليار",
    1_000_000_000_000: "trillion trillions billionen billones bilioni biljoen trilhões",
}
SCALES: dict[str, int] = {word: factor for factor, words in _SCALES.items() for word in words.split()}
LETTER_SCALES: dict[str, int] = {"k": 1_000, "m": 1_000_000, "b": 1_000_000_000}
"""Only attached to the digits: "$12.3M"."""

_NUMBER_WORDS = """
one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen twenty thirty forty fifty sixty seventy eighty ninety hundred first second third half quarter
eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf zwanzig dreißig vierzig fünfzig hundert
deux trois quatre cinq sept huit neuf dix onze douze quinze vingt trente cent
dos tres cuatro cinco siete ocho nueve diez quince veinte treinta cien
"""
NUMBER_WORDS: frozenset[str] = frozenset(_NUMBER_WORDS.split())

CJK_SCALES: dict[str, int] = {"万": 10_000, "萬": 10_000, "만": 10_000, "億": 10**8, "亿": 10**8, "억": 10**8}
"""Signs that scale the digits they follow."""

_CURRENCIES = """
eur usd gbp chf jpy cny rmb aud cad nzd sek nok dkk pln czk huf ron inr brl mxn zar try krw sgd hkd ils aed
sar rub uah thb twd php idr myr vnd clp cop ars pen egp ngn kes rs us au ca nz kr zł kč ft lei
"""
CURRENCIES: frozenset[str] = frozenset(_CURRENCIES.split())
CURRENCY_SIGNS: dict[str, str] = {
    "€": "eur", "£": "gbp", "¥": "jpy", "₹": "inr", "₽": "rub", "₩": "krw", "₺": "try", "₪": "ils", "₫": "vnd",
    "฿": "thb", "rs": "inr", "zł": "pln", "kč": "czk", "$": "usd", "us": "usd",
}  # fmt: skip
"""What a sign means where nothing else is said."""
_UNITS = """
g kg mg t km m cm mm l ml cl dl h hr hrs min s sec ms w kw kwh mwh gw gwh v kv a hz khz mhz ghz kb mb gb tb
pt px x st nd rd th d y yr yrs pcs pc stk stck uhr c f p pp er bps lb lbs oz ft in mi mph ha ºc °c
"""
UNITS: frozenset[str] = frozenset(_UNITS.split())
