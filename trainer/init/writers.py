"""Who writes in some exports, and how much: the list from which the user says who is who."""

import tempfile
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path

from persona.config import Settings
from persona.names import normalise
from persona.platforms import NAMES
from trainer.ingest.cleaning import DroppedMessage
from trainer.ingest.plain_messages import clean_all
from trainer.ingest.reading import read_all
from trainer.ingest.rows import in_voice
from trainer.people.identities import Identity, register_sender
from trainer.people.resolution import resolve
from trainer.progress import Bars
from trainer.sources.registry import Export

ME = "Me"  # how the account is listed of which an export knows no name; an import takes it for the persona
_NOBODY = "nobody is chosen yet 5d1c"


@dataclass(frozen=True, slots=True)
class Writer:
    """Somebody with messages that an import would keep. calls: names, handles or ids, enough to know each of their accounts
    by. messages: all of them; private: those that [data] dms lets in. ids: (platform, id) where the bot can meet them.
    account: whose export it is, without a name. archive: whether one of the exports is this account's own. shared: of
    `calls`, in their normalised form, what somebody else is called too."""

    name: str
    calls: tuple[str, ...]
    messages: int
    private: int
    ids: tuple[tuple[str, str], ...] = ()
    account: bool = False
    archive: bool = False
    shared: frozenset[str] = frozenset()

    @property
    def own_calls(self) -> tuple[str, ...]:
        """Return what they alone are called; all calls if that is nothing."""
        own = tuple(call for call in self.calls if normalise(call.lstrip("@")) not in self.shared)
        return own or self.calls


def writers(exports: Sequence[Export], bars: Bars) -> list[Writer]:
    """Everybody who writes in these exports, the most talkative first; one name on several platforms is one person."""
    settings = Settings.model_validate({"persona": {"name": _NOBODY}, "data": {"pseudonyms": False, "dms": True}})
    identities: dict[str, Identity] = {}
    counts: Counter[tuple[str, bool]] = Counter()
    owners: set[str] = set()
    with tempfile.TemporaryDirectory(prefix="alterego-") as folder:
        for _, reading in read_all(exports, partial(clean_all, settings=settings.data), Path(folder), bars):
            for message, cleaned in chain.from_iterable(
                zip(batch.messages, batch.made, strict=True) for batch in reading
            ):
                if isinstance(cleaned, DroppedMessage):
                    continue
                message = in_voice(message, settings)
                key = register_sender(identities, message)
                counts[key, message.conversation_type == "dm"] += 1
                if message.is_self:
                    owners.add(key)
    groups: dict[tuple[str, bool], list[Identity]] = {}
    for key, person in resolve(settings, identities, {}).items():
        if counts[key, False] + counts[key, True]:
            groups.setdefault((person.key, person.persona), []).append(identities[key])
    listed = _told_apart(
        [_writer(group, counts, owners, account) for (_, account), group in groups.items()], list(groups.values())
    )
    return sorted(listed, key=lambda writer: (-writer.messages, writer.name))


def _writer(
    group: Sequence[Identity], counts: Counter[tuple[str, bool]], owners: Collection[str], account: bool
) -> Writer:
    private = sum(counts[identity.key, True] for identity in group)
    messages = private + sum(counts[identity.key, False] for identity in group)
    if account:
        return Writer(ME, (ME,), messages, private, account=True)
    name = max(group, key=lambda identity: identity.names.total()).name
    calls = distinct([name, *(call for identity in group for call in (identity.name, identity.handle))])
    ids = tuple(live_id for identity in group if (live_id := _live_id(identity)))
    archive = any(identity.key in owners for identity in group)
    return Writer(name, tuple(calls), messages, private, ids, archive=archive)


def _told_apart(writers: Sequence[Writer], groups: Sequence[Sequence[Identity]]) -> list[Writer]:
    """Return the same, with the ids of those who share a name with others: a name alone doesn't say which of them is
    meant."""
    bearers = Counter(call for writer in writers for call in {normalise(call.lstrip("@")) for call in writer.calls})
    completed: list[Writer] = []
    for writer, group in zip(writers, groups, strict=True):
        shared = frozenset(key for call in writer.calls if bearers[key := normalise(call.lstrip("@"))] > 1)
        ids = (
            [identity.key.partition(":")[2] for identity in group if identity.has_id]
            if shared and not writer.account
            else []
        )
        completed.append(replace(writer, calls=tuple(distinct([*writer.calls, *ids])), shared=shared))
    return completed


def _live_id(identity: Identity) -> tuple[str, str] | None:
    number = identity.key.partition(":")[2].removeprefix("user")
    return (identity.platform, number) if identity.platform in NAMES and number.isdecimal() else None


def distinct(calls: Iterable[str]) -> list[str]:
    """Return each call once, in order; an import doesn't tell them apart by case or a leading @."""
    kept: dict[str, str] = {}
    for call in calls:
        kept.setdefault(normalise(call.lstrip("@")), call)
    return [call for key, call in kept.items() if key]
