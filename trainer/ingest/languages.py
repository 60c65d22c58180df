"""Which language a conversation is in, and which countries' phone numbers to expect in it."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from persona.errors import SettingsError
from persona.pii.phones import international, region_of
from persona.word_tokens import word_tokens
from trainer.corpus.row import Row
from trainer.corpus.segmentation import MessageGroup
from trainer.people.text_language import LANGUAGES, language_of_text

MIN_WORDS = 12  # a shorter conversation could be in any language
SAMPLE_MESSAGES = 2000  # messages from which the languages of a corpus are told
MAX_REGIONS = 6  # a number is tried in each, so a long list costs time and finds phones where there are none

# Where people write national numbers in a language; first the country with the most speakers.
_REGIONS = {
    pair.partition(":")[0]: pair.partition(":")[2].split(",")
    for pair in """
    en:US,GB de:DE,AT,CH nl:NL,BE fr:FR,BE,CH es:ES,MX,AR it:IT,CH pt:BR,PT pl:PL cs:CZ sk:SK sv:SE no:NO
    da:DK fi:FI ru:RU uk:UA zh:CN,TW,HK ja:JP ko:KR tr:TR el:GR he:IL ar:EG,SA fa:IR hi:IN bn:BD ur:PK id:ID ms:MY
    th:TH vi:VN tl:PH ro:RO hu:HU bg:BG sr:RS hr:HR sl:SI lt:LT lv:LV et:EE ca:ES eu:ES gl:ES
    ta:IN te:IN mr:IN gu:IN kn:IN ml:IN pa:IN ne:NP si:LK km:KH lo:LA my:MM ka:GE hy:AM az:AZ kk:KZ uz:UZ mn:MN sw:KE
    af:ZA sq:AL mk:MK bs:BA be:BY is:IS ga:IE cy:GB am:ET
    """.split()
}


def language_of(group: MessageGroup) -> str:
    """Return the ISO 639-1 code of a conversation's language; empty if the text is too short to tell."""
    text = " ".join(line for row in group.rows for line in row.lines if not line.startswith("["))
    if len(word_tokens(text)) < MIN_WORDS:
        return ""
    return language_of_text(text)


def foreign(groups: Iterable[MessageGroup], languages: Sequence[str]) -> Iterator[Row]:
    """Yield the rows of conversations in other languages than `languages`. Raises SettingsError for an unknown one."""
    if unknown := set(languages) - set(LANGUAGES):
        raise SettingsError(
            f"[data] languages: {', '.join(sorted(unknown))} can't be told from others; it knows {', '.join(LANGUAGES)}"
        )
    for group in groups:
        language = language_of(group)
        if language and language not in languages:
            yield from group.rows


def languages_of(texts: Sequence[str]) -> tuple[str, ...]:
    """Return the languages spoken in a corpus as ISO 639-1 codes, the most frequent first: at most three."""
    step = max(1, len(texts) // SAMPLE_MESSAGES)
    long = [text for text in islice(texts, 0, None, step) if len(text) >= 20]
    spoken = Counter(language_of_text(text) for text in long)
    return tuple(language for language, count in spoken.most_common(3) if count >= 0.1 * len(long))


def regions_of(
    texts: Iterable[str], names: Iterable[str], languages: Sequence[str], before: Sequence[str] = ()
) -> tuple[str, ...]:
    """Return the countries whose national phone numbers to look for, as ISO 3166 codes.

    Those of the international numbers that occur, then those of `languages`. before: what earlier imports learned.
    """
    written = Counter(
        region
        for text in (*names, *texts)
        if "+" in text
        for number in international(text)
        if (region := region_of(number))
    )
    native = [region for language in languages for region in _REGIONS.get(language, ())]
    learned = dict.fromkeys((*before, *(region for region, _ in written.most_common(4)), *native))
    return tuple(learned)[:MAX_REGIONS]
