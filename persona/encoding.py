"""The seam: a transcript as token ids and a loss mask, the same in training and in talking. Needs `tokenizers` only.

ids = [bos?] + enc(scene line) + for each turn enc("KEY:\\n") + enc(quote line)? + enc(lines) + [end_of_turn]; what is remembered
stands before the last turn, between enc("# memory 2019\\n") and enc("# now\\n"). Piece by piece, never one long string: so the
ids of a prompt are a prefix of the ids of prompt and reply.
"""

import json
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import cast

from tokenizers import Tokenizer
from tokenizers.models import Unigram

from persona.errors import UserError
from persona.transcript import (
    NOW,
    Conversation,
    Excerpt,
    Quote,
    Turn,
    header,
    memory_line,
    parse,
    quote_line,
    reads_as_header,
    reads_as_quote,
    scene_line,
    written,
)
from persona.truncation import truncate_from

_PROBE = "ALICE:\nHello World\nsecond Line, No. 42"


@dataclass(frozen=True, slots=True)
class Encoded:
    """ids: token ids of a conversation. loss_mask: for each id whether it carries loss (lines and end_of_turn of the
    speakers asked for). header_mask: whether it says who speaks, in a turn of anybody. Quotes and memories carry no loss.
    start: how many ids come before the first turn."""

    ids: list[int]
    loss_mask: list[bool]
    header_mask: list[bool]
    start: int


class Encoding:
    """One tokenizer with the ids that end turns and begin texts.

    end_of_turn: the id every turn ends with. bos: the id every text begins with, or None. Both are sealed with the
    bundle. Raises UserError if the tokenizer cannot carry a transcript.
    """

    def __init__(self, tokenizer: Tokenizer, end_of_turn: int, bos: int | None = None) -> None:
        self.tokenizer = tokenizer
        self.end_of_turn = end_of_turn
        self.bos = bos
        self._plain = _without_added_tokens(tokenizer)
        self._special = frozenset(
            {*tokenizer.get_added_tokens_decoder(), end_of_turn, bos, _unknown_id(tokenizer)} - {None}
        )
        self._begins_with_blank = self.decode(self.encode("a")).startswith(" ")
        self._follows_with_blank = self.decode(self.encode("a") + self.encode("b")).endswith(" b")
        self._fixed = lru_cache(maxsize=4096)(self._encode_fixed)  # headers and scene lines recur in every conversation
        _refuse_lossy(self)

    @property
    def vocabulary(self) -> int:
        """Number of ids the tokenizer knows."""
        return self.tokenizer.get_vocab_size(with_added_tokens=True)

    def encode(self, piece: str) -> list[int]:
        """Return the ids of one piece of text; none of them is special or added, whatever was typed."""
        return self.encode_many([piece])[0]

    def encode_many(self, pieces: Sequence[str]) -> list[list[int]]:
        """`encode` for many pieces at once, on all cores."""
        rows = [row.ids for row in self._plain.encode_batch_fast(list(pieces), add_special_tokens=False)]
        return [
            self._defused(piece, ids) if self._special.intersection(ids) else ids
            for piece, ids in zip(pieces, rows, strict=True)
        ]

    def decode(self, ids: Iterable[int]) -> str:
        """Return the text of ids, special ones left out."""
        return str(self.tokenizer.decode([i for i in ids if i not in self._special], skip_special_tokens=True))

    def completion(self, ids: Iterable[int]) -> str:
        """Return the text of a sampled turn: what stands before its end_of_turn."""
        text = self.decode(_until(ids, self.end_of_turn))
        return text[1:] if self._begins_with_blank and text.startswith(" ") else text

    def header(self, speaker: str) -> tuple[int, ...]:
        """Return the ids with which a turn of `speaker` begins."""
        return self._fixed(header(speaker) + "\n")

    def prompt(
        self,
        scene: str,
        turns: Sequence[Turn],
        speaker: str,
        *,
        quote: Quote | None = None,
        memories: Sequence[Excerpt] = (),
        year: int | None = None,
        limit: int | None = None,
    ) -> list[int]:
        """Return the ids after which `speaker` speaks next. quote: what they answer, if not the last of `turns`. limit:
        at most so many ids; the oldest turns go first, several at once (persona.truncation)."""
        start = self._start(scene, year)
        end = [*self._remembered(memories), *self.header(speaker), *self._quoted(quote)]
        room = None if limit is None else limit - len(start) - len(end)
        middle: list[list[int]] = []
        for turn in reversed(turns):
            ids = self._turn(turn)
            if room is not None and (room := room - len(ids)) < 0:
                break
            middle.append(ids)
        left_out = len(turns) - len(middle)
        kept = middle[: len(turns) - truncate_from(turns, left_out)] if middle else []
        return [*start, *(i for ids in reversed(kept) for i in ids), *end]

    def memory_length(self, memories: Sequence[Excerpt]) -> int:
        """Return how many ids memories take in a prompt."""
        return len(self._remembered(memories))

    def conversations(self, many: Sequence[Conversation], targets: Collection[str]) -> list[Encoded]:
        """Ids and loss mask of each conversation; the turns of `targets` carry loss."""
        lines = iter(self.encode_many([written(turn) for conversation in many for turn in conversation.turns]))
        return [
            self._conversation(conversation, [next(lines) for _ in conversation.turns], targets)
            for conversation in many
        ]

    def text(self, ids: Sequence[int]) -> str:
        """Return the rendered conversation that `ids` stand for, up to what the tokenizer's normaliser changes."""
        blocks = [block for piece in self._split(ids) for block in self._text_blocks(piece)]
        return "\n\n".join(filter(None, blocks)) + "\n"

    def read(self, ids: Sequence[int]) -> Conversation:
        """Return the conversation that `ids` stand for. Raises TranscriptError if they stand for none."""
        return parse(self.text(ids))

    def _start(self, scene: str, year: int | None) -> list[int]:
        opening = self._fixed(scene_line(scene, year) + "\n")
        return list(opening) if self.bos is None else [self.bos, *opening]

    def _conversation(self, conversation: Conversation, lines: list[list[int]], targets: Collection[str]) -> Encoded:
        ids = self._start(conversation.scene, conversation.year)
        start = len(ids)
        mask, headers = [False] * start, [False] * start

        def add(piece: Sequence[int], *, loss: bool = False, header: bool = False) -> None:
            ids.extend(piece)
            mask.extend([loss] * len(piece))
            headers.extend([header] * len(piece))

        for number, (turn, said) in enumerate(zip(conversation.turns, lines, strict=True), start=1):
            if number == len(conversation.turns):
                add(self._remembered(conversation.memories))
            add(self.header(turn.speaker), header=True)
            add(self._quoted(turn.quote))
            add([*said, self.end_of_turn], loss=turn.speaker in targets)
        return Encoded(ids, mask, headers, start)

    def _turn(self, turn: Turn) -> list[int]:
        return [*self.header(turn.speaker), *self._quoted(turn.quote), *self.encode(written(turn)), self.end_of_turn]

    def _quoted(self, quote: Quote | None) -> list[int]:
        return self.encode(quote_line(quote) + "\n") if quote else []

    def _remembered(self, memories: Sequence[Excerpt]) -> list[int]:
        """Return the ids of what comes to mind; they carry no loss."""
        if not memories:
            return []
        ids: list[int] = []
        for memory in memories:
            ids += self._fixed(memory_line(memory.year) + "\n")
            ids += [i for turn in memory.turns for i in self._turn(turn)]
        return [*ids, *self._fixed(NOW + "\n")]

    def _encode_fixed(self, piece: str) -> tuple[int, ...]:
        return tuple(self.encode(piece))

    def _defused(self, piece: str, ids: list[int]) -> list[int]:
        """`ids` with every special one replaced by the ids of its characters; what has no id is left out."""
        offsets = self._plain.encode(piece, add_special_tokens=False).offsets
        rows = zip(ids, offsets, strict=True)
        return [k for i, (a, b) in rows for k in (self._characters(piece[a:b]) if i in self._special else [i])]

    def _characters(self, text: str) -> list[int]:
        pieces = (self._character(char) for char in text)
        return [i for ids in pieces for i in ids if i not in self._special]

    def _character(self, char: str) -> list[int]:
        known = self._plain.token_to_id("▁" if char == " " else char)
        if known is not None and known not in self._special:
            return [known]
        by_byte = [self._plain.token_to_id(f"<0x{byte:02X}>") for byte in char.encode("utf-8", "ignore")]
        return [i for i in by_byte if i is not None]

    def _split(self, ids: Sequence[int]) -> list[list[int]]:
        pieces: list[list[int]] = [[]]
        for i in ids:
            if i == self.end_of_turn:
                pieces.append([])
            elif i != self.bos:
                pieces[-1].append(i)
        return pieces

    def _text_blocks(self, ids: Sequence[int]) -> list[str]:
        """Return the blocks of one stretch between ends of turns: scene, memory and now lines, then a turn. Without the
        blank that a tokenizer puts before each piece that was encoded apart: those lines, the header, the quote, the
        lines."""
        rows = iter(self.decode(ids).split("\n"))
        blocks: list[str] = []
        for row in rows:
            line = self._begun(row, first=not blocks)
            blocks.append(line)
            if not (reads_as_header(line) and line.startswith("#")):
                break
        said = [self._begun(row) if place == 0 else row for place, row in enumerate(rows)]
        if len(said) > 1 and reads_as_quote(said[0]):
            said[1] = self._begun(said[1])
        return [*blocks[:-1], "\n".join([*blocks[-1:], *said])]

    def _begun(self, row: str, *, first: bool = False) -> str:
        """Return a row that begins a piece, without the blank a tokenizer puts there."""
        has_blank = self._begins_with_blank if first else self._follows_with_blank
        return row.removeprefix(" ") if has_blank else row


class TextStream:
    """The text of ids that come one by one. What ends in the middle of a character is held back until it is whole."""

    def __init__(self, encoding: Encoding) -> None:
        self._encoding = encoding
        self._ids: list[int] = []
        self._told = 0  # ids whose text was given
        self._context = 0  # where decoding starts: some ids, since what a piece decodes to depends on its neighbours

    def push(self, token: int) -> str:
        """Return the text that `token` completes; may be empty."""
        self._ids.append(token)
        before = self._encoding.decode(self._ids[self._context : self._told])
        text = self._encoding.decode(self._ids[self._context :])
        if text.endswith("\ufffd") and len(self._ids) - self._told < 4:  # no character has more bytes
            return ""
        self._context, self._told = self._told, len(self._ids)
        return text[len(before) :]


def open_encoding(folder: Path, end_of_turn: int, bos: int | None) -> Encoding:
    """Return the encoding of a folder that holds a tokenizer.json. Raises UserError if it has none or it can't be
    used."""
    path = folder / "tokenizer.json"
    try:
        return Encoding(Tokenizer.from_file(str(path)), end_of_turn, bos)
    except Exception as error:  # tokenizers raises bare Exception for a missing file and for bad JSON
        if isinstance(error, UserError):
            raise
        raise UserError(f"{path} is no tokenizer ({error}); train or adopt the bundle again") from error


def _without_added_tokens(tokenizer: Tokenizer) -> Tokenizer:
    """Return the same tokenizer blind to added and special tokens: typed ones are plain text to it. It shares the model, whose
    copy by JSON takes seconds where the vocabulary is large."""
    plain = Tokenizer(tokenizer.model)
    if tokenizer.normalizer is not None:
        plain.normalizer = tokenizer.normalizer
    if tokenizer.pre_tokenizer is not None:
        plain.pre_tokenizer = tokenizer.pre_tokenizer
    return plain


def _unknown_id(tokenizer: Tokenizer) -> int | None:
    if isinstance(tokenizer.model, Unigram):  # which tells its id nowhere else
        return cast(int | None, json.loads(tokenizer.to_str())["model"]["unk_id"])
    token = tokenizer.model.unk_token
    return tokenizer.token_to_id(token) if token else None


def _refuse_lossy(encoding: Encoding) -> None:
    """A transcript needs its line breaks and its capitals back."""
    back = encoding.completion(encoding.encode(_PROBE))
    if back != _PROBE:
        tokenizer_type = type(encoding.tokenizer.model).__name__
        lost = "line breaks" if "\n" not in back else "capitals" if back.lower() == back else "text"
        raise UserError(
            f"the base's tokenizer ({tokenizer_type}) loses {lost}: it can't carry a transcript; "
            "choose a base with a byte-level BPE or byte-fallback tokenizer"
        )


def _until(ids: Iterable[int], end: int) -> list[int]:
    kept: list[int] = []
    for i in ids:
        if i == end:
            break
        kept.append(i)
    return kept
