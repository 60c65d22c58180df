"""A bundle on the Hugging Face Hub: a list of what may leave this machine, and nothing else."""

from pathlib import Path

from huggingface_hub import HfApi
from huggingface_hub.errors import HTTPError

from persona.bundle import SEAL, Bundle
from persona.errors import UserError

ALLOWED = ("adapter_model.safetensors", "adapter_config.json", "README.md", SEAL)
TOKENIZER = ("tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja")


def outgoing(bundle: Bundle, include_tokenizer: bool) -> list[str]:
    """Return the files that go. A grown base's tokenizer was made of private text, names and all, so it goes only when
    asked for; a known base's tokenizer is public already."""
    grown = bundle.seal.base.model == "scratch"
    names = [*ALLOWED, *(TOKENIZER if include_tokenizer or not grown else ())]
    return [name for name in names if (bundle.folder / name).is_file()]


def require_token(token: str) -> None:
    """Raise UserError if there is no token: better before anybody agrees to an upload."""
    if not token:
        raise UserError(
            "there is no HF_TOKEN: put one into .env or the environment (huggingface.co -> Settings -> Tokens)"
        )


def publish_to_hub(
    bundle: Bundle, repository: str, token: str, files: list[str], *, public: bool, endpoint: str | None = None
) -> str:
    """Upload `files` of the bundle. Returns its address. Raises UserError if the Hub refuses or can't be reached."""
    require_token(token)
    hub = HfApi(endpoint=endpoint, token=token)
    try:
        address = hub.create_repo(repository, private=not public, exist_ok=True)
        hub.upload_folder(
            repo_id=repository,
            folder_path=Path(bundle.folder),
            allow_patterns=files,
            commit_message="An adapter by alterego",
        )
    except (HTTPError, OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"the Hub did not take {repository}: {reason}; nothing else was sent") from error
    return str(address)
