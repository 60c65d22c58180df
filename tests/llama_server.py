"""llama.cpp's own HTTP server in a process of its own: `python tests/llama_server.py MODEL.gguf PORT [SLOTS CONTEXT]`,
or as a class that starts and kills it."""

import asyncio
import socket
import subprocess
import sys
import time
from pathlib import Path

SLOTS, CONTEXT = 4, 512  # requests at once, and tokens of each


class LlamaServer:
    """A server of one GGUF on loopback; it may be killed and started again on its port."""

    def __init__(self, gguf: Path) -> None:
        self._gguf = gguf
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self._port = int(probe.getsockname()[1])
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    async def start(self, seconds: float = 60) -> "LlamaServer":
        """Return when it listens."""
        await asyncio.wait_for(asyncio.to_thread(self._begin), seconds)
        return self

    def _begin(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, str(self._gguf), str(self._port)],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert self._process.stdout
        self._process.stdout.readline()

    def kill(self) -> None:
        """As a crash would."""
        if self._process:
            self._process.kill()
            self._process.communicate()
            self._process = None


def main() -> None:
    """Serve until killed."""
    import xllamacpp

    settings = xllamacpp.CommonParams()
    settings.model.path, settings.port = sys.argv[1], int(sys.argv[2])
    slots, context = map(int, sys.argv[3:5] or (SLOTS, CONTEXT))
    settings.n_parallel, settings.n_ctx = slots, slots * context
    settings.cpuparams.n_threads = 2
    settings.n_gpu_layers, settings.ui, settings.warmup, settings.verbosity = 0, False, False, 0
    server = xllamacpp.Server(settings)
    print(server.listening_address, flush=True)
    time.sleep(3600)


if __name__ == "__main__":
    main()
