"""What was said in a channel, as turns for a prompt. Pure."""

from collections.abc import Sequence

from bot.store import Remembered
from persona.bundle import Seal
from persona.transcript import Turn, merge_turns


def turns_of(remembered: Sequence[Remembered], most: int) -> tuple[Turn, ...]:
    """The last `most` turns, oldest first; what one person said in a row is one turn."""
    return merge_turns(Turn(one.speaker, one.lines) for one in remembered if one.lines)[-most:]


def scene_of(seal: Seal, is_dm: bool) -> str:
    """The trained scene that is nearest to a private or a common channel."""
    heard = dict(seal.data.get("scenes", {}))
    wanted = ("dm", "group", "reply") if is_dm else ("group", "dm", "reply")
    return next((scene for scene in wanted if heard.get(scene)), wanted[0])
