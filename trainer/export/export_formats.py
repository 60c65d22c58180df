"""What `export` can write, a row a format. Cheap to import: a format's own imports wait until it is written."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from persona.errors import UserError
from trainer.export import conversations

if TYPE_CHECKING:
    from persona.config import Settings
    from trainer.progress import Bars

PRECISIONS = ("f16", "q8_0", "q4_0")


@dataclass(frozen=True, slots=True)
class ExportJob:
    """Where to write and from what. precision: of a GGUF file."""

    settings: "Settings"
    target: Path
    precision: str
    bars: "Bars"


@dataclass(frozen=True, slots=True)
class ExportFormat:
    """help: what --help says of it. write: writes the job's target and returns what that is, in words."""

    help: str
    write: Callable[[ExportJob], str]


def _text(writer: conversations.Writer) -> Callable[[ExportJob], str]:
    """Write all conversations of the corpus by `writer`."""

    def write(job: ExportJob) -> str:
        from persona.atomic import write_whole
        from trainer.corpus.store import load

        persona = job.settings.persona
        written = [record.conversation for record in load(job.settings).conversations]
        if not any(turn.speaker == persona.key for conversation in written for turn in conversation.turns):
            raise UserError(f"{persona.name} says nothing in the corpus; import exports first")
        write_whole(job.target, writer(written, persona.key))
        return f"{len(written):,} conversations"

    return write


def _merged(job: ExportJob) -> str:
    from persona.bundle import current
    from trainer.export.merged import write_merged

    write_merged(job.settings, current(job.settings.adapters), job.target)
    return _adapter(job)


def _gguf(job: ExportJob) -> str:
    from persona.bundle import current
    from trainer.export.merged import write_gguf_file

    write_gguf_file(job.settings, current(job.settings.adapters), job.target, job.precision)
    return _adapter(job)


def _bundle(job: ExportJob) -> str:
    from persona.bundle import current
    from trainer.export.bundle_file import pack

    pack(current(job.settings.adapters), job.target, job.bars)
    return _adapter(job)


def _plain_lora(job: ExportJob) -> str:
    from persona.bundle import current
    from trainer.export.plain_lora import write_plain_lora

    left_out = write_plain_lora(current(job.settings.adapters), job.target)
    return f"{_adapter(job)}, {left_out},"


def _adapter(job: ExportJob) -> str:
    return f"the adapter {job.settings.adapters / 'current'}"


FORMATS: Mapping[str, ExportFormat] = {
    "transcript": ExportFormat("SPEAKER: text.", _text(conversations.transcript)),
    "messages": ExportFormat("JSONL of role and content.", _text(conversations.messages)),
    "alpaca": ExportFormat("JSON of instruction, input, output.", _text(conversations.alpaca)),
    "sharegpt": ExportFormat("JSON of human and gpt.", _text(conversations.sharegpt)),
    "jade": ExportFormat("JadeV8 text, a row a turn.", _text(conversations.jade)),
    "merged": ExportFormat("A folder for transformers and vLLM.", _merged),
    "gguf": ExportFormat("A file for llama.cpp and Ollama.", _gguf),
    "plain_lora": ExportFormat("A PEFT folder without logit bias, for vLLM.", _plain_lora),
    "bundle": ExportFormat("The adapter as one file, for 'adopt'.", _bundle),
}
