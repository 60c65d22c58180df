"""What an adapter depends on besides its corpus, as a hash: was this very adapter trained already?"""

import hashlib
import json

from persona.bundle import CURRENT, Bundle, current, open_bundle, versions
from persona.config import Settings
from persona.errors import PermanentError
from trainer.corpus.store import Corpus


def config_hash(settings: Settings) -> str:
    """Return a hash over the settings that training reads."""
    read = {name: getattr(settings, name).model_dump(mode="json") for name in ("persona", "base", "train")}
    return hashlib.sha256(json.dumps(read, sort_keys=True).encode()).hexdigest()[:32]


def trained_bundle(settings: Settings, corpus: Corpus) -> Bundle | None:
    """Return the newest bundle if it was trained on this corpus with these settings, and is whole. It need not be the
    current one: what the gate held back would be held back again."""
    home = settings.adapters
    try:
        if (home / CURRENT).is_symlink():
            current(home)
        newest = open_bundle(home / str(versions(home)[-1]))
    except (PermanentError, IndexError):
        return None
    data = newest.seal.data
    alike = data.get("fingerprint") == corpus.fingerprint and data.get("recipe") == config_hash(settings)
    return newest if alike else None
