"""Everything that leaves by `export`: conversations as text, the current adapter as a file, a folder, or on the Hub."""

from collections.abc import Callable
from pathlib import Path

from persona.bundle import Bundle
from persona.config import Settings
from persona.credentials import secret
from persona.errors import UserError
from trainer.atomic import write_whole
from trainer.corpus.store import Corpus
from trainer.export.conversations import WRITERS
from trainer.progress import Bars

MODELS = ("merged", "gguf", "bundle")


def export_conversations(settings: Settings, corpus: Corpus, kind: str, path: Path) -> int:
    """Write all conversations of the corpus to `path` as `kind` (see WRITERS); returns how many there are.

    Raises UserError where there is nothing to write, or `path` can't be written.
    """
    conversations = [stretch.conversation for stretch in corpus.conversations]
    if not any(turn.speaker == settings.persona.key for one in conversations for turn in one.turns):
        raise UserError(f"{settings.persona.name} says nothing in the corpus; import exports first")
    write_whole(path, WRITERS[kind](conversations, settings.persona.key))
    return len(conversations)


def export_model(settings: Settings, bundle: Bundle, kind: str, path: Path, precision: str, bars: Bars) -> None:
    """Write the bundle to `path` as one of MODELS. Raises UserError where its shape or the place doesn't fit."""
    if kind == "bundle":
        from trainer.export.bundle_file import pack

        pack(bundle, path, bars)
        return
    from trainer.export.merged import write_gguf_file, write_merged

    if kind == "merged":
        write_merged(settings, bundle, path)
    else:
        write_gguf_file(settings, bundle, path, precision)


def export_to_hub(
    settings: Settings,
    bundle: Bundle,
    repository: str,
    *,
    include_tokenizer: bool,
    public: bool,
    agreed: Callable[[list[str]], bool],
) -> str:
    """Upload what may leave. agreed: asked with the list of files before anything is sent. Returns the address."""
    from trainer.export.hub import outgoing, publish_to_hub

    token = secret("HF_TOKEN", settings) or ""
    files = outgoing(bundle, include_tokenizer)
    if not agreed(files):
        raise UserError("nothing was sent")
    return publish_to_hub(bundle, repository, token, files, public=public)
