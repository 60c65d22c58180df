"""What may come to mind is of the train split, by time, and of a DM only with somebody who can be known again."""

from pathlib import Path

from persona.archive.index import FILE, Archive
from persona.archive.ranking import Cue
from persona.config import Settings
from persona.transcript import Conversation, Quote, Turn
from trainer.corpus.archiving import archived_passages, dm_of, write_archive
from trainer.corpus.conversation_records import ConversationRecord
from trainer.corpus.store import Corpus

SETTINGS = Settings.model_validate({"persona": {"name": "Mara"}, "people": {"PRIYA": {"names": ["Priya"]}}})


def record(id: str, scene: str, *said: tuple[str, str], at: float | None = None) -> ConversationRecord:
    turns = tuple(Turn(speaker, (text,)) for speaker, text in said)
    return ConversationRecord(id, Conversation(scene, turns), (at,) * len(turns), "telegram")


GROUP = record("group", "group", ("BOB", "the password of the shed"), ("MARA", "never"), at=2.0)
EARLY = record("early", "reply", ("BOB", "hello there"), ("MARA", "hi"), at=1.0)
DM = record("dm", "dm", ("PRIYA", "a surprise for bob"), ("MARA", "ssh"), at=3.0)
STRANGER = record("stranger", "dm", ("ZED", "my secret"), ("MARA", "ok"), at=3.0)
ALONE = record("alone", "dm", ("MARA", "anybody?"), at=3.0)


def corpus(*records: ConversationRecord, held_out: str = "") -> Corpus:
    return Corpus(conversations=records, splits={each.id: "b" if each.id == held_out else "train" for each in records})


def test_what_is_held_out_is_not_remembered(tmp_path: Path) -> None:
    """Nor where somebody quotes it in a conversation that is trained on: the judges' texts are looked for in the file."""
    quoting = record("quoting", "group", ("BOB", "as you said"), ("MARA", "did I?"), at=9.0)
    turns = (Turn("BOB", ("as you said",), Quote("MARA", "xylophone")), *quoting.conversation.turns[1:])
    quoting = ConversationRecord("quoting", Conversation("group", turns), quoting.timestamps, "telegram")
    judged = record("judged", "group", ("BOB", "what is it?"), ("MARA", "xylophone"), at=1.0)
    count = write_archive(SETTINGS, corpus(GROUP, quoting, judged, held_out="judged"), tmp_path / "private" / FILE)
    assert count == 2
    archive = Archive.open(tmp_path / "private" / FILE)
    assert {passage.conversation for passage in archive.passages()} == {"group", "quoting"}
    assert archive.search(Cue((Turn("NOOR", ("xylophone",)),))) == []
    assert b"xylophone" not in (tmp_path / "private" / FILE).read_bytes()
    assert (tmp_path / "private").stat().st_mode & 0o777 == 0o700


def test_what_is_public_comes_first_and_all_by_time() -> None:
    """As an archive takes it. A DM with somebody whom no settings name could be anybody's: it is left out."""
    passages = list(archived_passages(SETTINGS, corpus(DM, GROUP, STRANGER, EARLY, ALONE)))
    assert [(passage.conversation, passage.dm) for passage in passages] == [
        ("early", ""),
        ("group", ""),
        ("dm", "PRIYA"),
    ]


def test_a_dm_is_known_by_the_other_person() -> None:
    """Elsewhere nobody is asked."""
    assert dm_of("dm", DM.conversation.turns, "MARA") == "PRIYA"
    assert dm_of("dm", ALONE.conversation.turns, "MARA") == ""
    assert dm_of("group", GROUP.conversation.turns, "MARA") == ""
