"""Phone numbers in a text: international ones everywhere, national ones of the countries that are looked for."""

import re
from collections.abc import Collection, Iterator, Sequence
from functools import lru_cache

from phonenumbers import (
    Leniency,
    NumberParseException,
    PhoneNumberMatcher,
    is_possible_number,
    is_valid_number,
    parse,
    region_code_for_number,
)

_RUN = re.compile(  # after an @ only with a plus: so WhatsApp writes a mention of somebody who is no contact
    r"(?<![\w.,/#\-])(?:(?<!@)|(?=\+))(?<!\d:)(?:\+|00)?\(?\d(?:[ ./\-–()]{0,3}\d){6,17}(?![\w/@%]|[.,:\-]\d)"
)
_MENTIONED = re.compile(r"(?<!\w)@(\d{9,15})(?!\w)")  # WhatsApp writes a mention as the number of whom it means
_DATE = re.compile(
    r"(?:1[89]|20)\d\d([\-./ ]?)(?:0?[1-9]|1[0-2])\1(?:0?[1-9]|[12]\d|3[01])(?!\d)"
    r"|(?:0?[1-9]|[12]\d|3[01])([\-./ ]?)(?:0?[1-9]|[12]\d|3[01])\2(?:1[89]|20)\d\d(?!\d)"
    r"|\d{1,2}([\-./])\d{1,2}\3\d{2}(?!\d)"
)
_YEARS = re.compile(r"(?:1\d|20)\d\d\D{1,3}(?:1\d|20)\d\d")
_AMOUNT = re.compile(r"\d{1,3}(?:[. ]000)+|\d{1,2}(?:[. ]\d{3}){2,}|\d{1,3}(?:\.\d{3}){2,}|\d0{5,}")
_SCORES = re.compile(r"\d{1,3}[\-–]\d{1,3}(?:[ /]+\d{1,3}[\-–]\d{1,3})+")
_LOOSE = re.compile(
    r"\d{1,2}(?:[ ./\-–]{1,3}\d{1,2}){3,}"
)  # 4 8 15 16 23 42: pairs of digits need a reason to be a phone
_MONEY_BEFORE = re.compile(r"(?:[$€£¥₹₽#]|\b(?:USD|EUR|GBP|Rs|RMB|CHF|id|ID|no|nr|Nr|No)\.?:?)\s?$")
_MONEY_AFTER = re.compile(
    r"\s?(?:[$€£¥₹₽%]|(?:USD|EUR|GBP|kr|zł|euros?|dollars?|bucks|pounds|yen|people|years|times|points|steps|views|km|kg|元|円)\b)"
)
# North America's 3-3-4 and a trunk zero before eight to ten digits are phones even where no country is known.
_SHAPED = re.compile(r"(?:1[ .\-])?(?:\(\d{3}\) ?|\d{3}[ .\-])\d{3}[ .\-]\d{4}|\(?0[1-9]\d?(?:[ ./\-–()]{0,3}\d){7,9}")


def phones(text: str, regions: Collection[str] = ()) -> Sequence[tuple[int, int]]:
    """Return the spans of phone numbers. regions: ISO 3166 codes; their national numbers count too."""
    if len(text) < 7:
        return ()
    spans = [match.span(1) for match in _MENTIONED.finditer(text) if _is_international(match[1])] if "@" in text else []
    for run in _RUN.finditer(text):
        if not _is_something_else(run):
            spans += _in_run(run, regions)
    return sorted(spans)


def region_of(number: str) -> str:
    """Return the country of an international number (`+49 …`) as its ISO 3166 code; empty if it is not one."""
    try:
        return region_code_for_number(parse(number)) or ""
    except NumberParseException:
        return ""


def international(text: str) -> Iterator[str]:
    """Yield the numbers in `text` that begin with a plus."""
    for run in _RUN.finditer(text) if "+" in text else ():
        if run[0].startswith("+"):
            yield run[0]


def _is_something_else(run: re.Match[str]) -> bool:
    """Return whether a run of digits is a date, an amount or a score, which people write more often than phone numbers."""
    if run[0].startswith("+"):
        return False
    plain = run[0].strip(" ()")
    if _DATE.match(plain) or _YEARS.search(plain) or _AMOUNT.fullmatch(plain) or _SCORES.fullmatch(plain):
        return True
    if _LOOSE.fullmatch(plain) and not plain.startswith("0") and len(set(re.findall(r"\D+", plain))) > 1:
        return True
    before = run.string[max(0, run.start() - 6) : run.start()]
    return bool(_MONEY_BEFORE.search(before) or _MONEY_AFTER.match(run.string, run.end()))


def _in_run(run: re.Match[str], regions: Collection[str]) -> Iterator[tuple[int, int]]:
    start = run.start()
    if (run[0].startswith(("+", "00")) and _is_international(run[0])) or _SHAPED.fullmatch(run[0]):
        yield run.span()
    else:
        for region in regions:
            if national := _national(run[0], region):
                yield from ((start + first, start + last) for first, last in national)
                return


@lru_cache(maxsize=1 << 12)
def _national(run: str, region: str) -> tuple[tuple[int, int], ...]:
    """Return where in `run` numbers stand as people of `region` write them. The matcher is thorough and slow: it is asked
    about what parses as a valid number only."""
    try:
        valid = is_valid_number(parse(run, region))
    except NumberParseException:
        return ()
    matches = PhoneNumberMatcher(run, region, leniency=Leniency.VALID) if valid else ()
    return tuple((match.start, match.end) for match in matches)


def _is_international(written: str) -> bool:
    """Return whether a number that begins with + or 00 could be dialled somewhere."""
    try:
        return is_possible_number(parse("+" + written.removeprefix("+").removeprefix("00")))
    except NumberParseException:
        return False
