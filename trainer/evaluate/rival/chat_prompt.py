"""The careful prompt: who the person is, 30 of their messages with what each answers, and the conversation. Pure."""

from collections.abc import Sequence

from persona.transcript import Conversation, block, quote_line, render
from persona.turn_lines import completion_lines, plain_lines
from trainer.evaluate.reply_context import ReplyContext

PLACES = {
    "group": "a group chat",
    "dm": "a private chat",
    "timeline": "their timeline",
    "reply": "a thread of posts",
}
_FENCE = "```"
_QUOTATION_MARKS = (('"', '"'), ("“", "”"), ("„", "“"), ("«", "»"), ("「", "」"))

Message = dict[str, str]


def chat_prompt(persona: str, context: ReplyContext, examples: Sequence[ReplyContext]) -> list[Message]:
    """Return the chat that asks for the persona's next message. examples: of the persona, the nearest last."""
    shown = "\n\n--\n\n".join(_example(example) for example in examples)
    instructions = (
        f"You write as {persona}, one particular person, in {PLACES[context.scene]}. Write what {persona} says next, so that "
        "their own friends can't tell it from them. Write as they do: as long or as short, in the same language, with the "
        "same spelling, capitals, punctuation, abbreviations and emoji, and as many messages in a row. Be as blunt, silly or "
        "brief as they are. Never sound like an assistant: explain nothing, offer nothing, sum nothing up.\n"
        "Answer with the words alone: no name before them, no quotation marks, one line for each message."
    )
    known = f"\n\nMessages that {persona} wrote, each after what it answers:\n\n{shown}" if examples else ""
    return [
        {"role": "system", "content": instructions + known},
        {"role": "user", "content": _question(persona, context)},
    ]


def answer_lines(text: str, persona: str) -> tuple[str, ...]:
    """Return the lines of an answer without what models put around them: a name, a fence, quotation marks; cut where it goes
    on for somebody else. May be empty."""
    lines = [line for line in plain_lines(text) if not line.startswith(_FENCE)]
    if lines and (start := _after_name(lines[0], persona)) is not None:
        lines[:1] = [start] if start else []
    for opening, closing in _QUOTATION_MARKS:
        whole = "\n".join(lines)
        if (
            len(whole) > 2
            and whole[0] == opening
            and whole[-1] == closing
            and not {opening, closing} & set(whole[1:-1])
        ):
            lines = whole[1:-1].split("\n")
    return completion_lines("\n".join(lines))


def _question(persona: str, context: ReplyContext) -> str:
    transcript = render(Conversation(context.scene, context.before, context.year))
    answered = f"\n{persona} answers this:\n{quote_line(context.real.quote)}\n" if context.real.quote else ""
    return f"{transcript}{answered}\nWhat does {persona} write next?"


def _example(example: ReplyContext) -> str:
    return "\n\n".join(block(turn) for turn in (*example.before[-1:], example.real))


def _after_name(line: str, persona: str) -> str | None:
    """Return what stands behind the persona's name and a colon; None if the line doesn't begin so."""
    bare = line.lstrip("*")
    if not bare.casefold().startswith(persona.casefold()):
        return None
    rest = bare[len(persona) :].lstrip("*")
    return rest[1:].lstrip("* ") if rest.startswith(":") else None
