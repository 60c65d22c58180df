"""Small pieces of HTML. Everything that comes from outside is escaped here."""

from collections.abc import Iterable, Sequence
from html import escape


def table(heads: Sequence[str], rows: Iterable[Sequence[object]], css_class: str = "", *, label: str = "table") -> str:
    """Return a table, wide ones in a frame that scrolls. label: what a screen reader calls it."""
    head = "".join(f"<th scope=col>{escape(name)}</th>" for name in heads)
    body = "".join(f"<tr>{''.join(f'<td>{escape(str(cell))}</td>' for cell in row)}</tr>" for row in rows)
    return (
        f'<div class=wide tabindex=0 role=region aria-label="{escape(label)}"><table class="plain {css_class}">'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def step(number: int, title: str, state: str, sentences: Iterable[tuple[str, str]]) -> str:
    """Return the title of a step with what can be said of it. state: done or todo. sentences: (look, text), look being
    note or fault."""
    mark = {"done": "✓ ", "todo": ""}[state]
    paragraphs = "".join(
        f'<p class="{look}">{"Mend: " * (look == "fault")}{escape(text)}</p>' for look, text in sentences
    )
    return f'<h2 class="{state}">{number} · {escape(title)} <span>{mark}</span></h2>{paragraphs}'


def facts(rows: Iterable[tuple[str, str]]) -> str:
    """Return names with what is said of each, "" if there are none."""
    listed = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in rows)
    return f"<dl class=facts>{listed}</dl>" if listed else ""


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
    return f"<progress value={share:.3f} max=1 aria-label=progress></progress><p class=quiet>{escape(text)}</p>"
