"""Draws README's picture: a transcript as a group chat, light and dark, in SVG. The people are the sample's, who don't exist.

`python -m examples.draw_chat` draws `examples/scene.txt`, which the demo's adapter made: `python -m trainer sample --scene group
--turns 9 --seed 7`.
"""

import textwrap
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path

from persona.atomic import write_whole
from persona.transcript import Turn, parse

SCENE = Path(__file__).parent / "scene.txt"
IMAGES = Path(__file__).parents[1] / "docs" / "images"
PERSONA = "MARA VOSS"
WIDTH, LEFT, LINE, GAP, COLUMNS = 720, 72, 22, 14, 72
THEMES: Mapping[str, Mapping[str, str]] = {
    "light": {
        "ground": "#ffffff",
        "edge": "#d5dde2",
        "text": "#1d2b33",
        "soft": "#54656f",
        "own": "#eaf4f5",
        "mark": "#1b6f78",
    },
    "dark": {
        "ground": "#1a2126",
        "edge": "#33414a",
        "text": "#e6edf1",
        "soft": "#a3b3bd",
        "own": "#20343a",
        "mark": "#7fd0d8",
    },
}
AVATARS = ("#8a5a9e", "#b0562f", "#3f7d4f", "#3c6aa8", "#8f6b1e", "#9a3f5c")


def draw(turns: tuple[Turn, ...], colours: Mapping[str, str]) -> str:
    """Return the picture. colours: of a theme."""
    speakers = list(dict.fromkeys(turn.speaker for turn in turns))
    pieces: list[str] = []
    y = GAP
    for turn in turns:
        lines = [part for line in turn.lines for part in textwrap.wrap(line, COLUMNS) or [""]]
        height = LINE * (len(lines) + 1)
        pieces += _turn(turn.speaker, lines, y, height, AVATARS[speakers.index(turn.speaker) % len(AVATARS)], colours)
        y += height + GAP
    title = f"A group chat: {', '.join(name.title() for name in speakers)}"
    spoken = escape(" ".join(f"{turn.speaker.title()}: {' '.join(turn.lines)}." for turn in turns))
    return "\n".join(
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" role="img" aria-labelledby="t d" '
            'font-family="system-ui, sans-serif" font-size="15">',
            f'<title id="t">{escape(title)}</title>',
            f'<desc id="d">{spoken}</desc>',
            f'<rect x=".5" y=".5" width="{WIDTH - 1}" height="{y - 1}" rx="10" '
            f'fill="{colours["ground"]}" stroke="{colours["edge"]}"/>',
            *pieces,
            "</svg>\n",
        )
    )


def _turn(
    speaker: str, lines: list[str], y: int, height: int, avatar: str, colours: Mapping[str, str]
) -> Iterator[str]:
    """Yield a turn: the circle with an initial, the name, the lines; the persona's on a ground of its own."""
    name = speaker.title()
    if speaker == PERSONA:
        yield f'<rect x="8" y="{y - 6}" width="{WIDTH - 16}" height="{height + 10}" rx="8" fill="{colours["own"]}"/>'
    yield f'<circle cx="40" cy="{y + 18}" r="17" fill="{avatar}"/>'
    yield f'<text x="40" y="{y + 24}" text-anchor="middle" fill="#fff" font-weight="600" font-size="16">{escape(name[0])}</text>'
    bot = f'<tspan dx="8" font-size="11" fill="{colours["mark"]}">BOT</tspan>' if speaker == PERSONA else ""
    yield f'<text x="{LEFT}" y="{y + 14}" font-weight="600" fill="{colours["soft"]}">{escape(name)}{bot}</text>'
    for number, line in enumerate(lines, start=1):
        yield f'<text x="{LEFT}" y="{y + 14 + LINE * number}" fill="{colours["text"]}">{escape(line)}</text>'


def pictures() -> dict[Path, str]:
    """Return the pictures by where they lie."""
    conversation = parse(SCENE.read_text(encoding="utf-8"))
    return {IMAGES / f"chat-{theme}.svg": draw(conversation.turns, colours) for theme, colours in THEMES.items()}


if __name__ == "__main__":
    for path, picture in pictures().items():
        write_whole(path, [picture], mode=0o644)
