"""The part of the Hugging Face Hub that an upload speaks to, on loopback. It keeps what arrives."""

import base64
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

TOKEN = "hf_fake"


class FakeHub:
    """created: repositories with their visibility; files: what was committed."""

    def __init__(self) -> None:
        self.created: dict[str, str] = {}
        self.files: dict[str, bytes] = {}
        hub = self

        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                    return self._json({"error": "Invalid token"}, 401)
                return self._json(hub._answer(self.path.split("?")[0], body))

            def do_GET(self) -> None:
                if self.headers.get("Authorization") != f"Bearer {TOKEN}":
                    return self._json({"error": "Invalid token"}, 401)
                return self._json({"id": "mara/voice", "sha": "0" * 40, "siblings": []})

            def _json(self, content: Any, status: int = 200) -> None:
                payload = json.dumps(content).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(payload)))
                self.end_headers()
                self.wfile.write(payload)

            def log_message(self, *_: Any) -> None:
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _answer(self, path: str, body: bytes) -> Any:
        if path == "/api/repos/create":
            wanted = json.loads(body)
            self.created[wanted["name"]] = str(wanted.get("visibility"))
            return {"url": f"{self.url}/mara/{wanted['name']}", "name": wanted["name"]}
        if path == "/api/validate-yaml":
            return {"errors": [], "warnings": []}
        if "/preupload/" in path:
            names = [file["path"] for file in json.loads(body)["files"]]
            return {"files": [{"path": name, "uploadMode": "regular", "shouldIgnore": False} for name in names]}
        rows = [json.loads(line) for line in body.splitlines() if line.strip()]
        self.files |= {
            row["value"]["path"]: base64.b64decode(row["value"]["content"]) for row in rows if row["key"] == "file"
        }
        return {"commitOid": "0" * 40, "commitUrl": f"{self.url}/mara/voice/commit/{0:040}", "success": True}
