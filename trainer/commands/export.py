"""`export`: conversations or the adapter as files, an option for each format of the registry; or the adapter to the Hub."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from persona.command import ConfigOption, JsonOption
from trainer.console import print_json, say
from trainer.export.export_formats import FORMATS, PRECISIONS, ExportJob

if TYPE_CHECKING:
    from persona.config import Settings


@dataclass(frozen=True, slots=True)
class HubUpload:
    """What to send where. unasked: whether it may be sent without asking on the terminal."""

    repository: str
    include_tokenizer: bool
    public: bool
    unasked: bool


def _with_formats(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command an option for each format, in place of its ** parameter."""
    formats = [
        inspect.Parameter(
            name,
            inspect.Parameter.KEYWORD_ONLY,
            default=None,
            annotation=Annotated[Path | None, typer.Option(help=row.help, metavar="DEST")],
        )
        for name, row in FORMATS.items()
    ]
    signature = inspect.signature(command)
    own = [parameter for parameter in signature.parameters.values() if parameter.kind is not parameter.VAR_KEYWORD]
    command.__signature__ = signature.replace(parameters=[*formats, *own])  # type: ignore[attr-defined]
    return command


@_with_formats
def export(
    *,
    hub: Annotated[str, typer.Option(help="The adapter to the Hugging Face Hub, private.", metavar="USER/NAME")] = "",
    precision: Annotated[str, typer.Option(help="Of --gguf: f16, q8_0 or q4_0.")] = "f16",
    include_tokenizer: Annotated[
        bool, typer.Option("--include-tokenizer", help="With --hub: a grown base's tokenizer too; it holds names.")
    ] = False,
    public: Annotated[bool, typer.Option("--public", help="With --hub: for everybody to see.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --hub: don't ask.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="With --hub: say what would go, and send nothing.")
    ] = False,
    config: ConfigOption = Path("persona.toml"),
    as_json: JsonOption = False,
    **destinations: Path | None,
) -> None:
    """Take conversations or the adapter elsewhere. Example: python -m trainer export --gguf mara.gguf --precision q8_0"""
    from persona.config import load
    from persona.errors import SettingsError
    from trainer.progress import Bars

    targets = {name: path for name, path in destinations.items() if path}
    if not (targets or hub):
        names = ", ".join(f"--{name.replace('_', '-')}" for name in FORMATS)
        raise SettingsError(f"nothing to export: name one of {names} with a file or folder, or --hub with a repository")
    if precision not in PRECISIONS:
        raise SettingsError(f"--precision is f16, q8_0 or q4_0, not {precision!r}")
    if dry_run and not hub:
        raise SettingsError("--dry-run goes with --hub; every other export writes where you say, and nowhere else")
    settings = load(config)
    for name, target in targets.items():
        with Bars(quiet=as_json) as bars:
            written = FORMATS[name].write(ExportJob(settings, target, precision, bars))
        _show(name, str(target), written, as_json)
    if dry_run:
        _show_upload(settings, HubUpload(hub, include_tokenizer, public, yes), as_json)
    elif hub:
        _show("hub", _upload(settings, HubUpload(hub, include_tokenizer, public, yes)), "the adapter", as_json)


def _upload(settings: "Settings", upload: HubUpload) -> str:
    """Send the current adapter to the Hub, once that was agreed to; returns its address."""
    from persona.bundle import current
    from persona.credentials import secret
    from persona.errors import UserError
    from trainer.export.hub import outgoing, publish_to_hub, require_token

    bundle, token = current(settings.adapters), secret("HF_TOKEN", settings) or ""
    require_token(token)
    files = outgoing(bundle, upload.include_tokenizer)
    if not (upload.unasked or _agrees(upload, files)):
        raise UserError("nothing was sent")
    return publish_to_hub(bundle, upload.repository, token, files, public=upload.public)


def _show_upload(settings: "Settings", upload: HubUpload, as_json: bool) -> None:
    """Print what would be sent, file by file; the Hub isn't asked."""
    from persona.bundle import current
    from trainer.export.hub import outgoing

    bundle = current(settings.adapters)
    sizes = {name: (bundle.folder / name).stat().st_size for name in outgoing(bundle, upload.include_tokenizer)}
    if as_json:
        print_json({"kind": "hub", "path": upload.repository, "files": sizes, "public": upload.public, "dry_run": True})
        return
    for name, size in sizes.items():
        say(f"{name}: {size:,} bytes")
    say(f"would go to {upload.repository} on the Hugging Face Hub, for {_readers(upload)} to see; nothing was sent")


def _readers(upload: HubUpload) -> str:
    return "everybody" if upload.public else "you alone"


def _agrees(upload: HubUpload, files: list[str]) -> bool:
    """Ask on the terminal; without one the answer is no."""
    return typer.confirm(
        f"send {', '.join(files)} to {upload.repository} on the Hugging Face Hub, for {_readers(upload)} to see?",
        err=True,
    )


def _show(name: str, place: str, what: str, as_json: bool) -> None:
    if as_json:
        print_json({"kind": name, "path": place, "what": what})
    else:
        say(f"wrote {what} to {place}")
