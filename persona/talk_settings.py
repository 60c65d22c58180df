"""[talk] and [[place]] of persona.toml: when the persona speaks and how, everywhere and in one place."""

import re
from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from persona.platforms import TARGET_EXAMPLES, Target, is_target
from persona.sections import Section
from persona.values import Duration, Fraction, Hours


def _place(text: str) -> str:
    if not is_target(re.sub(r"@\d+$", "", text)):  # behind it: whose own chat it is
        raise ValueError(f"{text!r} is no place; write {TARGET_EXAMPLES}")
    return text


class Talk(Section):
    """When it speaks, and how."""

    reply_to: tuple[Literal["mention", "reply", "dm", "name"], ...] = ("mention", "reply", "dm")
    unprompted: Fraction = 0.0
    cooldown: Duration = timedelta(0)
    user_cooldown: Duration = timedelta(0)
    unprompted_cooldown: Duration = timedelta(0)
    unprompted_hourly: Annotated[int, Field(ge=0)] = 30
    hourly: Annotated[int, Field(ge=0)] = 0
    user_hourly: Annotated[int, Field(ge=0)] = 0
    quiet_hours: Hours | Literal[""] = ""
    expires: Annotated[Duration, Field(gt=timedelta(0))] = timedelta(hours=24)
    merge: Annotated[Duration, Field(le=timedelta(minutes=1))] = timedelta(seconds=2)
    feedback: bool = False
    context_turns: Annotated[int, Field(ge=1)] = 20
    memory: bool = True
    bursts: bool = True
    typing: bool = True
    rhythm: Literal["mine", "fast"] = "fast"
    rhythm_cap: Duration = timedelta(minutes=2)
    introduce: bool = False
    auto_after: Annotated[int, Field(ge=0)] = 0
    log: Target | Literal[""] = ""


class Place(Talk):
    """The keys of [talk] that differ in one server, channel, chat or topic. match: `discord:ID`, `telegram:CHAT`."""

    match: Annotated[str, AfterValidator(_place)]

    def keys(self) -> dict[str, Any]:
        """The keys that the table holds, with their values."""
        return {name: getattr(self, name) for name in self.model_fields_set - {"match"}}
