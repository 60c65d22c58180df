"""What somebody says that the persona would have said. Pure."""

import re

from persona.turn_lines import plain_lines

_OPENING = re.compile(r"\s*i(?:['’]?d|\s+would)\s+(?:say|have\s+said)\b\s*[:,…]*\s*", re.IGNORECASE)
_QUOTED = re.compile(r'"([^"]+)"|“([^”]+)”', re.DOTALL)


def instead(argument: str) -> str:
    """Return the words of `I'd say …`, a line each, with or without that opening and quotes around all of it; "" for
    none."""
    words = _OPENING.sub("", argument, count=1) if _OPENING.match(argument) else argument
    quoted = _QUOTED.fullmatch(words.strip())
    return "\n".join(plain_lines((quoted[1] or quoted[2]) if quoted else words))
