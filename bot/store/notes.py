"""Notes by the persona's own hand: what it is to remember without any training."""

import sqlalchemy as sa

from bot.store.records import Note
from bot.store.repository import Repository, reading, transaction
from bot.store.schema import notes


class Notes(Repository):
    """The rows of the notes. They stay until they are taken back."""

    @transaction
    def add(self, write: sa.Connection, words: str, author: str = "") -> Note:
        """Keep a note; one of the same words is kept once. author: `discord:ID` of who gave it, "" for the command line."""
        known = write.execute(sa.select(notes).where(notes.c.words == words)).first()
        if known:
            return Note(known.id, known.words, known.at)
        now = self.database.clock()
        number = write.execute(notes.insert().values(words=words, author=author, at=now)).inserted_primary_key
        assert number
        return Note(int(number[0]), words, now)

    @reading
    def all(self, read: sa.Connection) -> list[Note]:
        """Return all notes, oldest first."""
        rows = read.execute(sa.select(notes.c.id, notes.c.words, notes.c.at).order_by(notes.c.id))
        return [Note(*row) for row in rows]

    @transaction
    def remove(self, write: sa.Connection, number: int) -> bool:
        """Take a note back. Returns False if there is none of this number."""
        return bool(write.execute(notes.delete().where(notes.c.id == number)).rowcount)
