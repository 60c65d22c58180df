"""An instruct model behind our own chat server, and the rows that come of it."""

import asyncio
from pathlib import Path

import pytest

from bench.chat_server import chat_server
from bench.real_rival import FIGURES, REPLY_FIGURES, VOICES, rival_table
from persona.errors import PermanentError
from tests.trainer import bases
from trainer.evaluate.rival.chat_client import ChatClient, ChatServer, TooLongError


def test_our_engine_answers_a_chat(tmp_path: Path) -> None:
    """As the evaluation's client asks it; another model and a prompt that does not fit are refused."""
    bases.save(tmp_path / "base", bases.qwen3)
    chat = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "did you sleep"}]

    async def asked(url: str) -> None:
        async with ChatClient(ChatServer(url)) as client:
            assert await client.only_model() == "small"
            answer = await client.ask("small", chat, 12)
            assert answer.text and answer.prompt_tokens and answer.answer_tokens
            assert answer.finish in ("stop", "length")
            with pytest.raises(PermanentError, match="has no model 'large'"):
                await client.ask("large", chat, 12)
            with pytest.raises(TooLongError):
                await client.ask("small", [{"role": "user", "content": "word " * 3000}], 12)

    with chat_server(tmp_path / "base", "small") as url:
        asyncio.run(asked(url))


def test_the_table_sets_it_beside_the_adapter_and_the_person() -> None:
    """What is not measured of somebody is left empty; without a rival there is no table."""
    row = {key: [0.5, 0.4, 0.6] for key in FIGURES} | dict.fromkeys(REPLY_FIGURES)
    rival = row | {"seconds": [3.0, 2.5, 3.5], "prompt_tokens": [1234.0, 1100.0, 1300.0]}
    result = {"base": "smollm2", "corpus": "Mara", "rival": dict.fromkeys(VOICES, row) | {"rival": rival}}
    table = rival_table([result]).splitlines()
    assert len(table) == 5
    assert table[3].startswith("| smollm2 | Mara | SmolLM2-135M-Instruct | 0.50 (0.40 to 0.60) |")
    assert table[3].endswith("|  | 3.00 (2.50 to 3.50) | 1,234 |  |")
    assert rival_table([{"base": "smollm2", "corpus": "Mara"}]) == ""
