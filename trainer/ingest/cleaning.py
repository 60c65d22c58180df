"""What of a message is kept, and as which lines. Pure; every rule has a name, which is its switch in [data.cleaning] and
its row in the import's report."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from persona.config import Cleaning, Data
from persona.markers import attached, typed
from persona.turn_lines import plain_lines
from trainer.corpus.row import TRANSCRIPTS
from trainer.sources.message import Message

LONGEST_RUN = 8  # a character repeated more often says no more: "aaaaaaaaaaaa" folds to eight
_URL = re.compile(r"(?:https?://|www\.)[^\s<>\"'「」『』（）【】《》，。、；！？“”]+", re.IGNORECASE)
_CLOSERS = {")": "(", "]": "[", "}": "{"}
_QUOTED_REST = re.compile(r"^>>> (.*)", re.DOTALL | re.MULTILINE)  # Discord's mark for all that follows
_STATUS = re.compile(r"https?://(?:www\.|mobile\.)?(?:twitter|x)\.com/\w+/status(?:es)?/\d+\S*", re.IGNORECASE)
INVISIBLE = re.compile(r"[\s\u200b-\u200f\u2060-\u2064\u3164\ufe0f\ufeff]*")
_RUN = re.compile(rf"(\D)\1{{{LONGEST_RUN},}}")
_DIGIT_RUN = re.compile(rf"(\d)\1{{{LONGEST_RUN},}}")
_COMMAND = re.compile(r"[/!][A-Za-z][\w@-]*(\s|$)")
_HANDLES = re.compile(r"\s*((?:@[\w.\-]{1,30}(?:@[\w.\-]+)?\s+)+)(?=\S)")
_HANDLE = re.compile(r"@([\w.\-]+)")
_PASSED_ON = re.compile(r"(?P<comment>\S.*?)\s*\b(?:RT|MT) @(?P<author>\w{1,30}):?\s+(?P<words>\S.*)", re.DOTALL)
NOBODY = "?"  # as forwarded_from: nobody knows who said it first
_QUOTED_FIRST = re.compile(r"[\"“]@(?P<author>\w{1,30}):?\s+(?P<words>[^\"”]+)[\"”]\s*(?P<comment>\S.*)", re.DOTALL)


class Kept(msgspec.Struct, frozen=True, gc=False):
    """A message as the corpus holds it. quoted, author: words of somebody else that it answers, and whose they are.
    mentions: (id, name) pairs. answers: it is a reply, if only by the handles it begins with. rewritten: the rules
    that changed it. forwarded_from: who said it first, "?" if unknown, "" if it is the sender's own."""

    lines: tuple[str, ...]
    quoted: tuple[str, ...] = ()
    author: str = ""
    mentions: tuple[tuple[str, str], ...] = ()
    answers: bool = False
    rewritten: tuple[str, ...] = ()
    forwarded_from: str = ""


@dataclass(frozen=True, slots=True)
class DroppedMessage:
    """Why a message is not in the corpus."""

    reason: str


Rule = Callable[[Message, Data], bool]

# Rules that leave a message out. Those with a switch of their name in [data.cleaning] hold while it is on.
DROPS: dict[str, Rule] = {
    "service": lambda message, _: message.kind in ("service", "call"),
    "unsupported": lambda message, _: message.kind == "unsupported",
    "deleted": lambda message, _: message.kind == "deleted",
    "via_bot": lambda message, _: message.is_bot,
    "private": lambda message, settings: is_private(message, settings) and not settings.dms,
    "retweets": lambda message, _: bool(message.forwarded_from) and message.platform == "x",
    "forwards": lambda message, _: bool(message.forwarded_from) and message.platform != "x" and _is_post(message),
    "nobody": lambda message, _: not (message.sender_id or message.sender_name or message.is_self),
    "commands": lambda message, _: message.text.startswith(("/", "!")) and bool(_COMMAND.match(message.text)),
    "blocked_words": lambda message, settings: _has_blocked_word(message.text, settings.blocked_words),
    "quoted_only": lambda message, _: _is_quotation(message),
    "bare_links": lambda message, _: _is_bare_link(message),
}


def is_private(message: Message, settings: Data) -> bool:
    """Return whether only those it was written to can see it; groups outside any server, if [data] group_dms = false."""
    return message.conversation_type == "dm" or (message.is_group_dm and not settings.group_dms)


def clean(message: Message, settings: Data, *, may_run: bool = True) -> Kept | DroppedMessage:
    """Return the message as the corpus holds it, or the first rule that drops it. may_run: whether its text may hold a run of
    one character."""
    switches = settings.cleaning.__dict__  # asked for every message: getattr on a model is slow where there is no field
    for name, applies in DROPS.items():
        if switches.get(name, True) and applies(message, settings):
            return DroppedMessage(name)
    draft = _Draft(message.text, mentions=list(message.mentions))
    if settings.cleaning.quotes and "> " in message.text and message.platform not in TRANSCRIPTS:
        _split_quotation(draft)
    if message.conversation_type == "feed":
        _split_feed(draft, settings.cleaning)
    lines = _written(draft, draft.text, settings.cleaning, may_run)
    if message.platform not in TRANSCRIPTS:
        lines = typed(lines)
    if settings.cleaning.media and message.attachments:
        lines = attached(message.attachments, lines)
        draft.rewritten.append("media")
    is_forward = settings.cleaning.forwards and bool(message.forwarded_from) and bool(lines)
    if is_forward:
        draft.rewritten.append("forwards")
    if not lines:
        return DroppedMessage("empty")
    quoted = draft.quoted or message.quoted_text
    return Kept(
        lines,
        _written(draft, quoted, settings.cleaning) if quoted else (),
        draft.author or (message.reply_to_name if quoted else ""),
        tuple(draft.mentions),
        draft.answers or bool(draft.quoted),
        tuple(dict.fromkeys(draft.rewritten)),
        (NOBODY if message.forwarded_from == "somebody" else message.forwarded_from) if is_forward else "",
    )


@dataclass(slots=True)
class _Draft:
    """A message while rules rewrite it."""

    text: str
    quoted: str = ""
    author: str = ""
    answers: bool = False
    mentions: list[tuple[str, str]] = field(default_factory=list)
    rewritten: list[str] = field(default_factory=list)


def _split_quotation(draft: _Draft) -> None:
    """Part one's own words from lines marked as quoted, as Discord, Slack and WhatsApp mark them."""
    text, rest = draft.text, ""
    if match := _QUOTED_REST.search(text):
        text, rest = text[: match.start()], match[1]
    lines = text.split("\n")
    own = "\n".join(line for line in lines if not line.startswith("> ")).strip()
    quoted = "\n".join((*(line[2:] for line in lines if line.startswith("> ")), rest)).strip()
    if own and quoted:
        draft.text, draft.quoted = own, quoted
        draft.rewritten.append("quotes")


def _split_feed(draft: _Draft, rules: Cleaning) -> None:
    """Apart from what a post says: whom it answers, and what it quotes."""
    may_quote = rules.quotes and "@" in draft.text
    if may_quote and (match := _PASSED_ON.fullmatch(draft.text) or _QUOTED_FIRST.fullmatch(draft.text)):
        draft.text, draft.quoted, draft.author = match["comment"].strip(), match["words"].strip(), match["author"]
        draft.rewritten.append("quotes")
    if rules.handles and (match := _HANDLES.match(draft.text)):
        known = {name.casefold() for _, name in draft.mentions}
        handles = _HANDLE.findall(match[1])
        draft.mentions += [("", handle) for handle in handles if handle.casefold() not in known]
        draft.text, draft.answers = draft.text[match.end() :], True
        draft.rewritten.append("handles")


def _written(draft: _Draft, text: str, rules: Cleaning, may_run: bool = True) -> tuple[str, ...]:
    """`text` as lines, links and runs folded."""
    if rules.links and _may_hold_link(text):
        text, links = _URL.subn(_folded_link, text)
        if links:
            draft.rewritten.append("links")
    lines = tuple(line for line in plain_lines(text) if not INVISIBLE.fullmatch(line))
    if may_run and rules.runs and any(map(_RUN.search, lines)):
        lines = tuple(_RUN.sub(lambda run: run[1] * LONGEST_RUN, line) for line in lines)
        draft.rewritten.append("runs")
    return lines


def fold_digits(text: str) -> str:
    """Return `text` with runs of one digit folded. Only when personal data was looked for: a card may hold such a run."""
    return _DIGIT_RUN.sub(lambda run: run[1] * LONGEST_RUN, text)


def _folded_link(url: "re.Match[str]") -> str:
    """[link], and what stands behind the address: the full stop of a sentence, the bracket it was put into."""
    address = url[0]
    while (last := address[-1:]) and (
        last in ".,;:!?*_~" or address.count(last) > address.count(_CLOSERS.get(last, last))
    ):
        address = address[:-1]
    return "[link]" + url[0][len(address) :]


def _is_quotation(message: Message) -> bool:
    """Return whether there is nothing in it but what others said: the address of a post, or lines marked as quoted."""
    text = message.text.strip()
    telling = text.startswith(">") or "/status" in text or message.quoted_text
    if message.attachments or not (text and telling):
        return False
    quoted = all(line.lstrip().startswith(("> ", ">>")) for line in text.split("\n") if line.strip())
    return quoted or not _STATUS.sub("", text).strip() or text == message.quoted_text.strip()


def _is_post(message: Message) -> bool:
    """Whether it stands in a feed, where what others said is passed on whole."""
    return message.conversation_type in ("feed", "channel")


def _is_bare_link(message: Message) -> bool:
    text = message.text.strip()
    return not message.attachments and bool(_URL.match(text)) and not _URL.sub("", text).strip()


def _may_hold_link(text: str) -> bool:
    return "://" in text or "www." in text or "WWW." in text


def _has_blocked_word(text: str, words: tuple[str, ...]) -> bool:
    lowered = text.casefold() if words else ""
    return any(re.search(rf"(?<!\w){re.escape(word.casefold())}(?!\w)", lowered) for word in words)
