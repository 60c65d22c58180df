"""The trainer's command line. Heavy imports stand inside the commands, so that --help is quick."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from persona.command import ConfigOption, JsonOption, command_line, run

EVALUATION_SECONDS = 240.0  # about; what can be asked as often as one likes is asked as often as fits

ProgressOption = Annotated[
    bool, typer.Option("--progress", help="With --json: how far it is, as JSON on stderr, an object a line.")
]

app = command_line("Make a persona: exports in, a sealed adapter bundle out.")


@app.command()
def init(
    folders: Annotated[
        list[Path] | None, typer.Argument(help="Where exports are. Default: what ~/Downloads and this folder hold.")
    ] = None,
    me: Annotated[str | None, typer.Option(help="Who you are, as the exports show it; A+B if both are you.")] = None,
    name: Annotated[str | None, typer.Option(help="What the persona is called. Default: the first of --me.")] = None,
    consent: Annotated[
        list[str] | None, typer.Option(help="Somebody who agreed to be imitated; again for each, 'nobody' for none.")
    ] = None,
    dms: Annotated[bool | None, typer.Option("--dms/--no-dms", help="Read private messages too.")] = None,
    base: Annotated[str | None, typer.Option(help="scratch, a folder, a Hub id, or auto for what suits here.")] = None,
    to: Annotated[Path, typer.Option("--to", "--config", help="The settings file to write.")] = Path("persona.toml"),
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask: nobody else, and the base that suits here.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace settings that are there.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Find exports, say who is who, and write persona.toml. Example: python -m trainer init ~/exports --me "Mara Voss" --yes"""
    import sys

    from trainer.init.answers import Flags
    from trainer.init.exports import usual_places
    from trainer.init.first_run import Surroundings, first_run
    from trainer.init.machine import revision_of, this_machine
    from trainer.init.output import Prompts, show_found, show_outcome
    from trainer.progress import Bars

    flags = Flags(me, name, None if consent is None else tuple(consent), dms, base, yes)
    around = Surroundings(usual_places(), this_machine, revision_of, Path.home())
    there = sys.stdin and sys.stdin.isatty()  # a process may be started without any stdin
    terminal = Prompts() if there and not as_json else None
    show = show_found if terminal else lambda *_: None
    outcome = first_run(folders or (), to, flags, around, terminal, show, Bars(quiet=as_json), force=force)
    if outcome:
        show_outcome(outcome, as_json)
    else:
        typer.echo(f"{to} stays as it is", err=True)


@app.command("import")
def import_(
    paths: Annotated[
        list[Path] | None, typer.Argument(help="Exports: files, folders, zips, tars. Default: [data] sources.")
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Forget what was imported before.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Write nothing and fail where anything could not be read.")
    ] = False,
    only_look: Annotated[
        bool, typer.Option("--look", help="Say what is there and who speaks, and write nothing.")
    ] = False,
    config: ConfigOption = Path("persona.toml"),
    as_json: JsonOption = False,
    progress: ProgressOption = False,
) -> None:
    """Read exports into the corpus. Example: python -m trainer import ~/Downloads/twitter.zip"""
    from persona.config import load
    from persona.errors import SettingsError
    from trainer.commands.output import show_import, show_look
    from trainer.ingest.pipeline import import_exports, preview
    from trainer.progress import Bars

    settings = load(config)
    chosen = paths or settings.sources
    if not chosen:
        raise SettingsError(f"nothing to import: name exports on the command line or in [data] sources of {config}")
    with Bars(quiet=as_json, for_programs=as_json and progress) as bars:
        if only_look:
            show_look(preview(settings, chosen, bars), as_json)
            return
        imported = import_exports(settings, chosen, fresh=fresh, bars=bars, strict=strict)
    show_import(settings, imported, as_json)


@app.command()
def train(
    if_changed: Annotated[
        bool, typer.Option("--if-changed", help="Only if corpus or settings changed since the newest adapter.")
    ] = False,
    only_plan: Annotated[
        bool, typer.Option("--plan", help="Print parameters, memory, steps and time, and train nothing.")
    ] = False,
    forced: Annotated[
        bool, typer.Option("--force", help="Make it current even if it is worse than the one that speaks now.")
    ] = False,
    config: ConfigOption = Path("persona.toml"),
    as_json: JsonOption = False,
    progress: ProgressOption = False,
) -> None:
    """Train an adapter on the corpus and make it current. Example: python -m trainer train --plan"""
    from persona.config import load
    from trainer.bundle.config_hash import is_trained
    from trainer.commands.output import show_plan, show_training, show_unchanged
    from trainer.corpus.store import load as load_corpus
    from trainer.progress import Bars

    settings = load(config)
    corpus = load_corpus(settings)
    if if_changed and is_trained(settings, corpus):
        show_unchanged(settings, as_json)
        return
    if only_plan:
        from trainer.adapter.plan import plan, rows_of

        with Bars(quiet=as_json) as bars:
            found = plan(settings, corpus, bars)
        show_plan(rows_of(found), asdict(found), as_json)
        return
    from trainer.bundle.training import train as train_bundle
    from trainer.loop.distributed import is_first

    with Bars(quiet=as_json or not is_first(), for_programs=as_json and progress and is_first()) as bars:
        result = train_bundle(settings, corpus, bars, forced=forced)
    if result:
        show_training(result.bundle.folder, result.metrics, as_json, speaks=result.speaks)


@app.command()
def sweep(
    minutes: Annotated[float, typer.Option(min=0.01, help="How long to search; a trial at hand is finished.")] = 60,
    config: ConfigOption = Path("persona.toml"),
    as_json: JsonOption = False,
) -> None:
    """Search rank, alpha, learning rate, dropout and epochs. Example: python -m trainer sweep --minutes 120"""
    from persona.config import load
    from trainer.adapter.sweep import sweep as search
    from trainer.commands.output import show_sweep
    from trainer.corpus.store import load as load_corpus
    from trainer.progress import Bars

    settings = load(config)
    with Bars(quiet=as_json) as bars:
        found = search(settings, load_corpus(settings), bars, minutes=minutes)
    show_sweep(asdict(found), as_json)


@app.command()
def adopt(
    file: Annotated[Path, typer.Argument(help="What 'export --bundle' wrote on another machine.")],
    config: ConfigOption = Path("persona.toml"),
    as_json: JsonOption = False,
) -> None:
    """Bring home a bundle that was trained elsewhere. Example: python -m trainer adopt mara.tar"""
    from persona.bundle import point_current
    from persona.config import load
    from trainer.commands.output import show_adopted
    from trainer.export.bundle_file import unpack
    from trainer.progress import Bars

    with Bars(quiet=as_json) as bars:
        bundle = unpack(file, load(config), bars)
    point_current(bundle)
    show_adopted(bundle.folder, as_json)


@app.command()
def stats(
    html: Annotated[
        Path | None, typer.Option("--html", help="Where the page goes; default: stats.html in the corpus.")
    ] = None,
    config: ConfigOption = Path("persona.toml"),
    as_json: JsonOption = False,
) -> None:
    """Who writes how much, when, how long, with which emoji; a table and an HTML page. Example: python -m trainer stats"""
    from zoneinfo import ZoneInfo

    from persona.config import load
    from trainer.commands.stats_output import show_stats, write_page
    from trainer.corpus.stats import voices
    from trainer.corpus.store import PAGE
    from trainer.corpus.store import load as load_corpus

    settings = load(config)
    zone = settings.tweets.timezone
    found = voices(load_corpus(settings), ZoneInfo(zone), settings.data.max_gap_minutes * 60)
    page = write_page(settings, found, html or settings.corpus / PAGE)
    show_stats(found, page, zone, as_json)


@app.command()
def forget(
    name: Annotated[str, typer.Argument(help="A name, handle, id or stand-in of the person.")],
    config: ConfigOption = Path("persona.toml"),
    as_json: JsonOption = False,
) -> None:
    """Remove a person from the corpus and keep them out of later imports. Example: python -m trainer forget zelda_q"""
    from datetime import UTC, datetime

    from persona.config import load
    from trainer.commands.output import show_receipt
    from trainer.erasure import erase

    settings = load(config)
    show_receipt(settings, erase(settings, name, datetime.now(UTC)), as_json)


@app.command()
def evaluate(
    canaries: Annotated[
        bool,
        typer.Option("--canaries", help="Train a throw-away adapter with planted secrets, and try to get them out."),
    ] = False,
    config: ConfigOption = Path("persona.toml"),
    as_json: JsonOption = False,
) -> None:
    """Measure how alike the current adapter is and what it leaks. Example: python -m trainer evaluate"""
    from persona.bundle import current
    from persona.config import load
    from trainer.commands.output import show_evaluation
    from trainer.corpus.store import load as load_corpus
    from trainer.evaluate.evaluation import Scope
    from trainer.evaluate.evaluation import evaluate as evaluated
    from trainer.evaluate.report.figures import plain_figures
    from trainer.evaluate.report.files import write_report
    from trainer.game.playing import tally_of
    from trainer.progress import Bars

    settings = load(config)
    corpus, bundle = load_corpus(settings), current(settings.adapters)
    with Bars(quiet=as_json) as bars:
        found = evaluated(settings, corpus, bundle, Scope(EVALUATION_SECONDS), bars)
        leaks: list[dict[str, Any]] = []
        if canaries:
            from trainer.evaluate.canaries import audit

            leaks = [one.plain for one in audit(settings, corpus, bundle.seal, bars)]
        tally = tally_of(bundle)
        told = tally.sentence if tally else ""
        report = write_report(settings, corpus, bundle, found, bundle.reports, tally=told, leaks=leaks)
    show_evaluation(report, plain_figures(found) | {"canaries": leaks}, as_json)


@app.command()
def game(
    export: Annotated[
        Path | None,
        typer.Option(
            "--export",
            help="Write the game as a page to send to friends (or, .json, for programs), instead of playing.",
        ),
    ] = None,
    results: Annotated[
        str | None, typer.Option("--tally", help="Count the results in this text, or in - for stdin.")
    ] = None,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same game.")] = None,
    config: ConfigOption = Path("persona.toml"),
    as_json: JsonOption = False,
) -> None:
    """Real or imitation? Ten held-out prompts, two answers each. Example: python -m trainer game --export game.html"""
    import secrets
    import sys

    from persona.bundle import current
    from persona.config import load
    from trainer.corpus.store import load as load_corpus
    from trainer.game import playing
    from trainer.game.rounds import result

    settings = load(config)
    bundle = current(settings.adapters)
    if results is not None:
        found = playing.count(bundle, sys.stdin.read() if results == "-" else results)
        typer.echo(json.dumps(found.plain) if as_json else found.sentence)
        return
    name, rounds = playing.new_game(settings, load_corpus(settings), bundle, seed)
    if export:
        playing.export(settings, name, rounds, export)
        typer.echo(json.dumps({"page": str(export), "rounds": len(rounds)}) if as_json else f"wrote {export}")
        return
    right = playing.play(rounds, input, typer.echo)
    found = playing.count(bundle, result(name, f"{secrets.randbits(32):08x}", right))
    typer.echo(json.dumps(found.plain) if as_json else found.sentence)


@app.command()
def sample(
    speaker: Annotated[str, typer.Option("--as", help="Who speaks; default: the persona.")] = "",
    scene: Annotated[str, typer.Option(help="timeline (tweets), reply, group or dm.")] = "timeline",
    count: Annotated[int, typer.Option("-n", min=1, help="How many texts.")] = 5,
    turns: Annotated[int, typer.Option(min=0, help="A whole conversation of so many turns between all speakers.")] = 0,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same texts.")] = None,
    era: Annotated[
        int | None, typer.Option(min=1970, max=9999, help="The year to sound like; default: the latest.")
    ] = None,
    to: Annotated[str, typer.Option("--to", help="What the texts answer, for the scenes with others.")] = "",
    config: ConfigOption = Path("persona.toml"),
    as_json: JsonOption = False,
) -> None:
    """Print texts of the current adapter. Example: python -m trainer sample --scene group --turns 12"""
    from persona.config import load
    from trainer.commands.sampling import Wish, sample_texts

    wish = Wish(speaker=speaker, scene=scene, count=count, turns=turns, seed=seed, year=era, answers=to)
    blocks = sample_texts(load(config), wish)
    _print_blocks(blocks, as_json)


@app.command()
def export(
    transcript: Annotated[Path | None, typer.Option(help="SPEAKER: text.", metavar="DEST")] = None,
    messages: Annotated[Path | None, typer.Option(help="JSONL of role and content.", metavar="DEST")] = None,
    alpaca: Annotated[Path | None, typer.Option(help="JSON of instruction, input, output.", metavar="DEST")] = None,
    sharegpt: Annotated[Path | None, typer.Option(help="JSON of human and gpt.", metavar="DEST")] = None,
    jade: Annotated[Path | None, typer.Option(help="JadeV8 text, a row a turn.", metavar="DEST")] = None,
    merged: Annotated[Path | None, typer.Option(help="A folder for transformers and vLLM.", metavar="DEST")] = None,
    gguf: Annotated[Path | None, typer.Option(help="A file for llama.cpp and Ollama.", metavar="DEST")] = None,
    bundle: Annotated[Path | None, typer.Option(help="The adapter as one file, for 'adopt'.", metavar="DEST")] = None,
    hub: Annotated[str, typer.Option(help="The adapter to the Hugging Face Hub, private.", metavar="USER/NAME")] = "",
    precision: Annotated[str, typer.Option(help="Of --gguf: f16, q8_0 or q4_0.")] = "f16",
    include_tokenizer: Annotated[
        bool, typer.Option("--include-tokenizer", help="With --hub: a grown base's tokenizer too; it holds names.")
    ] = False,
    public: Annotated[bool, typer.Option("--public", help="With --hub: for everybody to see.")] = False,
    yes: Annotated[bool, typer.Option("--yes", help="With --hub: don't ask.")] = False,
    config: ConfigOption = Path("persona.toml"),
    as_json: JsonOption = False,
) -> None:
    """Take conversations or the adapter elsewhere. Example: python -m trainer export --gguf mara.gguf --precision q8_0"""
    from persona.config import load
    from persona.errors import SettingsError
    from trainer.commands.output import show_export

    texts = {"transcript": transcript, "messages": messages, "alpaca": alpaca, "sharegpt": sharegpt, "jade": jade}
    models = {"merged": merged, "gguf": gguf, "bundle": bundle}
    if not (any({**texts, **models}.values()) or hub):
        names = ", ".join(f"--{kind}" for kind in (*texts, *models))
        raise SettingsError(f"nothing to export: name one of {names} with a file or folder, or --hub with a repository")
    if precision not in ("f16", "q8_0", "q4_0"):
        raise SettingsError(f"--precision is f16, q8_0 or q4_0, not {precision!r}")
    settings = load(config)
    from persona.bundle import current
    from trainer.corpus.store import load as load_corpus
    from trainer.export.files import export_conversations, export_model, export_to_hub
    from trainer.progress import Bars

    for kind, path in texts.items():
        if path:
            count = export_conversations(settings, load_corpus(settings), kind, path)
            show_export(kind, str(path), f"{count:,} conversations", as_json)
    for kind, path in models.items():
        if path:
            with Bars(quiet=as_json) as bars:
                export_model(settings, current(settings.adapters), kind, path, precision, bars)
            show_export(kind, str(path), f"the adapter {settings.adapters / 'current'}", as_json)
    if hub:
        address = export_to_hub(
            settings,
            current(settings.adapters),
            hub,
            include_tokenizer=include_tokenizer,
            public=public,
            agreed=lambda files: yes or _agrees(hub, files, public),
        )
        show_export("hub", address, "the adapter", as_json)


def _agrees(repository: str, files: list[str], public: bool) -> bool:
    """Asks on the terminal; without one the answer is no."""
    who = "everybody" if public else "you alone"
    return typer.confirm(
        f"send {', '.join(files)} to {repository} on the Hugging Face Hub, for {who} to see?", err=True
    )


def _print_blocks(blocks: list[str], as_json: bool) -> None:
    """One text a block, blocks apart by a blank line; or a JSON list."""
    shown: Any = json.dumps(blocks, ensure_ascii=False) if as_json else "\n\n".join(blocks)
    typer.echo(shown)


if __name__ == "__main__":
    run(app, "python -m trainer")
