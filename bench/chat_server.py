"""An instruct model behind an OpenAI-compatible chat server on loopback, run by our own engine: a rival without a vendor."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from aiohttp import web
from transformers import AutoTokenizer

from engine.backends.transformers_engine import load_base, transformers_engine
from engine.base import InferenceEngine, Request, complete
from persona.encoding import Encoding
from persona.sampling import SamplingParams

MAX_NEW_TOKENS = 64  # of an answer, whatever is asked for: a small model goes on
LONGEST = 4096  # tokens of a prompt and its answer
CHATML = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


@contextmanager
def chat_server(folder: Path, name: str, port: int = 0) -> Iterator[str]:
    """Serve the model in a folder under a name; yield the address up to and including /v1. port: 0 for a free one."""
    loop, ready = asyncio.new_event_loop(), threading.Event()
    server = _ChatServer(folder, name)

    def run() -> None:
        asyncio.set_event_loop(loop)
        loop.run_until_complete(server.open(port))
        ready.set()
        loop.run_forever()
        loop.run_until_complete(server.close())
        loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    ready.wait()
    try:
        yield server.url
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


class _ChatServer:
    """One model, its tokenizer's chat template, and an engine."""

    def __init__(self, folder: Path, name: str) -> None:
        self._name = name
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        self._template = self._tokenizer.chat_template or CHATML
        self._encoding = Encoding(self._tokenizer.backend_tokenizer, int(self._tokenizer.eos_token_id))
        model = load_base(folder).eval()
        self._longest = min(LONGEST, int(model.config.max_position_embeddings))
        stops = frozenset({self._encoding.end_of_turn})
        self._engine: InferenceEngine = transformers_engine(
            model, self._encoding, stops=stops, max_length=self._longest
        )
        self._seeds = count()  # each request its own, the same from run to run
        self.url = ""

    async def open(self, port: int) -> None:
        """Start the engine and listen."""
        await self._engine.start()
        app = web.Application()
        app.add_routes([web.get("/v1/models", self._models), web.post("/v1/chat/completions", self._completion)])
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"

    async def close(self) -> None:
        """Stop listening, and the engine."""
        await self._runner.cleanup()
        await self._engine.close()

    async def _models(self, _: web.Request) -> web.Response:
        return web.json_response({"object": "list", "data": [{"id": self._name, "object": "model"}]})

    async def _completion(self, request: web.Request) -> web.Response:
        asked = await request.json()
        if asked.get("model") != self._name:
            return _refused(404, f"the model {asked.get('model')!r} does not exist")
        text = self._tokenizer.apply_chat_template(
            asked["messages"], chat_template=self._template, add_generation_prompt=True, tokenize=False
        )
        ids = tuple(self._tokenizer.encode(text, add_special_tokens=False))
        if len(ids) + MAX_NEW_TOKENS > self._longest:
            return _refused(400, f"{len(ids)} tokens exceed the context of {self._longest}")
        sampling = SamplingParams(
            temperature=float(asked.get("temperature", 1.0)),
            top_p=float(asked.get("top_p", 1.0)),
            min_p=0.0,
            max_new_tokens=min(int(asked.get("max_tokens") or MAX_NEW_TOKENS), MAX_NEW_TOKENS),
        )
        answer, finish = await complete(
            self._engine, Request(ids, sampling, int(asked.get("seed") or next(self._seeds)))
        )
        written = len(self._encoding.encode(answer))
        return web.json_response(
            {
                "object": "chat.completion",
                "created": int(time.time()),
                "model": self._name,
                "choices": [{"index": 0, "message": {"role": "assistant", "content": answer}, "finish_reason": finish}],
                "usage": {
                    "prompt_tokens": len(ids),
                    "completion_tokens": written,
                    "total_tokens": len(ids) + written,
                },
            }
        )


def _refused(status: int, reason: str) -> web.Response:
    return web.json_response({"error": {"message": reason}}, status=status)
