"""Many messages cleaned at once, as each would be alone."""

import random

from persona.config import Cleaning, Data
from trainer.ingest.cleaning import Kept, clean
from trainer.ingest.plain_messages import clean_all
from trainer.sources.message import Message

PIECES = (
    *(
        "hi",
        " ",
        "a" * 8,
        "a" * 9,
        "😀" * 9,
        "9" * 9,
        "\u200b",
        "\0",
        "\n",
        "\t",
        "[photo]",
        "[reacted ❤ to ALICE]",
        "!",
        "/",
        "!help",
        ">",
    ),
    *(
        "@bob ",
        "RT @bob: no",
        "https://example.org/a",
        "www.a.org",
        "早安",
        "“@bob: hi” ok",
        "https://x.com/a/status/1",
        "  ",
        "\ufeff",
    ),
)


def invented(count: int) -> list[Message]:
    """Messages of any kind, made of what rules look at."""
    rng = random.Random(1)
    return [
        Message(
            platform=rng.choice(("telegram", "x", "text")),
            conversation_id="c",
            conversation_type=rng.choice(("group", "feed", "dm", "channel")),
            message_id=str(number),
            sender_id=rng.choice(("1", "1", "")),
            sender_name=rng.choice(("Ann", "Ann", "")),
            text="".join(rng.choices(PIECES, k=rng.randint(0, 4))),
            is_bot=rng.random() < 0.1,
            is_self=rng.random() < 0.1,
            is_group_dm=rng.random() < 0.1,
            kind=rng.choice(("message", "message", "message", "service")),
            forwarded_from=rng.choice(("", "", "", "Bob")),
            attachments=rng.choice(((), (), ("photo",))),
            quoted_text=rng.choice(("", "", "hi")),
            mentions=rng.choice(((), (("2", "bob"),))),
        )
        for number in range(count)
    ]


def test_many_are_cleaned_as_each_alone() -> None:
    """Whatever the settings say."""
    messages = invented(6000)
    for settings in (
        Data(),
        Data(dms=True, group_dms=False),
        Data(cleaning=Cleaning(runs=False, links=False)),
        Data(blocked_words=("hi",)),
    ):
        cleaned = clean_all(messages, settings)
        assert [
            Kept((message.text.strip(),)) if one is None else one
            for message, one in zip(messages, cleaned, strict=True)
        ] == [clean(message, settings) for message in messages]
        assert (None in cleaned) == (not settings.blocked_words)
