"""Who the stand-ins are: for the owner's screen alone, and what friends read in their place."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from persona.names import SOMEONE
from trainer.console import safe_text
from trainer.corpus.store import Corpus

MOST_SHOWN = 12


def stand_ins_of(corpus: Corpus) -> dict[str, list[str]]:
    """Return what the people behind the stand-ins are called in the exports, those who wrote most first."""
    messages = Counter(corpus.people[row.sender].name for row in corpus.rows)
    bearers: dict[str, list[str]] = {}
    for key, identity in corpus.identities.items():
        person = corpus.people[key]
        if person.pseudonymous and not person.dropped:
            calls = bearers.setdefault(person.name, [])
            calls += [identity.name] if identity.name not in calls else []
    return {name: bearers[name] for name in sorted(bearers, key=lambda name: (-messages[name], name))}


def stand_in_lines(bearers: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Yield the sentences that explain stand-ins on the screen; none if there are none. Whom no export names is left out."""
    bearers = {name: calls for name, calls in bearers.items() if set(calls) != {SOMEONE}}
    if not bearers:
        return
    yield (
        "stand-ins, for people without consent; their names stand on this screen only, and friends read 'somebody' in "
        "place of a stand-in:"
    )
    for name in list(bearers)[:MOST_SHOWN]:
        yield safe_text(f"  {name} is {', '.join(bearers[name][:3])}")
    if len(bearers) > MOST_SHOWN:
        yield f"  and {len(bearers) - MOST_SHOWN:,} more; 'python -m trainer forget --dry-run NAME' says who one of them is"
