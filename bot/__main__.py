"""The bot's command line. Heavy imports stand inside the commands, so that --help is quick."""

import json
from pathlib import Path
from typing import Annotated

import typer

from persona.command import ConfigOption, JsonOption, command_line, debugging, run

app = command_line("Let the persona speak: a daemon for Discord and Telegram, a chat in the terminal.")


@app.command("run")
def run_(config: ConfigOption = Path("persona.toml")) -> None:
    """Answer on Discord and Telegram until stopped. Example: python -m bot run --config /etc/alterego/persona.toml"""
    import asyncio
    import logging

    from bot.daemon import gateways_of, serve
    from bot.logs import set_up_logging
    from persona.config import load

    settings = load(config)
    set_up_logging(logging.DEBUG if debugging() else logging.INFO, settings.daemon.log_format)
    asyncio.run(serve(settings, gateways_of(settings)))


@app.command()
def chat(
    name: Annotated[str, typer.Option("--as", help="Who you are in the chat.")] = "you",
    config: ConfigOption = Path("persona.toml"),
) -> None:
    """Talk to the persona here; lines may come from a pipe. Example: python -m bot chat"""
    import asyncio
    import logging

    from bot.daemon import serve
    from bot.gateways.terminal_gateway import TerminalGateway
    from bot.logs import set_up_logging
    from persona.config import load

    set_up_logging(logging.DEBUG if debugging() else logging.WARNING)
    settings = load(config)
    asyncio.run(serve(settings, [TerminalGateway(settings.persona.name, name)], until_first_ends=True))


@app.command()
def tweet(
    count: Annotated[int, typer.Option("-n", min=1, help="How many.")] = 5,
    seed: Annotated[int | None, typer.Option(help="The same seed gives the same tweets.")] = None,
    era: Annotated[int | None, typer.Option(help="The year to sound like; default: the latest.")] = None,
    config: ConfigOption = Path("persona.toml"),
    as_json: JsonOption = False,
) -> None:
    """Print random tweets; nothing is posted. Example: python -m bot tweet -n 3"""
    import asyncio

    from bot.tweeting import some_tweets
    from persona.config import load

    texts = asyncio.run(some_tweets(load(config), count, seed, era))
    typer.echo(json.dumps(texts, ensure_ascii=False) if as_json else "\n\n".join(texts))


if __name__ == "__main__":
    run(app, "python -m bot")
