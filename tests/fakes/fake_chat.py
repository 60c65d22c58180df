"""A chat server as vendors and llama-server have it, on loopback: /v1/models and /v1/chat/completions, with their moods."""

import contextlib
import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Body = dict[str, Any]


@dataclass
class Trouble:
    """What happens instead of an answer. seconds: of silence before it."""

    status: int = 500
    body: str = '{"error": {"message": "overloaded"}}'
    headers: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


class FakeChat:
    """words: the answer to a request. key: asked for, if any. models: that it has. refuses: fields that it calls unsupported.
    streams: it answers as a stream alone. system: whether it knows a system's role. holds: characters of a prompt that fit.
    troubles: what happens to the next requests. asked: the requests that were answered; tries: all of them."""

    def __init__(self, words: Callable[[Body], str] = lambda _: "sure, why not") -> None:
        self.words = words
        self.key = ""
        self.models = ["big-one"]
        self.refuses: set[str] = set()
        self.streams = False
        self.system = True
        self.holds = 1_000_000
        self.finish = "stop"
        self.troubles: list[Trouble] = []
        self.asked: list[Body] = []
        self.tries: list[Body] = []
        fake = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if fake._is_known(self):
                    self._send(200, json.dumps({"data": [{"id": name} for name in fake.models]}))

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                fake.tries.append(body)
                if self.path != "/v1/chat/completions":
                    self._send(404, "<html>not here</html>")
                elif fake._is_known(self):
                    self._reply(body)

            def _reply(self, body: Body) -> None:
                if fake.troubles:
                    trouble = fake.troubles.pop(0)
                    time.sleep(trouble.seconds)
                    self._send(trouble.status, trouble.body, trouble.headers)
                elif fault := fake._fault(body):
                    self._send(fault[0], json.dumps({"error": {"message": fault[1]}}))
                else:
                    fake.asked.append(body)
                    text = fake.words(body)
                    self._stream(text) if body.get("stream") else self._send(200, json.dumps(fake._completion(text)))

            def _stream(self, text: str) -> None:
                pieces = [{"choices": [{"delta": {"content": letter}}]} for letter in text]
                last = {"choices": [{"delta": {}, "finish_reason": fake.finish}]}
                usage = {"choices": [], "usage": fake._usage(text)}
                events = [f"data: {json.dumps(event)}\n\n" for event in (*pieces, last, usage)]
                self._send(
                    200, ": comment\n\n" + "".join(events) + "data: [DONE]\n\n", {"Content-Type": "text/event-stream"}
                )

            def _send(self, status: int, text: str, headers: dict[str, str] | None = None) -> None:
                payload = text.encode()
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                with contextlib.suppress(ConnectionError):  # whoever asked is gone
                    self.wfile.write(payload)

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _is_known(self, request: Any) -> bool:
        if self.key and request.headers.get("Authorization") != f"Bearer {self.key}":
            request._send(401, json.dumps({"error": {"message": "Incorrect API key provided"}}))
            return False
        return True

    def _fault(self, body: Body) -> tuple[int, str] | None:
        if body["model"] not in self.models:
            return 404, f"The model `{body['model']}` does not exist"
        if unknown := sorted(self.refuses & body.keys()):
            return 400, f"Unsupported parameter: '{unknown[0]}' is not supported with this model."
        if self.streams and not body.get("stream"):
            return 400, "this server answers with stream=true only"
        if not self.system and body["messages"][0]["role"] == "system":
            return 400, "System role not supported"
        if sum(len(message["content"]) for message in body["messages"]) > self.holds:
            return 400, "the request exceeds the available context size"
        return None

    def _completion(self, text: str) -> Body:
        message = {"role": "assistant", "content": text}
        return {"choices": [{"message": message, "finish_reason": self.finish}], "usage": self._usage(text)}

    def _usage(self, text: str) -> Body:
        return {"prompt_tokens": 700, "completion_tokens": len(text.split())}
