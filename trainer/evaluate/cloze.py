"""Cloze: how likely a name, number or place that was said before is, with the window that holds it, another one, or none.

A fact is a number, or a word that begins with a capital inside a line or that its language hardly has, which stands in a few
archived passages and not in the turns before the reply. Scripts without blanks have numbers alone.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from persona.archive.index import Archive
from persona.archive.ranking import Cue
from persona.archive.terms import terms_of
from persona.transcript import Excerpt, Turn, written
from persona.word_tokens import is_cjk, word_tokens
from trainer.corpus.archiving import dm_of
from trainer.evaluate.intervals import Figure, Numbers, bootstrap
from trainer.evaluate.likelihood import LikelihoodScorer
from trainer.evaluate.reply_context import ReplyContext
from trainer.people.name_lexicon import MIN_ZIPF
from trainer.people.text_language import language_of_text

MAX_PASSAGES = 5  # that hold a fact; what more do is no secret to the adapter
MIN_LETTERS, MIN_DIGITS = 3, 2
MIN_FACTS, MAX_FACTS = 10, 150  # that are measured
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Fact:
    """A word of a reply that was said before. start, end: where it stands in the reply's text. right, wrong: a passage that
    holds it, and one that doesn't. recalled: whether it stands in what came to mind."""

    context: ReplyContext
    start: int
    end: int
    right: Excerpt
    wrong: Excerpt
    recalled: bool


@dataclass(frozen=True, slots=True)
class Cloze:
    """Nats of each fact with no memory, with the right window, and with a wrong one. recalled: 1 if it came to mind."""

    none: Numbers
    right: Numbers
    wrong: Numbers
    recalled: Numbers

    @property
    def nats(self) -> Figure:
        """Return the mean nats of a fact without a memory."""
        return bootstrap(_mean, self.none)

    @property
    def gain(self) -> Figure:
        """Return how many nats the right window saves."""
        return bootstrap(_mean, self.none - self.right)

    @property
    def harm(self) -> Figure:
        """Return how many nats a wrong window costs."""
        return bootstrap(_mean, self.wrong - self.none)

    @property
    def found(self) -> Figure:
        """Return how often a window with the fact comes to mind by itself."""
        return bootstrap(_mean, self.recalled)


def cloze(scorer: LikelihoodScorer, facts: Sequence[Fact]) -> Cloze | None:
    """Measure facts; None if there are too few."""
    if len(facts) < MIN_FACTS:
        return None

    def nats(memories: Iterable[tuple[Excerpt, ...]]) -> Numbers:
        asked = [
            (replace(fact.context, memories=excerpts), fact.start, fact.end)
            for fact, excerpts in zip(facts, memories, strict=True)
        ]
        return scorer.nats_of_parts(asked)

    return Cloze(
        nats(() for _ in facts),
        nats((fact.right,) for fact in facts),
        nats((fact.wrong,) for fact in facts),
        np.array([fact.recalled for fact in facts], dtype=float),
    )


def facts_of(contexts: Sequence[ReplyContext], archive: Archive, persona: str) -> list[Fact]:
    """Return the facts of replies in order, at most one a reply and MAX_FACTS in all. contexts: with what came to mind."""
    language = _language(contexts)
    facts: list[Fact] = []
    for number, context in enumerate(contexts):
        if len(facts) == MAX_FACTS:
            break
        facts += _facts(context, archive, persona, language, number)[:1]
    return facts


def _facts(context: ReplyContext, archive: Archive, persona: str, language: str, number: int) -> list[Fact]:
    if not context.before or written(context.real) != context.text:
        return []
    known = {term for turn in context.before for term in terms_of(f"{turn.speaker} {turn.text}")}
    found = []
    for match in _candidates(context.text, language):
        terms = terms_of(match[0])
        if len(terms) != 1 or terms[0] in known or is_cjk(terms[0]):
            continue
        cue = Cue(
            (Turn(persona, (match[0],)),),
            at=context.at,
            conversation=context.conversation_id,
            dm=dm_of(context.scene, context.before, persona),
        )
        holding = [each.passage for each in archive.search(cue) if _holds(each.passage.turns, terms[0])]
        wrong = archive.draw(cue, number)
        if 0 < len(holding) <= MAX_PASSAGES and wrong and not _holds(wrong.turns, terms[0]):
            recalled = any(_holds(memory.turns, terms[0]) for memory in context.memories)
            found.append(Fact(context, match.start(), match.end(), holding[0].excerpt, wrong.excerpt, recalled))
    return found


def _candidates(text: str, language: str) -> Iterator[re.Match[str]]:
    """Yield the words of a text that may be facts."""
    for match in _WORD.finditer(text):
        word = match[0]
        begins_line = not text[: match.start()].rpartition("\n")[2].strip()
        if word.isdigit():
            if len(word) >= MIN_DIGITS:
                yield match
        elif len(word) >= MIN_LETTERS and (
            (word[0].isupper() and not word.isupper() and not begins_line) or _is_rare(word, language)
        ):
            yield match


@cache
def _is_rare(word: str, language: str) -> bool:
    """Return whether a language hardly has a word."""
    import wordfreq

    if language not in wordfreq.available_languages():
        return False
    return bool(wordfreq.zipf_frequency(word, language) < MIN_ZIPF)


def _language(contexts: Sequence[ReplyContext]) -> str:
    """Return the language that most of the replies are in."""
    counts = Counter(language_of_text(context.text) for context in contexts[:MAX_FACTS] if word_tokens(context.text))
    return counts.most_common(1)[0][0] if counts else ""


def _holds(turns: Sequence[Turn], term: str) -> bool:
    return any(term in terms_of(turn.text) for turn in turns)


def _mean(values: Numbers) -> float:
    return float(values.mean())
