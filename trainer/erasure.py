"""Forgetting a person: out of the corpus, out of imports to come, and on the list of bundles to train anew."""

import dataclasses
import shutil
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from persona.bundle import SEAL, Seal, leftover_drafts, versions
from persona.config import Person, Settings
from persona.errors import UserError
from persona.names import normalise
from persona.retraining import mark, unmark
from persona.transcript import UNKNOWN
from trainer.bundle.archive_erasure import erase_from_archives
from trainer.bundle.provenance import trained_on
from trainer.corpus.row import QuotedLines, Row
from trainer.corpus.store import Corpus, build, load, save
from trainer.evaluate.rival.kept_answers import FOLDER as RIVALS
from trainer.ingest.languages import languages_of
from trainer.loop.checkpoints import WORK
from trainer.people.erasure_list import load_erasure_list, masked_names, save_erasure_list
from trainer.people.identities import Identity, KnownPerson, identity_key
from trainer.people.name_lexicon import NameLexicon, NameMatch
from trainer.people.name_rules import name_matches


@dataclass(frozen=True, slots=True)
class ErasureReceipt:
    """What was removed, without a word about whom. messages: theirs. quotations: of their words in other messages.
    mentions: messages of others in which their name became […]. bundles: trained on them, to be trained anew. leftovers:
    grown bases, interrupted trainings and a rival's answers, which held their words, removed."""

    at: str
    messages: int
    quotations: int
    mentions: int
    conversations_before: int
    conversations_after: int
    bundles: Sequence[str]
    leftovers: int
    memories: int = 0


@dataclass(frozen=True, slots=True)
class Erasure:
    """An erasure that is worked out, and has changed nothing yet. names: what the person is called, for whoever is asked.
    identities, lexicon: what the erasure list remembers of them. left: the corpus without them. leftovers: folders to remove.
    speakers: their keys. masked: takes their names out of a text."""

    receipt: ErasureReceipt
    names: Sequence[str]
    identities: Sequence[Identity]
    lexicon: NameLexicon
    left: Corpus
    leftovers: Sequence[Path]
    speakers: Collection[str]
    masked: Callable[[str], str]


def erase(settings: Settings, name: str, now: datetime) -> ErasureReceipt:
    """Remove the person called `name`. Raises what `plan_erasure` raises."""
    return carry_out(settings, plan_erasure(settings, name, now))


def plan_erasure(settings: Settings, name: str, now: datetime) -> Erasure:
    """Return what removes the person called `name` (a name, handle, id, speaker key or pseudonym). Raises UserError if
    nobody or several people are called so, and for the persona."""
    corpus = load(settings)
    keys = _meant(settings, corpus, name)
    people = {corpus.people[key] for key in keys}
    identities = [corpus.identities[key] for key in keys] + [
        identity for person in people for identity in _in_settings(settings, person.key)
    ]
    load_erasure_list(settings)  # a damaged one is told before anything is worked out
    lexicon = NameLexicon(languages_of([line for row in corpus.rows for line in row.lines]))
    masked = _masking(corpus, identities, people, lexicon)
    rows, counts = _without(corpus, keys, masked)
    left = build(
        settings,
        rows,
        {key: identity for key, identity in corpus.identities.items() if key not in keys},
        {key: stand_in for key, stand_in in corpus.pseudonyms.items() if key not in keys},
        corpus.splits,
        corpus.regions,
    )
    bundles = _trained_on(settings, keys, {person.key for person in people})
    leftovers = _leftovers(settings)
    speakers = {person.key for person in people} | {normalise(corpus.pseudonyms.get(key, "")) for key in keys} - {""}
    receipt = ErasureReceipt(
        at=now.isoformat(timespec="seconds"),
        **counts,
        conversations_before=len(corpus.conversations),
        conversations_after=len(left.conversations),
        bundles=bundles,
        leftovers=len(leftovers),
    )
    names = [corpus.identities[key].name for key in keys] + [person.name for person in people]
    return Erasure(receipt, sorted(set(names)), identities, lexicon, left, leftovers, speakers, masked)


def carry_out(settings: Settings, erasure: Erasure) -> ErasureReceipt:
    """Remove the person. Returns the receipt."""
    # first, since the corpus must know them still if it is cut short
    memories = erase_from_archives(settings.adapters, erasure.speakers, erasure.masked)
    receipt = dataclasses.replace(erasure.receipt, memories=memories)
    erasure_list = load_erasure_list(settings).adding(erasure.identities, asdict(receipt), erasure.lexicon)
    save_erasure_list(erasure_list, settings)  # before the corpus: a crash must not lose the wish
    save(erasure.left, settings.corpus)
    if receipt.bundles:
        mark(settings.adapters, receipt.bundles, datetime.fromisoformat(receipt.at))
    for path in erasure.leftovers:
        shutil.rmtree(path, ignore_errors=True)
    return receipt


def undo_erasure(settings: Settings, name: str) -> Mapping[str, Any]:
    """Take a person called `name` off the erasure list; the next `import --fresh` reads them again. Returns the receipt of
    the erasure. Raises UserError if nobody or several people called so are on it."""
    erasure_list, receipt = load_erasure_list(settings).removing(name.strip().removeprefix("@"))
    others = {version for other in erasure_list.receipts for version in other.get("bundles", ())}
    save_erasure_list(erasure_list, settings)
    unmark(settings.adapters, set(receipt.get("bundles", ())) - others)
    return receipt


def _in_settings(settings: Settings, key: str) -> list[Identity]:
    """Return what [persona] or [people] calls the speaker, as if that were a platform of its own; and their live ids."""
    if key == settings.persona.key:
        names: Sequence[str] = (settings.persona.name, *settings.persona.aliases)
        return [Identity(identity_key("people", "", name), Counter([name])) for name in names]
    person = settings.people.get(key, Person())
    identities = [Identity(identity_key("people", "", name), Counter([name])) for name in person.names]
    return identities + [Identity(key) for key in person.export_keys()]


def _meant(settings: Settings, corpus: Corpus, name: str) -> frozenset[str]:
    """Return the identity keys of the one person whom `name` calls."""
    asked = normalise(name.strip().removeprefix("@"))
    matches: dict[KnownPerson, set[str]] = {}
    for key, identity in corpus.identities.items():
        person = corpus.people[key]
        own = [alias for known in (identity, *_in_settings(settings, person.key)) for alias in known.aliases]
        if asked and asked in {normalise(call) for call in (person.key, person.name, key, *own)}:
            matches.setdefault(person, set())
    for key, person in corpus.people.items():
        if person in matches:
            matches[person].add(key)
    if not matches:
        raise UserError(f"nobody in the corpus is called {name!r}; 'python -m trainer stats' lists who is there")
    if len(matches) > 1:
        several = "; ".join(sorted(f"{person.name}: {', '.join(sorted(keys))}" for person, keys in matches.items()))
        raise UserError(f"{name!r} may be several people; name one of their ids or stand-ins: {several}")
    ((person, keys),) = matches.items()
    if person.persona:
        raise UserError(f"{name!r} is the persona; to forget them, remove corpus and adapters instead")
    return frozenset(keys)


def _masking(
    corpus: Corpus, identities: Sequence[Identity], people: Collection[KnownPerson], lexicon: NameLexicon
) -> Callable[[str], str]:
    """Puts […] in place of what they are called in texts: their own names where they stood under them, else the
    stand-in."""
    others = {
        normalise(call)
        for key, identity in corpus.identities.items()
        if corpus.people[key] not in people
        for call in name_matches(identity, lexicon)
    }
    matches: dict[str, NameMatch] = {person.name.lower(): "capital" for person in people}
    for identity in identities:
        matches |= name_matches(identity, lexicon)
    return masked_names({call: match for call, match in matches.items() if normalise(call) not in others}, lexicon)


def _without(
    corpus: Corpus, keys: Collection[str], masked: Callable[[str], str]
) -> tuple[list[Row], Mapping[str, int]]:
    rows: list[Row] = []
    quotations = mentions = 0
    gone = {(row.platform, row.message_id) for row in corpus.rows if row.sender in keys}
    for row in corpus.rows:
        if row.sender in keys:
            continue
        theirs = row.quoted is not None and row.quoted.author in keys
        quoted = row.quoted and replace(row.quoted, lines=tuple(map(masked, row.quoted.lines)))
        changed = replace(
            row,
            lines=tuple(map(masked, row.lines)),
            quoted=QuotedLines((UNKNOWN,)) if theirs else quoted,
            mentions=tuple(key for key in row.mentions if key not in keys),
            reactions=tuple((emoji, key) for emoji, key in row.reactions if key not in keys),
            forwarded_from="?" if row.forwarded_from in keys else row.forwarded_from,
            reply_to="?" if row.conversation_type == "feed" and (row.platform, row.reply_to) in gone else row.reply_to,
        )
        quotations += theirs
        mentions += changed.lines != row.lines
        rows.append(changed)
    return rows, {"messages": len(corpus.rows) - len(rows), "quotations": quotations, "mentions": mentions}


def _trained_on(settings: Settings, keys: Collection[str], speakers: Collection[str]) -> list[str]:
    """Return the versions of sealed bundles that were trained on them. Seals alone are read: a bundle that was tampered
    with counts."""
    trained: list[str] = []
    for version in versions(settings.adapters):
        folder = settings.adapters / str(version)
        seal = Seal.model_validate_json((folder / SEAL).read_text(encoding="utf-8"))
        if trained_on(folder, seal, keys, speakers):
            trained.append(str(version))
    return trained


def _leftovers(settings: Settings) -> list[Path]:
    """Return what earlier trainings left to go on with, grown from or fitted to a corpus in which they still were; and what
    rivals answered to their words."""
    return [
        *(
            path
            for name in ("bases", WORK)
            if (settings.adapters / name).is_dir()
            for path in (settings.adapters / name).iterdir()
        ),
        *(path for path in [settings.adapters / RIVALS] if path.is_dir()),
        *leftover_drafts(settings.adapters),
    ]
