"""What an import read, kept and dropped: read = kept + dropped, for every source and speaker."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from persona.transcript import UNKNOWN
from trainer.sources.files.leftovers import Leftover
from trainer.sources.message import Reject

REJECTS_KEPT = 100
SPEAKERS_SHOWN = 20


@dataclass(slots=True)
class ImportCounts:
    """Counts of one import. read, kept: by (source, identity key). dropped: by (source, identity key, reason). rejects: the
    first of the passages that could not be read, rejected: how many. unrecognised: paths that are no exports. unread: files
    in them that no reader knows. refused: what
    is damaged or hostile, each in a sentence. group_dms: messages of groups outside any
    server, read as groups. experimental: formats that were read and of which no real file was ever seen.
    rewritten: messages by the rule that changed them. replaced: personal data by kind. names: words of
    texts that stand-ins replaced, in lower case. overlaps: messages of one source that stood in another, by both."""

    read: Counter[tuple[str, str]] = field(default_factory=Counter)
    kept: Counter[tuple[str, str]] = field(default_factory=Counter)
    dropped: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    rewritten: Counter[str] = field(default_factory=Counter)
    replaced: Counter[str] = field(default_factory=Counter)
    names: Counter[str] = field(default_factory=Counter)
    overlaps: Counter[tuple[str, str]] = field(default_factory=Counter)
    rejects: list[Reject] = field(default_factory=list)
    rejected: int = 0
    unrecognised: list[str] = field(default_factory=list)
    unread: list[Leftover] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    experimental: set[str] = field(default_factory=set)
    group_dms: int = 0

    def reject(self, reject: Reject) -> None:
        """Something could not be read. The first of them are kept, without what stood there."""
        self.rejected += 1
        if len(self.rejects) < REJECTS_KEPT:
            self.rejects.append(replace(reject, raw=""))

    def keep(self, source: str, sender: str, count: int = 1) -> None:
        self.read[source, sender] += count
        self.kept[source, sender] += count

    def drop(self, source: str, sender: str, reason: str) -> None:
        self.read[source, sender] += 1
        self.dropped[source, sender, reason] += 1

    def retract(self, source: str, sender: str, reason: str) -> None:
        """What was counted as kept is dropped after all."""
        self.kept[source, sender] -= 1
        self.dropped[source, sender, reason] += 1

    def reasons(self, source: str, senders: Sequence[str]) -> dict[str, int]:
        """Drops of one source and these senders by reason, most frequent first."""
        reasons: Counter[str] = Counter()
        for (where, who, reason), count in self.dropped.items():
            if where == source and who in senders:
                reasons[reason] += count
        return dict(reasons.most_common())

    @property
    def total(self) -> dict[str, int]:
        """Over all sources and speakers."""
        counts = {"read": self.read, "kept": self.kept}
        return {name: sum(count.values()) for name, count in counts.items()} | {"dropped": sum(self.dropped.values())}

    def table(self, names: dict[str, str]) -> list[dict[str, Any]]:
        """Return a row for each source and speaker, most messages first. names: what each identity is called; those who
        are forgotten are called […]."""
        groups: dict[tuple[str, str], list[str]] = {}
        for source, sender in self.read:
            groups.setdefault((source, names.get(sender, UNKNOWN)), []).append(sender)
        rows = [
            {
                "source": source,
                "speaker": name,
                "read": sum(self.read[source, sender] for sender in senders),
                "kept": sum(self.kept[source, sender] for sender in senders),
                "dropped": self.reasons(source, senders),
            }
            for (source, name), senders in groups.items()
        ]
        return sorted(rows, key=lambda row: (str(row["source"]), -int(str(row["read"]))))


def most_talkative(table: Sequence[Mapping[str, Any]], count: int = SPEAKERS_SHOWN) -> list[Mapping[str, Any]]:
    """Return the rows of the `count` speakers with most messages, and a row for all others of each source."""
    read: Counter[str] = Counter()
    for row in table:
        read[row["speaker"]] += row["read"]
    shown = {speaker for speaker, _ in read.most_common(count)}
    rows = [row for row in table if row["speaker"] in shown]
    for source in dict.fromkeys(row["source"] for row in table):
        others = [row for row in table if row["source"] == source and row["speaker"] not in shown]
        dropped: Counter[str] = Counter()
        for row in others:
            dropped.update(row["dropped"])
        if others:
            summed = {column: sum(row[column] for row in others) for column in ("read", "kept")}
            name = "1 other" if len(others) == 1 else f"{len(others):,} others"
            rows.append({"source": source, "speaker": name, **summed, "dropped": dict(dropped.most_common())})
    return sorted(rows, key=lambda row: str(row["source"]))
