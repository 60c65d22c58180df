"""What exporters break, mended: escapes no JSON parser takes, half surrogate pairs, bytes that are no UTF-8."""

import json
import re
from typing import Any

_HEX_ESCAPE = re.compile(r"(?<!\\)((?:\\\\)*)\\x([0-9a-fA-F]{2})")  # Telegram Desktop writes \xHH inside strings
_HEX_ESCAPE_BYTES = re.compile(_HEX_ESCAPE.pattern.encode())
_BARE_ID = re.compile(r'("document_id"\s*:\s*)([^\s"{\[][^,\n}]*)')  # Telegram Desktop 4.1.1 left the quotes out
_SURROGATE = re.compile("[\ud800-\udfff]")


def decode_text(raw: bytes) -> str:
    """Decode UTF-8 with or without a mark, or UTF-16 with one; U+FFFD for what is neither."""
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        return raw.decode("utf-16", "replace")
    return raw.decode("utf-8-sig", "replace")


def verbatim(raw: bytes) -> str:
    """Decode bytes so that `.encode("utf-8", "surrogateescape")` gives them back."""
    return raw.decode("utf-8", "surrogateescape")


def mend_escapes(raw: bytes) -> bytes:
    """JSON with the \\xHH escapes in it written as JSON has them."""
    return _HEX_ESCAPE_BYTES.sub(rb"\1\\u00\2", raw)


def mend_json(raw: bytes) -> bytes:
    """Rewrite a JSON record that a strict parser refused so that it accepts it.

    Raises ValueError if it is not JSON.
    """
    text = _HEX_ESCAPE.sub(r"\1\\u00\2", decode_text(raw))
    text = _BARE_ID.sub(lambda match: match[1] + json.dumps(match[2].strip()), text)
    return json.dumps(without_surrogates(json.loads(text, strict=False)), ensure_ascii=False).encode()


def without_surrogates(value: object) -> object:
    """`value` with every half of a surrogate pair in its strings replaced by U+FFFD."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {without_surrogates(key): without_surrogates(item) for key, item in value.items()}
    return value


def without_nulls(value: Any) -> Any:
    """Return decoded JSON without the members of objects that are null."""
    if isinstance(value, dict):
        return {key: without_nulls(member) for key, member in value.items() if member is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value
