"""Each platform in one place."""

import ast
import re
from pathlib import Path

import pytest

from bot.enabled_gateways import gateways_of, limits_of
from bot.gateway import Limits
from persona.config import load
from persona.errors import PermanentError, SettingsError
from persona.platforms import NAMES, PLATFORMS, is_target

ROOT = Path(__file__).parents[2]
AT_HOME = re.compile(r"persona/platforms\.py|bot/gateways/|trainer/sources/|trainer/people/(word_lists|identities)\.py")


def test_a_platform_is_named_in_its_row_and_its_gateway_alone() -> None:
    """As a word by itself, or as the beginning of an id; what a sentence or an example says doesn't count."""
    spelled = re.compile(rf"({'|'.join(NAMES)})(:\S*)?")
    elsewhere = {
        f"{path}:{node.lineno}"
        for package in ("persona", "engine", "trainer", "bot")
        for path in sorted((ROOT / package).rglob("*.py"))
        if not AT_HOME.match(str(path.relative_to(ROOT))) and "migrations" not in path.parts
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and spelled.fullmatch(node.value)
    }
    assert elsewhere == set(), "name them through persona.platforms"


@pytest.mark.parametrize("platform", PLATFORMS, ids=NAMES)
def test_every_row_has_its_section_its_ids_its_folder_and_its_limits(platform: object, tmp_path: Path) -> None:
    """What a new platform must bring along."""
    (row,) = [known for known in PLATFORMS if known is platform]
    (tmp_path / "persona.toml").write_text(
        f'[persona]\nname = "Mara"\n[people.BO]\n{row.name} = ["5"]\n[{row.name}]\nenabled = true\n'
    )
    settings = load(tmp_path / "persona.toml", {})
    assert settings.enabled_platforms == [row]
    assert settings.section_of(row).api_base.startswith("https://")
    assert list(settings.people["BO"].export_keys()) == [f"{row.name}:{row.export_prefix}5"]
    assert isinstance(limits_of(row.name), Limits)
    assert is_target(row.target_example.replace("CHANNEL_ID", "7").replace("CHAT_ID", "-7"))
    with pytest.raises(PermanentError, match=f"{row.token} is not set"):
        gateways_of(settings)


def test_without_a_platform_there_is_nowhere_to_speak(tmp_path: Path) -> None:
    """The sentence names every section."""
    (tmp_path / "persona.toml").write_text('[persona]\nname = "Mara"\n')
    with pytest.raises(SettingsError, match=" or ".join(rf"\[{name}\]" for name in NAMES)):
        gateways_of(load(tmp_path / "persona.toml", {}))


@pytest.mark.parametrize(
    "target", ["discord:", "discord:5\n", "discord:-5", "discord:1:2", "matrix:5", "telegram:5:", "", "telegram:a"]
)
def test_a_target_that_no_platform_has_is_none(target: str) -> None:
    """Each platform has a pattern of its own."""
    assert not is_target(target)


def test_a_wrong_target_is_a_sentence(tmp_path: Path) -> None:
    """It says what to write instead."""
    (tmp_path / "persona.toml").write_text('[persona]\nname = "Mara"\n[tweets]\nto = ["discord:general"]\n')
    with pytest.raises(
        SettingsError, match=r"\[tweets\] to: 'discord:general' is no place to post to; write discord:CH"
    ):
        load(tmp_path / "persona.toml", {})
