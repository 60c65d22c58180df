"""Messages and settings of which only the people matter."""

from pathlib import Path

from persona.config import Settings, load
from trainer.sources.message import Message


def said(
    platform: str,
    number: str,
    name: str,
    handle: str = "",
    text: str = "hi",
    mentions: tuple[tuple[str, str], ...] = (),
) -> Message:
    """A message by somebody."""
    return Message(
        platform=platform,
        conversation_id="c",
        conversation_type="group",
        message_id="1",
        sender_id=number,
        sender_name=name,
        sender_handle=handle,
        text=text,
        mentions=mentions,
    )


def settings_of(folder: Path, text: str) -> Settings:
    """The settings that `text` holds, in a file in `folder`."""
    path = folder / "persona.toml"
    path.write_text(text, encoding="utf-8")
    return load(path, {})
