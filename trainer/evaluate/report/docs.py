"""The table of figures in docs/likeness.md, made of the registry: `python -m trainer.evaluate.report.docs docs/likeness.md`."""

import sys
from collections.abc import Iterator
from pathlib import Path

from persona.atomic import write_whole
from trainer.evaluate.figures import MODEL_FIGURES, REPLY_FIGURES, TEXT_FIGURES, FigureSpec

START, END = "<!-- figures, made by `make docs` -->\n", "<!-- end of figures -->\n"


def with_figures(text: str) -> str:
    """Return a page with the table between its two marks made anew."""
    before, _, rest = text.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}{figures_table()}{END}{after}"


def figures_table() -> str:
    """Return a Markdown table of all figures: those of any texts, of the adapter, of replies beside a rival's."""
    return "".join(f"| {' | '.join(cells)} |\n" for cells in _rows())


def _rows() -> Iterator[tuple[str, ...]]:
    yield "Figure", "Good is", "Means", "A fake that beats it alone", "In JSON"
    yield ("---",) * 5
    specs: list[tuple[str, FigureSpec]] = [*TEXT_FIGURES.items(), *MODEL_FIGURES.items(), *REPLY_FIGURES.items()]
    for key, spec in specs:
        yield spec.title, spec.good, spec.means, spec.fake, f"`{key}`"


if __name__ == "__main__":
    for name in sys.argv[1:]:
        write_whole(Path(name), [with_figures(Path(name).read_text(encoding="utf-8"))], mode=0o644)
