"""Invented people who write in ways of their own, so that judges have something to judge."""

import random
from collections.abc import Sequence
from dataclasses import dataclass

from persona.transcript import Conversation, Turn
from trainer.corpus.conversation_records import ConversationRecord

_SUBJECTS = (
    "the cat|my bike|this tram|the kettle|your coat|that bridge|the neighbour|a pigeon|the printer|dinner".split("|")
)
_ENDS = "again|today|somehow|for no reason|before noon|without asking|in the rain|on the stairs".split("|")


@dataclass(frozen=True)
class Manner:
    """verbs, opening and ending words; shout: in capitals."""

    verbs: Sequence[str]
    openings: Sequence[str]
    stops: Sequence[str]
    shout: bool = False

    def text(self, rng: random.Random) -> str:
        """A message of this manner."""
        words = (rng.choice(self.openings), rng.choice(_SUBJECTS), rng.choice(self.verbs), rng.choice(_ENDS))
        found = " ".join(filter(None, words)) + rng.choice(self.stops)
        return found.upper() if self.shout else found


ANNA = Manner(
    ("ate the soup", "sang", "is late", "left me", "broke down"), ("well,", "no but", "ok so", ""), ("...", " lol", "")
)
BORIS = Manner(
    ("requires attention", "was repaired", "remains unclear", "has been moved"),
    ("Indeed,", "As stated,", "Regrettably,", "For the record,"),
    (".", "!", ", I believe."),
)
CLEO = Manner(
    ("EXPLODED", "won", "is famous", "needs hugs"), ("omg", "wow", "yes!!", "help"), ("!!!", "!!", " <3"), shout=True
)


def said(manner: Manner, count: int, seed: int = 0) -> list[str]:
    """So many messages."""
    rng = random.Random(seed)
    return [manner.text(rng) for _ in range(count)]


def talks(manners: dict[str, Manner], count: int, seed: int = 0) -> list[ConversationRecord]:
    """Conversations in which everybody says something, one after the other."""
    rng = random.Random(seed)
    return [
        ConversationRecord(
            f"{seed:04}{number:012}",
            Conversation("group", tuple(Turn(key, (one.text(rng),)) for key, one in manners.items())),
            (None,) * len(manners),
            "x",
        )
        for number in range(count)
    ]
