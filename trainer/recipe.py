"""What an adapter depends on besides its corpus, as a hash: was this very adapter trained already?"""

import hashlib
import json

from persona.bundle import current
from persona.config import Settings
from persona.fault import StandingFault
from trainer.corpus import Corpus


def recipe(settings: Settings) -> str:
    """A hash over the settings that training reads."""
    read = {name: getattr(settings, name).model_dump(mode="json") for name in ("persona", "base", "train")}
    return hashlib.sha256(json.dumps(read, sort_keys=True).encode()).hexdigest()[:32]


def is_current(settings: Settings, corpus: Corpus) -> bool:
    """Whether the current bundle was trained on this corpus with these settings, and is whole."""
    try:
        data = current(settings.adapters).seal.data
    except StandingFault:
        return False
    return data.get("fingerprint") == corpus.fingerprint and data.get("recipe") == recipe(settings)
