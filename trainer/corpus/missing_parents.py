"""Posts that people who may be imitated answered and that no export holds: what only the user can fetch."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from trainer.corpus.row import Row
from trainer.people.identities import KnownPerson


def missing_parents(rows: Iterable[Row], people: Mapping[str, KnownPerson]) -> Iterator[dict[str, Any]]:
    """Yield a line of replies.jsonl for each of them, its text to be filled in; the newest first."""
    posts = [row for row in rows if row.conversation_type == "feed"]
    post_ids = {(row.platform, row.message_id) for row in posts}
    answered: dict[tuple[str, str], float] = {}
    for row in posts:
        place = (row.platform, row.reply_to)
        if row.reply_to not in ("", "?") and place not in post_ids and people[row.sender].consent and not row.quoted:
            answered[place] = max(answered.get(place, 0.0), row.at or 0.0)
    for platform, number in sorted(answered, key=lambda place: -answered[place]):
        line = {"id": number, "author": "", "text": "", "platform": platform}
        yield line | ({"url": f"https://x.com/i/status/{number}"} if platform == "x" else {})
