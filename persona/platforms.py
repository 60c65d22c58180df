"""The platforms on which the bot speaks, a row each. A new one is a row, its section and its key of ids here, and a
folder in bot/gateways of the same name."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from persona.sections import Section
from persona.values import Address, Id


@dataclass(frozen=True, slots=True)
class Platform:
    """name: the settings section, the key of ids under [people.KEY], the beginning of channels and accounts
    (`discord:123`), and the gateway's folder. token: the secret it needs. target: a regular expression of what follows
    the name in [tweets] to. export_prefix: what stands before a person's number in the platform's exports."""

    name: str
    token: str
    target: str
    target_example: str
    export_prefix: str = ""

    @property
    def title(self) -> str:
        """The name as people read it."""
        return self.name.title()


PLATFORMS = (
    Platform("discord", "DISCORD_TOKEN", r"\d+", "discord:CHANNEL_ID"),
    Platform("telegram", "TELEGRAM_TOKEN", r"-?\d+(:\d+)?", "telegram:CHAT_ID", export_prefix="user"),
)
NAMES = tuple(platform.name for platform in PLATFORMS)
TARGET = f"^({'|'.join(f'{platform.name}:{platform.target}' for platform in PLATFORMS)})$"  # where a tweet can go
TARGET_EXAMPLES = " or ".join(platform.target_example for platform in PLATFORMS)


class PlatformSection(Section):
    """A platform's section of the settings. api_base: the address of its API."""

    enabled: bool = False
    api_base: Address
    users: tuple[Id, ...] = ()
    owners: tuple[Id, ...] = ()

    @property
    def named_channels(self) -> tuple[str, ...]:
        """The ids of channels that it names."""
        return ()


class Discord(PlatformSection):
    """[discord]: the channels and people that the bot talks to. Empty lists mean all that it can read."""

    api_base: Address = "https://discord.com/api/v10"
    gateway_url: Address | Literal[""] = ""
    channels: tuple[Id, ...] = ()

    @property
    def named_channels(self) -> tuple[str, ...]:
        """The ids of channels that it names."""
        return self.channels


class Telegram(PlatformSection):
    """[telegram]: the chats and people that the bot talks to. Empty lists mean nobody: anyone can find a Telegram bot."""

    api_base: Address = "https://api.telegram.org/bot"
    chats: tuple[Id, ...] = ()

    @property
    def named_channels(self) -> tuple[str, ...]:
        """The ids of chats that it names."""
        return self.chats


class PlatformSections(Section):
    """The platforms' part of the settings."""

    discord: Discord = Discord()
    telegram: Telegram = Telegram()

    def section_of(self, platform: Platform) -> PlatformSection:
        """Return the settings of a platform."""
        section: PlatformSection = getattr(self, platform.name)
        return section

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


class PlatformIds(Section):
    """A person's ids, platform by platform."""

    discord: tuple[Id, ...] = ()
    telegram: tuple[Id, ...] = ()

    def ids(self, platform: str) -> tuple[str, ...]:
        """Return the person's ids on the platform of that name; none on one that isn't there."""
        return getattr(self, platform) if platform in NAMES else ()

    def export_keys(self) -> Iterator[str]:
        """Yield the identity keys under which the platforms' exports have the person: `telegram:user1234`."""
        for platform in PLATFORMS:
            for number in self.ids(platform.name):
                prefix = platform.export_prefix
                yield f"{platform.name}:{prefix}{number.removeprefix(prefix)}"


def is_target(text: str) -> bool:
    """Return whether a tweet can go there."""
    return re.match(TARGET, text) is not None
