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
        self._held: dict[int, float] = {}

    async def wait(self, chat: int) -> None:
        """Return when a post in `chat` is due."""
        await asyncio.sleep(self.reserve(chat))

    def reserve(self, chat: int) -> float:
        """Take the next free moment for a post in `chat`. Returns the seconds until then."""
        now = self._clock()
        due = max(now, self._held.get(chat, now), _after(self._overall, OVERALL))
        if chat < 0:  # a group, as Telegram numbers chats
            due = max(due, _after(self._groups[chat], IN_A_GROUP))
            self._groups[chat].append(due)
        self._overall.append(due)
        return due - now

    def hold(self, chat: int, seconds: float) -> None:
        """Let no post into `chat` for so long: Telegram said so."""
        self._held[chat] = self._clock() + seconds


def _after(moments: "deque[float]", limit: tuple[int, float]) -> float:
    """Return the first moment at which one more keeps to the limit."""
    most, seconds = limit
    return moments[0] + seconds if len(moments) == most else 0.0
