"""The platforms on which the bot speaks, a row of PLATFORMS each. A new one is a row with its section of the settings here,
and a folder in bot/gateways of the same name."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, TypeVar

from pydantic import AfterValidator, ValidationInfo, create_model, field_validator, model_validator

from persona.sections import Section
from persona.values import Address, Id

_NUMBER = re.compile(r"(user)?-?\d+(:\d+)?", re.ASCII)
_DEVELOPER = "in Discord, Settings → Advanced → Developer Mode"
_DISCORD_USER = f"{_DEVELOPER}, then right-click the person → Copy User ID"
_TELEGRAM_USER = "let them write to the bot once, and 'python -m bot doctor' names who asked"
_PEOPLE_KEYS = ("users", "owners", "block", "bots")


def require_number(text: str, how: str) -> None:
    """Raise ValueError for a name, a handle or a link. how: the way to find the number."""
    if not _NUMBER.fullmatch(text):
        raise ValueError(f"{text!r} is no number, and names change; {how}")


class PlatformSection(Section):
    """A platform's section of the settings. api_base: the address of its API."""

    enabled: bool = False
    api_base: Address
    users: tuple[Id, ...] = ()
    owners: tuple[Id, ...] = ()
    block: tuple[Id, ...] = ()
    bots: tuple[Id, ...] = ()
    how_to_find: ClassVar[Mapping[str, str]] = {}  # key -> how to find the numbers that it lists

    @field_validator("*")
    @classmethod
    def _are_numbers(cls, value: Any, info: ValidationInfo) -> Any:
        """Refuse names where numbers are asked for: they would match nobody, in silence."""
        if how := cls.how_to_find.get(info.field_name or ""):
            for listed in value:
                require_number(listed, how)
        return value

    @property
    def named_channels(self) -> tuple[str, ...]:
        """The ids of channels that it names."""
        return ()


class Discord(PlatformSection):
    """[discord]: the channels and people that the bot talks to. Empty lists mean all that it can read."""

    how_to_find: ClassVar[Mapping[str, str]] = {
        "guilds": f"{_DEVELOPER}, then right-click the server → Copy Server ID",
        "channels": f"{_DEVELOPER}, then right-click the channel → Copy Channel ID",
        **dict.fromkeys(_PEOPLE_KEYS, _DISCORD_USER),
    }

    api_base: Address = "https://discord.com/api/v10"
    gateway_url: Address | Literal[""] = ""
    guilds: tuple[Id, ...] = ()
    channels: tuple[Id, ...] = ()
    dms: bool | None = None

    @property
    def named_channels(self) -> tuple[str, ...]:
        """The ids of channels that it names."""
        return self.channels

    @property
    def strangers_may_write(self) -> bool:
        """Whether private messages from anybody are let in; by default, if it listens everywhere."""
        return not (self.channels or self.guilds) if self.dms is None else self.dms


class Telegram(PlatformSection):
    """[telegram]: the chats and people that the bot talks to. Empty lists mean nobody: anyone can find a Telegram bot."""

    how_to_find: ClassVar[Mapping[str, str]] = {
        "chats": "add the bot to the chat, write there once, and 'python -m bot doctor' names the chat that asked",
        **dict.fromkeys(_PEOPLE_KEYS, _TELEGRAM_USER),
    }

    api_base: Address = "https://api.telegram.org/bot"
    chats: tuple[Id, ...] = ()
    business: bool = False
    guest: bool = False

    @model_validator(mode="after")
    def _asks_somebody(self) -> "Telegram":
        """Refuse guests whom nobody would answer for."""
        if self.guest and not self.owners:
            raise ValueError(
                "guest = true needs owners: the first of them decides what is said in other people's chats"
            )
        return self

    @property
    def named_channels(self) -> tuple[str, ...]:
        """The ids of chats that it names."""
        return self.chats


@dataclass(frozen=True, slots=True)
class Platform:
    """name: the settings section, the key of ids under [people.KEY], the beginning of channels and accounts
    (`discord:123`), and the gateway's folder. section: the class of that section; all its keys have defaults. token: the
    secret it needs. target: a regular expression of what follows the name in [tweets] to. export_prefix: what its exports
    put before a person's number. user_id: how to find a person's number.
    token_pattern: a regular expression of the secret; token_shape: the same in words. bars_training: its terms bar what its
    API hands out from training."""

    name: str
    section: type[PlatformSection]
    token: str
    target: str
    target_example: str
    export_prefix: str = ""
    user_id: str = ""
    token_pattern: str = r"\S+"
    token_shape: str = ""
    bars_training: bool = False

    @property
    def title(self) -> str:
        """The name as people read it."""
        return self.name.title()


PLATFORMS = (
    Platform(
        "discord",
        Discord,
        "DISCORD_TOKEN",
        r"\d+",
        "discord:CHANNEL_ID",
        user_id=_DISCORD_USER,
        token_pattern=r"[\w-]{20,}\.[\w-]{5,}\.[\w-]{20,}",
        token_shape="three parts with dots between them, from the page Bot of the application",
        bars_training=True,
    ),
    Platform(
        "telegram",
        Telegram,
        "TELEGRAM_TOKEN",
        r"-?\d+(:\d+)?",
        "telegram:CHAT_ID",
        user_id=_TELEGRAM_USER,
        export_prefix="user",
        token_pattern=r"\d{5,}:[\w-]{30,}",
        token_shape="a number, a colon and 35 letters, from @BotFather",
    ),
)
NAMES = tuple(platform.name for platform in PLATFORMS)
_TARGET = "|".join(f"{platform.name}:{platform.target}" for platform in PLATFORMS)
TARGET_EXAMPLES = " or ".join(platform.target_example for platform in PLATFORMS)

AnySection = TypeVar("AnySection", bound=PlatformSection)


class _Sections(Section):
    """The platforms' part of the settings: a field for each of them, by its name."""

    def section_of(self, platform: Platform) -> PlatformSection:
        """Return the settings of a platform."""
        section: PlatformSection = getattr(self, platform.name)
        return section

    def section(self, of: type[AnySection]) -> AnySection:
        """Return the platform's settings that are of this class."""
        return next(section for platform in PLATFORMS if isinstance(section := self.section_of(platform), of))

    @property
    def named_channels(self) -> set[str]:
        """The channels that the platforms' sections name: `discord:123`."""
        return {
            f"{platform.name}:{number}" for platform in PLATFORMS for number in self.section_of(platform).named_channels
        }

    @property
    def enabled_platforms(self) -> list[Platform]:
        """The platforms that are switched on."""
        return [platform for platform in PLATFORMS if self.section_of(platform).enabled]


class _Ids(Section):
    """A person's ids: a field for each platform, by its name."""

    @field_validator("*")
    @classmethod
    def _are_numbers(cls, value: Any, info: ValidationInfo) -> Any:
        how = next((platform.user_id for platform in PLATFORMS if platform.name == info.field_name), "")
        for listed in value if how else ():
            require_number(listed, how)
        return value

    def ids(self, platform: str) -> tuple[str, ...]:
        """Return the person's ids on the platform of that name; none on one that isn't there."""
        return getattr(self, platform) if platform in NAMES else ()

    def export_keys(self) -> Iterator[str]:
        """Yield the identity keys under which the platforms' exports have the person: `telegram:user1234`."""
        for platform in PLATFORMS:
            for number in self.ids(platform.name):
                prefix = platform.export_prefix
                yield f"{platform.name}:{prefix}{number.removeprefix(prefix)}"


if TYPE_CHECKING:  # mypy takes no class that is made by a call for a base class
    PlatformSections = _Sections
    PlatformIds = _Ids
else:
    PlatformSections = create_model(
        "PlatformSections", __base__=_Sections, **{row.name: (row.section, row.section()) for row in PLATFORMS}
    )
    PlatformIds = create_model("PlatformIds", __base__=_Ids, **{row.name: (tuple[Id, ...], ()) for row in PLATFORMS})


def is_target(text: str) -> bool:
    """Return whether a tweet can go there."""
    return re.fullmatch(_TARGET, text) is not None


def _target(text: str) -> str:
    if not is_target(text):
        raise ValueError(f"{text!r} is no place to post to; write {TARGET_EXAMPLES}")
    return text


Target = Annotated[str, AfterValidator(_target)]
