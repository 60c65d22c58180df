"""Names of base models, and the Hub: what can't be a base, and what can't be reached, is told within seconds."""

import os
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import urlsplit

from engine.base_source import PACKAGED, gguf_file, is_folder, place_of
from persona.config import Settings
from persona.errors import SettingsError, UserError

CONFIG_NAME = "config.json"  # of a model as transformers saves it
HUB_SECONDS = 3.0  # that the Hub has for an answer
FAMILIES = {  # how people call model families, and a small base of each
    "llama": "meta-llama/Llama-3.2-1B",
    "qwen": "Qwen/Qwen3-0.6B-Base",
    "gemma": "google/gemma-3-1b-pt",
    "smol": "HuggingFaceTB/SmolLM2-135M",
    "mistral": "mistralai/Mistral-7B-v0.3",
    "gpt2": "openai-community/gpt2",
}


def impossible_base(text: str) -> str:
    """Return why nothing can be called so, with what may be meant; "" for what the Hub may have."""
    if "://" in text:
        name = "/".join(urlsplit(text).path.strip("/").split("/")[:2])
        return (
            f"a base is named without an address; {f'did you mean {name!r}?' if name else 'name a model, or a folder'}"
        )
    if text.startswith(("/", ".", "~")) or text.endswith((".gguf", ".safetensors")) or text.count("/") > 1:
        return f"there is no folder or GGUF file {text}; look at the path, or name a model of the Hub, or 'scratch'"
    owner, slash, name = text.partition("@")[0].partition("/")
    if slash and owner and name:
        return _impossible_id(f"{owner}/{name}")
    known = ("scratch", *PACKAGED)
    near = get_close_matches(text.casefold(), known, n=1, cutoff=0.6)
    family = next((model for start, model in FAMILIES.items() if text.casefold().startswith(start)), "")
    meant = near[0] if near else family
    hint = f"did you mean {meant!r}?" if meant else "such as 'Qwen/Qwen3-0.6B-Base'"
    return f"no base is called {text!r}: it is 'scratch', a folder, or a model of the Hub with its owner; {hint}"


def _impossible_id(name: str) -> str:
    """Return why the Hub can have no model called so; "" if it can."""
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(name)
    except HFValidationError:
        return (
            f"{name!r} is neither a folder here nor a name that a model of the Hub can have; look at the spelling, and at the "
            "path if it is a folder"
        )
    return ""


def is_model_folder(place: Path) -> bool:
    """Return whether a path is a folder with a model in it, False if there is none. Raises SettingsError if it is a folder
    of something else."""
    found = is_folder(place)
    if found and not (place / CONFIG_NAME).is_file():
        raise SettingsError(
            f"{place} is a folder without {CONFIG_NAME}, so there is no model in it; name one that save_pretrained wrote"
        )
    return found


def require_base(settings: Settings) -> None:
    """Raise UserError within seconds if [base] model can't be loaded here. Loads no torch: to be called before it."""
    model = settings.base.model
    if model == "scratch" or gguf_file(settings) or is_model_folder(place_of(model, settings.root)):
        return
    if fault := impossible_base(model):
        raise SettingsError(f"[base] model: {fault}")
    name, at, revision = model.partition("@")
    if at:
        raise SettingsError(
            f"[base] model: {model!r} is neither a folder here nor a model of the Hub; of a model there, the revision has a key "
            f'of its own: model = "{name}", revision = "{revision or "main"}"'
        )
    require_reachable(model, settings.base.revision)


def require_reachable(model: str, revision: str, *, endpoint: str | None = None) -> None:
    """Ask the Hub for a model that is not on this machine yet. Raises UserError if it does not answer or has none: the
    library would try for a minute and a half, and say so on every try."""
    from huggingface_hub import HfApi, constants, try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError, HTTPError, RepositoryNotFoundError, RevisionNotFoundError

    try:
        cached = isinstance(try_to_load_from_cache(model, CONFIG_NAME, revision=revision), str)
        if cached or constants.HF_HUB_OFFLINE:
            return
        HfApi(endpoint=endpoint).model_info(
            model, revision=revision, timeout=HUB_SECONDS, token=os.environ.get("HF_TOKEN")
        )
    except (RepositoryNotFoundError, HFValidationError) as error:
        raise UserError(
            f"[base] model: the Hugging Face Hub has no model {model!r} that you may see; look at the spelling, or, for one that "
            "asks for an account, put HF_TOKEN into .env"
        ) from error
    except RevisionNotFoundError as error:
        raise UserError(
            f"[base] revision: {model} has no {revision!r}; take a commit, a tag or a branch of it"
        ) from error
    except (HTTPError, OSError) as error:
        raise UserError(
            f"the Hugging Face Hub can't be asked for {model} ({type(error).__name__}); look at the network, or set [base] "
            'model to a folder, to a GGUF file or to "scratch", which need none'
        ) from error
