"""One message of the corpus: cleaned, and nobody named in it who is not to be."""

import msgspec

TRANSCRIPTS = ("text", "roles")  # platforms of what may be our own: a turn answers what it quotes, and nothing else
UNKNOWN_PARENT = "?"  # as reply_to: it answers something, and nobody knows what


class QuotedLines(msgspec.Struct, frozen=True, gc=False):
    """Words that stand in no message of their own. author: identity key, "" if unknown."""

    lines: tuple[str, ...]
    author: str = ""


class Row(msgspec.Struct, frozen=True, gc=False):
    """A message of the corpus. sender, mentions, forwarded_from: identity keys (see people). at: UTC seconds. quoted: what it
    answers, if that is no message. reactions: (emoji, identity key) pairs. forwarded_from: who said it first, "?" if unknown,
    "" if it is the sender's own. What few messages have is in as few fields as can be: millions are held at once."""

    platform: str
    source: str
    channel: str
    conversation_type: str
    message_id: str
    sender: str
    at: float | None
    lines: tuple[str, ...]
    reply_to: str = ""
    thread: str = ""
    quoted: QuotedLines | None = None
    mentions: tuple[str, ...] = ()
    reactions: tuple[tuple[str, str], ...] = ()
    forwarded_from: str = ""

    @property
    def text(self) -> str:
        """Its words, and none of those it quotes."""
        return "\n".join(self.lines)

    @property
    def all_lines(self) -> tuple[str, ...]:
        """Its lines and those it quotes."""
        return (*self.lines, *self.quoted.lines) if self.quoted else self.lines


def message_key(row: Row) -> tuple[str, ...]:
    """Return the key that a message has in every export that holds it."""
    if row.platform == "text":  # no ids: the same words by the same speaker at the same place of the same file
        return (row.platform, row.channel, row.message_id, row.sender, *row.lines)
    return (row.platform, row.channel, row.message_id)
