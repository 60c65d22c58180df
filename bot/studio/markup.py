"""Small pieces of HTML. Everything that comes from outside is escaped here."""

from collections.abc import Iterable, Sequence
from html import escape


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], css_class: str = "") -> str:
    """Return a table, wide ones in a frame that scrolls."""
    head = "".join(f"<th>{escape(name)}</th>" for name in heads)
    body = "".join(f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class=wide><table class="plain {css_class}"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def quiet(text: str) -> str:
    """Return a remark."""
    return f"<p class=quiet>{escape(text)}</p>" if text else ""


def turns(said: Iterable[tuple[str, Sequence[str], bool]]) -> str:
    """Return a conversation: names, lines, and whether it is the persona who speaks."""
    return "".join(
        f'<div class="turn{" own" * own}"><b>{escape(name)}</b>{"".join(f"<p>{escape(line)}</p>" for line in lines)}</div>'
        for name, lines, own in said
    )


def framed(page: str) -> str:
    """Return a whole page in a frame of its own, where nothing runs and nothing is fetched."""
    return f'<iframe class=report sandbox srcdoc="{escape(page)}" title="report"></iframe>'


def bar(share: float, text: str) -> str:
    """Return how far something is."""
    return f"<progress value={share:.3f} max=1></progress><p class=quiet>{escape(text)}</p>"
