"""README's picture is what the script draws of the scene beside it."""

from xml.etree import ElementTree

from examples.draw_chat import PERSONA, SCENE, THEMES, draw, pictures
from persona.transcript import Turn, parse
from tests.conftest import PEOPLE


def test_the_pictures_are_up_to_date() -> None:
    """`python -m examples.draw_chat` draws them anew; nobody in them is real."""
    for path, picture in pictures().items():
        assert path.read_text(encoding="utf-8") == picture
        ElementTree.fromstring(picture)
    speakers = {turn.speaker for turn in parse(SCENE.read_text(encoding="utf-8")).turns}
    assert PERSONA in speakers
    assert speakers <= {PERSONA, "XIAOYU", "BRAM", *PEOPLE}


def test_what_was_said_is_text_and_no_markup() -> None:
    """And a long line is broken."""
    picture = draw((Turn("BOB", ("<b>&", "word " * 40)),), THEMES["dark"])
    tree = ElementTree.fromstring(picture)
    assert "<b>&" in "".join(tree.itertext())
    assert len([text for text in tree.iter() if text.tag.endswith("}text")]) == 2 + 1 + 3
