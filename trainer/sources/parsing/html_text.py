"""The plain text of a message that was written as HTML. For what servers write, not for web pages."""

import html
import re

_BREAK = re.compile(r"<br\s*/?>|</(?:div|li)>", re.IGNORECASE)
_PARAGRAPH = re.compile(r"</(?:p|blockquote|ul|ol|pre)>\s*", re.IGNORECASE)
_PICTURE = re.compile(r"""<img\b[^<>]*?\balt=(?:"([^"<>]*)"|'([^'<>]*)')[^<>]*>""", re.IGNORECASE)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<!--.*?-->", re.DOTALL)


def html_text(source: str) -> str:
    """Return `source` without tags.

    Breaks become lines, paragraphs stand a blank line apart, pictures of emoji become emoji.
    """
    if "<" in source:
        source = _PICTURE.sub(lambda match: match[1] or match[2] or "", source)
        source = _TAG.sub("", _PARAGRAPH.sub("\n\n", _BREAK.sub("\n", source)))
    return html.unescape(source).strip() if "&" in source else source.strip()
