"""Which base a bundle's adapter is put on, and what is said where it isn't here."""

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from engine.bundle_base import located_base_of
from engine.choose import open_voice
from persona.bundle import Bundle, current, draft, point_current, publish
from persona.config import Settings, load
from persona.errors import SettingsError
from tests.conftest import Home, sample_settings

TRANSFORMERS = '[engine]\nkind = "transformers"\n'


def settings_of(home: Home) -> Settings:
    return load(home.settings(sample_settings(TRANSFORMERS)).config, {})


def without_base(home: Home, sealed: Mapping[str, str]) -> Bundle:
    """Give the home a bundle of its own, like the session's but on a base that doesn't travel with it."""
    settings = settings_of(home)
    old = current(settings.adapters)
    (home.folder / "adapters").unlink()
    with draft(settings.adapters) as folder:
        shutil.copytree(old.folder, folder, dirs_exist_ok=True)
        shutil.rmtree(folder / "base")
        (folder / "persona.json").unlink()
        bundle = publish(folder, old.seal.model_copy(update={"base": old.seal.base.model_copy(update=sealed)}))
    point_current(bundle)
    return bundle


@pytest.mark.parametrize(
    ("sealed", "words"),
    [
        (
            "SmolLM2-135M-Instruct.Q4_1-d45d9a9e8ba9",
            "a GGUF file called 'SmolLM2-135M-Instruct.Q4_1' \\(that is 'smollm2'\\)",
        ),
        ("tiny-d45d9a9e8ba9", "a GGUF file called 'tiny', which"),
        ("my-model", "a folder called 'my-model', which"),
    ],
)
def test_a_base_that_does_not_travel_has_to_be_named(home: Home, sealed: str, words: str) -> None:
    """A folder's name is sealed, which nobody but the machine it was trained on knows."""
    without_base(home, {"model": sealed, "revision": ""})
    settings = settings_of(home)
    with pytest.raises(SettingsError, match=f"was trained on {words}.*is 'scratch': name that base there"):
        open_voice(settings)


def test_a_base_of_the_hub_is_found_by_its_sealed_name(home: Home, tmp_path: Path) -> None:
    """Whatever [base] model says, unless that is a folder."""
    bundle = without_base(home, {"model": "org/name", "revision": "abc"})
    settings = settings_of(home)
    assert located_base_of(bundle, settings) == "org/name"
    named = settings.base.model_copy(update={"model": str(tmp_path)})
    assert located_base_of(bundle, settings.model_copy(update={"base": named})) == tmp_path
