"""The base that a bundle's adapter is to be put on."""

import re
from pathlib import Path

from engine.base_source import PACKAGED
from engine.dequantise import located_base
from persona.bundle import Bundle
from persona.config import Settings
from persona.errors import SettingsError

_DEQUANTISED = re.compile(r"(.+)-[0-9a-f]{12}")  # as the folders of dequantised files are called


def located_base_of(bundle: Bundle, settings: Settings) -> Path | str:
    """Return the folder that holds a bundle's base, or its Hub id: what lies in the bundle, else what [base] model names, else
    what it was trained on, if that is on the Hub. Raises SettingsError if it isn't, and as `located_base` does."""
    inside = bundle.folder / "base"
    if inside.is_dir():
        return inside
    located = located_base(settings)
    if isinstance(located, Path):
        return located
    sealed = bundle.seal.base
    if not sealed.revision and "/" not in sealed.model:  # a folder's name
        raise SettingsError(
            f"the adapter in {bundle.folder} was trained on {_described(sealed.model)}, which doesn't travel with it, and [base] "
            f"model is {settings.base.model!r}: name that base there"
        )
    return sealed.model


def _described(folder: str) -> str:
    """Return in words which base a folder held. folder: its name."""
    found = _DEQUANTISED.fullmatch(folder)
    if not found:
        return f"a folder called {folder!r}"
    package = next((name for name, model in PACKAGED.items() if Path(model.file).stem == found[1]), "")
    return f"a GGUF file called {found[1]!r}{f' (that is {package!r})' if package else ''}"
