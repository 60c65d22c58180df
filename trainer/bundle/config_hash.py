"""What an adapter depends on besides its corpus, as a hash: was this very adapter trained already?"""

import hashlib
import json

from persona.bundle import current, open_bundle, versions
from persona.config import Settings
from persona.errors import PermanentError
from trainer.corpus.store import Corpus


def config_hash(settings: Settings) -> str:
    """Return a hash over the settings that training reads."""
    read = {name: getattr(settings, name).model_dump(mode="json") for name in ("persona", "base", "train")}
    return hashlib.sha256(json.dumps(read, sort_keys=True).encode()).hexdigest()[:32]


def is_trained(settings: Settings, corpus: Corpus) -> bool:
    """Return whether the newest bundle was trained on this corpus with these settings, and is whole. It need not be the
    current one: what the gate held back would be held back again."""
    home = settings.adapters
    try:
        current(home)
        data = open_bundle(home / str(versions(home)[-1])).seal.data
    except PermanentError:
        return False
    return data.get("fingerprint") == corpus.fingerprint and data.get("recipe") == config_hash(settings)
