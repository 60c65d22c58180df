"""How fast Telegram takes posts: https://core.telegram.org/bots/faq#my-bot-is-hitting-limits-how-do-i-avoid-this"""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Callable

OVERALL = (30, 1.0)  # posts within seconds
IN_A_GROUP = (20, 60.0)


class Pacing:
    """Gives each post its moment. clock: seconds that never go back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._overall: deque[float] = deque(maxlen=OVERALL[0])
        self._groups: dict[int, deque[float]] = defaultdict(lambda: deque(maxlen=IN_A_GROUP[0]))
        self._held: dict[tuple[int, bool], float] = {}  # by chat, and whether it holds for reactions

    async def wait(self, chat: int, *, reacts: bool = False) -> None:
        """Return when a post in `chat`, or a reaction there, is due."""
        await asyncio.sleep(self.reserve(chat, reacts=reacts))

    def reserve(self, chat: int, *, reacts: bool = False) -> float:
        """Take the next free moment for a post in `chat`, or for a reaction, which is none of a group's messages a minute.
        Returns the seconds until then."""
        now = self._clock()
        due = max(now, self._held.get((chat, reacts), now), _after(self._overall, OVERALL))
        if chat < 0 and not reacts:  # a group, as Telegram numbers chats
            due = max(due, _after(self._groups[chat], IN_A_GROUP))
            self._groups[chat].append(due)
        self._overall.append(due)
        return due - now

    def hold(self, chat: int, seconds: float, *, reacts: bool = False) -> None:
        """Let no post, or no reaction, into `chat` for so long: Telegram said so."""
        self._held[chat, reacts] = self._clock() + seconds


def _after(moments: "deque[float]", limit: tuple[int, float]) -> float:
    """Return the first moment at which one more keeps to the limit."""
    most, seconds = limit
    return moments[0] + seconds if len(moments) == most else 0.0
