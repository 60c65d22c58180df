"""The bot's command line. Heavy imports stand inside the commands, so that --help is quick."""

from persona.interruption import end_quietly

if __name__ == "__main__":
    end_quietly()  # while what follows is imported

import json
from pathlib import Path
from typing import Annotated

import typer

from persona.command import ConfigOption, JsonOption, at_end, command_line, debugging, run, typed

app = command_line("Let the persona speak: a daemon for Discord and Telegram, a chat in the terminal.")


@app.command("run")
def run_(config: ConfigOption = Path("persona.toml")) -> None:
    """Answer on Discord and Telegram until stopped. Example: python -m bot run --config /etc/alterego/persona.toml"""
    import asyncio
    import logging

    from bot.daemon import serve
    from bot.enabled_gateways import gateways_of
    from bot.logs import set_up_logging
    from bot.tasks import leave_if_busy
    from persona.config import load

    settings = load(config)
    set_up_logging(logging.DEBUG if debugging() else logging.INFO, settings.daemon.log_format)
    at_end(leave_if_busy)
    asyncio.run(serve(settings, gateways_of(settings)))


@app.command()
def chat(
    name: Annotated[str, typer.Option("--as", help="Who you are in the chat.")] = "you",
    config: ConfigOption = Path("persona.toml"),
) -> None:
    """Talk to the persona here; lines may come from a pipe. Example: python -m bot chat"""
    import asyncio
    import logging

    from bot.gateways.terminal.screen import open_screen
    from bot.logs import set_up_logging
    from bot.tasks import leave_if_busy
    from persona.config import load

    settings = load(config)
    at_end(leave_if_busy)
    with open_screen(f"waking {settings.persona.name}…") as screen:
        from bot.daemon import serve
        from bot.gateways.terminal.gateway import TerminalGateway

        set_up_logging(logging.DEBUG if debugging() else logging.WARNING)
        gateway = TerminalGateway(screen, settings.persona.name, name)
        asyncio.run(serve(settings, [gateway], until_first_ends=True, drains=not screen.is_typed))


@app.command()
def tweet(
    count: Annotated[int, typer.Option("-n", min=1, help="How many.")] = 5,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same tweets.")] = None,
    era: Annotated[
        int | None, typer.Option(min=1970, max=9999, help="The year to sound like; default: the latest.")
    ] = None,
    config: ConfigOption = Path("persona.toml"),
    as_json: JsonOption = False,
) -> None:
    """Print random tweets; nothing is posted. Example: python -m bot tweet -n 3"""
    import asyncio

    from bot.tweeting import some_tweets
    from persona.config import load

    texts = asyncio.run(some_tweets(load(config), count, seed, era))
    typer.echo(json.dumps(texts, ensure_ascii=False) if as_json else "\n\n".join(texts))


@app.command()
def doctor(config: ConfigOption = Path("persona.toml"), as_json: JsonOption = False) -> None:
    """Check everything the bot needs, and say how to mend what is missing. Example: python -m bot doctor"""
    import asyncio
    import logging
    from dataclasses import asdict

    from bot.doctor import examine
    from bot.gateway import Finding
    from bot.logs import set_up_logging
    from persona.config import load

    set_up_logging(logging.DEBUG if debugging() else logging.ERROR)

    async def all_findings() -> list[Finding]:
        findings: list[Finding] = []
        async for finding in examine(load(config)):
            findings.append(finding)
            if not as_json:
                typer.echo(f"{'ok  ' if finding.ok else 'BAD '} {finding.check}: {typed(finding.detail)}")
                if finding.mend:
                    typer.echo(f"     {typed(finding.mend)}")
        return findings

    findings = asyncio.run(all_findings())
    if as_json:
        typer.echo(json.dumps([asdict(finding) for finding in findings], ensure_ascii=False))
    if not all(finding.ok for finding in findings):
        raise typer.Exit(1)


@app.command()
def forget(
    user: Annotated[str, typer.Argument(help="discord:ID or telegram:ID")],
    config: ConfigOption = Path("persona.toml"),
    as_json: JsonOption = False,
) -> None:
    """Forget everything stored of somebody, while the bot runs or not. Example: python -m bot forget discord:1234"""
    import asyncio
    import re
    import time
    from dataclasses import asdict

    from bot.store import BotStore, Receipt
    from bot.store.address import has_store, store_url
    from bot.talk.commands import receipt_text
    from persona.config import load
    from persona.errors import SettingsError
    from persona.platforms import NAMES

    named = re.fullmatch(rf"({'|'.join((*NAMES, 'terminal', 'studio'))}):(\S+)", user)
    if not named:
        raise SettingsError(f"{user!r} names nobody; write it as {' or '.join(f'{name}:ID' for name in NAMES)}")

    async def erase() -> Receipt:
        settings = load(config)
        url = store_url(settings)
        if not has_store(url, settings.state):
            return Receipt(user, time.time(), messages=0, verdicts=0, names=0, feedback=0, updates=0)
        store = await BotStore.open(url, settings.state)
        try:
            return await store.people.forget(named[1], named[2])
        finally:
            await store.close()

    receipt = asyncio.run(erase())
    typer.echo(json.dumps(asdict(receipt)) if as_json else receipt_text(receipt))


@app.command()
def feedback(config: ConfigOption = Path("persona.toml")) -> None:
    """Print votes and corrections with what they are of, a JSON object a line. Example: python -m bot feedback"""
    import asyncio
    from dataclasses import asdict

    from bot.store import BotStore
    from bot.store.address import is_there, store_url
    from persona.config import load

    async def judgements() -> list[str]:
        settings = load(config)
        url = store_url(settings)
        if not is_there(url, settings.state):
            return []
        store = await BotStore.open(url, settings.state)
        try:
            return [json.dumps(asdict(each), ensure_ascii=False) for each in await store.feedback.judgements()]
        finally:
            await store.close()

    for line in asyncio.run(judgements()):
        typer.echo(line)


@app.command()
def remember(
    words: Annotated[
        list[str] | None, typer.Argument(help="What the persona is to remember, as it would say it itself.")
    ] = None,
    lists: Annotated[bool, typer.Option("--list", help="List the notes.")] = False,
    takes_back: Annotated[int | None, typer.Option("--forget", metavar="N", min=1, help="Take note N back.")] = None,
    config: ConfigOption = Path("persona.toml"),
    as_json: JsonOption = False,
) -> None:
    """Tell the persona something about itself; no training is needed. Example: python -m bot remember "I moved to Graz" """
    import asyncio
    from dataclasses import asdict

    from bot.store import BotStore, Note
    from bot.store.address import store_url
    from bot.talk import noting
    from persona.config import load
    from persona.errors import SettingsError, UserError

    note = noting.note_words(" ".join(words or ()))
    if sum((bool(note), lists, takes_back is not None)) != 1:
        raise SettingsError("remember takes one thing to remember, or --list, or --forget N")

    async def change() -> tuple[str, list[Note]]:
        settings = load(config)
        store = await BotStore.open(store_url(settings), settings.state)
        try:
            answer = ""
            if takes_back is not None:
                answer = await noting.taken_back(store, takes_back)
            elif note:
                if reason := noting.refusal(note, len(await store.notes.all())):
                    raise UserError(reason)
                answer = await noting.kept(store, note)
            return answer, await store.notes.all()
        finally:
            await store.close()

    answer, notes = asyncio.run(change())
    if as_json:
        typer.echo(json.dumps({"notes": [asdict(each) for each in notes]}, ensure_ascii=False))
    else:
        typer.echo(answer or noting.listed(notes, most=None))
    if answer.startswith("There is no note"):
        raise typer.Exit(1)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(help="The new file; with --keep, the folder of backups.")],
    keep: Annotated[
        int | None, typer.Option(min=1, help="Name the file by the time, and keep the last so many in the folder.")
    ] = None,
    config: ConfigOption = Path("persona.toml"),
) -> None:
    """Copy the store into a file, while the bot runs or not. Example: python -m bot backup --keep 14 /backup"""
    from datetime import UTC, datetime

    from bot.store.address import store_url
    from bot.store.backup import back_up, back_up_into
    from persona.config import load

    settings = load(config)
    url, state, target = store_url(settings), settings.state, file.absolute()
    if keep:
        file, size = back_up_into(url, state, target, keep, datetime.now(UTC))
    else:
        size = back_up(url, state, target)
    typer.echo(f"{file}: {size / 2**20:.1f} MiB")


@app.command()
def studio(
    host: Annotated[
        str, typer.Option(help="Where it listens; elsewhere than here only with a password.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any that is free.")] = 7860,
    password_file: Annotated[
        Path | None, typer.Option("--password-file", help="A file (mode 0600) with the password that opens the page.")
    ] = None,
    config: ConfigOption = Path("persona.toml"),
) -> None:
    """A page on this machine: from exports to a persona, chat, reports, the game. Example: python -m bot studio"""
    import asyncio
    import logging

    from bot.logs import set_up_logging
    from bot.studio.entrance import password_for, require_gradio
    from persona.config import load
    from persona.errors import SettingsError
    from persona.values import is_loopback

    password = password_for(host, password_file)
    if config.exists():
        load(config)  # a mistake in it is told before anything heavy is loaded
    elif not config.absolute().parent.is_dir():
        raise SettingsError(f"{config.absolute().parent} is no folder; make it, or name another with --config")
    require_gradio()
    from bot.studio.serving import serve
    from bot.studio.studio import Studio

    set_up_logging(logging.DEBUG if debugging() else logging.WARNING)
    asyncio.run(serve(Studio(config, local=is_loopback(host)), host, port, password, typer.echo))


if __name__ == "__main__":
    run(app, "python -m bot")
