"""How fast personal data is scrubbed: ours beside the usual way, libphonenumber's matcher and the same patterns on every
message. Usage: python bench/pii.py [MEGABYTES] [SHARE OF MESSAGES WITH PERSONAL DATA]."""

import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence

from phonenumbers import PhoneNumberMatcher
from rich.console import Console
from rich.table import Table

from persona.pii.accounts import cards, ibans
from persona.pii.addresses import addresses
from persona.pii.internet import emails, ips
from persona.pii.keys import keys
from persona.pii.scrub import scrub

REGIONS = ("US", "DE", "NL")
WITH_NUMBERS = 0.2  # of messages hold digits or signs that are nothing personal
FINDERS = {"key": keys, "e-mail": emails, "iban": ibans, "card": cards, "ip": ips, "address": addresses}
WORDS = (
    "the lamp man says that nobody knows why it was closed on monday but we went there anyway and had two coffees lol ok sure "
    "maybe tomorrow would do again and the other one said no way 🚲 昨天 我去了 eigentlich nicht doch schon wieder haha yes"
).split()


def personal(rng: random.Random) -> str:
    """Something personal that was never seen before."""
    digits = "".join(rng.choices("0123456789", k=8))
    return rng.choice(
        [
            f"+49 151 {digits}",
            f"me.{digits}@example.org",
            f"call 06{digits}",
            f"{rng.randint(1, 99)} Baker Street",
            "10.1.2.3",
        ]
    )


def messages(size: float, share: float, rng: random.Random) -> list[str]:
    """`size` megabytes of chat in messages of 1 to 20 words, a few lines of tweets among them."""
    made: list[str] = []
    left = size * 1e6
    while left > 0:
        text = " ".join(rng.choices(WORDS, k=rng.randint(1, 20)))
        if rng.random() < WITH_NUMBERS:
            text += rng.choice((" at 18:30", " for 3.50", " 10/10", " since 2019-04", " @bram", ": it's 4 o'clock"))
        made.append(f"{text} {personal(rng)}" if rng.random() < share else text)
        left -= len(made[-1].encode())
    return made


def plainly(text: str) -> list[str]:
    """Every finder on every message, phones by the library's own matcher."""
    found = [kind for kind, finder in FINDERS.items() for _ in finder(text)]
    spans = {(one.start, one.end) for region in REGIONS for one in PhoneNumberMatcher(text, region)}
    return found + ["phone"] * len(spans)


def measured(texts: Sequence[str], find: Callable[[str], Sequence[str]]) -> tuple[float, Counter[str]]:
    """Megabytes a CPU second, and what was found by kind."""
    found: Counter[str] = Counter()
    start = time.process_time()
    for text in texts:
        found.update(find(text))
    seconds = time.process_time() - start
    return sum(len(text.encode()) for text in texts) / 1e6 / seconds, found


def main() -> None:
    """Both on the same messages, one after the other."""
    size, share = map(float, (*sys.argv[1:3], "4", "0.02")[:1] + (*sys.argv[2:3], "0.02")[:1])
    texts = messages(size, share, random.Random(7))
    ours, found = measured(texts, lambda text: scrub(text, REGIONS).kinds)
    rival, rivals = measured(texts[: len(texts) // 10], plainly)
    table = Table("", "MB/s", "found", box=None, pad_edge=False)
    table.add_row("every finder on every message (a tenth of them)", f"{rival:.2f}", str(rivals.total()))
    table.add_row("persona.pii.scrub", f"{ours:.2f}", str(found.total()))
    Console().print(
        table, f"ratio {ours / rival:.1f}; {len(texts):,} messages, {share:.0%} with personal data; {dict(found)}"
    )


if __name__ == "__main__":
    main()
