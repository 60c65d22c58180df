"""Streets with a house number in a text, as a dozen languages write them."""

import re
from collections.abc import Sequence

_NUMBER = r"\d{1,5}(?: ?[a-zA-Z](?![\w'’]))?"
_NAME = r"[^\W\d_][\w'’.\-]*"
_CAPITAL = r"[A-ZÀ-ÖØ-ÞĀ-Ž][\w'’.\-]*"
_NO_STREET = (
    r"(?!(?:the|a|an|of|in|on|my|this|that|down|up|blocks?|minutes?|hours?|miles?|people|more|way|different)\b)"
)


_HABITS = (
    # 12 Baker Street; 5 Old Mill Rd
    rf"\d{{1,5}}[a-zA-Z]?,? (?:{_CAPITAL} ){{1,4}}(?:Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Court|Ct|Place|Boulevard"
    r"|Blvd|Square|Sq|Terrace|Close|Crescent|Highway|Hwy|Parkway|Pkwy|Way|Row|Mews|Gardens|Grove|Quay|Hill)\b",
    rf"\d{{1,5}}[a-z]?,? (?:{_NO_STREET}{_NAME} ){{1,2}}(?:street|avenue|boulevard|road|lane)\b(?! (?:from|away|over))",
    # Hauptstraße 5, Lange Str. 12b, Berliner Platz 1; Keizersgracht 123; Storgatan 4
    rf"(?:{_CAPITAL}[ \-]?(?i:straße|strasse|str\.|straat|allee)|{_CAPITAL}er[ \-]Platz"
    rf"|{_CAPITAL}(?:gracht|gasse|platz|plein|gatan|vägen|veien|laan|weg|str|steeg|kade|dijk|singel|vej|gade|damm|ufer)"
    rf"|[a-zà-ž]{{3,}}(?:straße|strasse|straat|gracht)) {_NUMBER}",
    # 10 rue de la Paix; 3 bis, avenue Foch
    r"\d{1,4}(?: ?(?:bis|ter))?,? (?i:rue|avenue|boulevard|chemin|impasse|allée|quai) "
    rf"(?:(?:de|du|des|la|le|les|d['’]|l['’]) ?){{0,2}}{_CAPITAL}(?: {_CAPITAL}){{0,3}}",
    # Via Roma 12, Calle Mayor, 3; Rua Augusta, 1500; ulica Długa 7, ул. Ленина, д. 5
    r"(?:Via|Viale|Piazza|Corso|Calle|C/|Avenida|Avda?\.|Paseo|Plaza|Rua|Travessa|Praça"
    r"|(?i:rue|ul\.|ulica|улица|ул\.|проспект|пр-т|переулок|пер\.)) ?"
    r"(?:(?:de|del|della|dei|da|do|das|dos|la|las|los|el) ){0,2}\w[\w'’.\-]*(?: (?:de|del|do|da|di)? ?\w[\w'’.\-]*){0,3}?"
    r",? (?:n[.º°]? ?|д\.? ?|дом )?\d{1,5}\b",
    r"[\u3040-\u30ff\u4e00-\u9fff]{0,8}\d{1,3}丁目\d{1,3}(?:番地?|[-ー－])?(?:\d{1,3}号?)?",
)
_ADDRESS = re.compile("|".join(rf"(?<!\w)(?:{habit})" for habit in _HABITS))

# Chinese writes no blanks: a name is the characters before a street or an estate, without those that only join words.
_HAN = r"(?:(?![的了在去到住是我你他她们個个这那有和从来就都也还很把给跟啊吧吗呢])[\u4e00-\u9fff])"
_HAN_NUMBER = r"[\d一二三四五六七八九十百零〇]{1,7}"
_HAN_HOUSE = rf" ?(?:{_HAN_NUMBER}|[A-Za-z]) ?(?:号楼|號樓|栋|棟|幢|座|单元|單元|号院)"
_HAN_ROOM = rf" ?(?:{_HAN_NUMBER} ?(?:[号號弄室房户戶层層楼樓]|号院)|\d{{3,4}}(?!\d))"
_HAN_ADDRESS = re.compile(
    # 北京市朝阳区建国路88号3号楼502室, 中山北路二段 45 號, 延安西路1088弄12号
    rf"(?:{_HAN}{{1,4}}[省市区區县縣镇鎮乡鄉]){{0,4}}{_HAN}{{1,5}}(?:大道|胡同|[路街道巷弄])"
    rf"(?:[一二三四五六七八九十]段)? ?{_HAN_NUMBER} ?"
    rf"(?:号院|[号號弄])(?:{_HAN}{{2,6}}(?={_HAN_HOUSE}))?(?:{_HAN_HOUSE}|{_HAN_ROOM})*"
    # 阳光花园5栋302, 望京小区3号楼2单元501室
    rf"|{_HAN}{{1,6}}(?:小区|社区|花园|公寓|大厦|新村|家园|嘉园|苑|府|城){_HAN_HOUSE}(?:{_HAN_HOUSE}|{_HAN_ROOM})*"
)

# Each match holds one of these words, ends one of its words in these letters, or holds one of these signs; few texts with
# a digit do, and that is quicker to see.
_WORDS = frozenset(
    "street st avenue ave road rd lane ln drive dr court ct place boulevard blvd square sq terrace close crescent highway hwy"
    " parkway pkwy way row mews gardens grove quay hill rue chemin impasse allée quai via viale piazza corso calle avenida av"
    " avda paseo plaza rua travessa praça ul ulica улица ул проспект пр-т переулок пер".split()
)
_ENDINGS = tuple(
    "straße strasse str straat allee platz gracht gasse plein gatan vägen veien laan weg steeg kade dijk singel vej gade damm"
    " ufer".split()
)
_SIGNS = ("丁目",)
_HAN_SIGNS = ("号", "號", "弄", "栋", "棟", "幢", "座", "单元", "單元")


def addresses(text: str) -> Sequence[tuple[int, int]]:
    """Return the spans of streets with their numbers."""
    spans = [match.span() for match in _ADDRESS.finditer(text)] if _may_hold_one(text) else []
    if not text.isascii() and any(sign in text for sign in _HAN_SIGNS):
        han = (match.span() for match in _HAN_ADDRESS.finditer(text))
        spans += [(start, end) for start, end in han if all(end <= first or last <= start for first, last in spans)]
    return sorted(spans)


def _may_hold_one(text: str) -> bool:
    words = [word.strip(".,;:!?()\"'“”") for word in text.lower().replace(",", " ").split()]
    if not _WORDS.isdisjoint(words) or any(word.endswith(_ENDINGS) for word in words):
        return True
    return ("/" in text and "C/" in text) or (not text.isascii() and any(sign in text for sign in _SIGNS))
