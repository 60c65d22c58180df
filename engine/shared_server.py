"""One vLLM on loopback for every persona of this machine that shares a base: each one's adapter is a model there, called
as its folder. `python -m engine.shared_server /var/lib/alterego-*` becomes that server; the bots need
`[engine] kind = "server"` and the same port."""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from engine.base_source import DEQUANTISED
from persona.bundle import Bundle, current
from persona.errors import PermanentError

PORT = 8000
_EXIT = 78  # EX_CONFIG: a restart can't mend it


def bundles_of(states: Sequence[Path]) -> dict[str, Bundle]:
    """Return the current bundle of every persona in these state folders, by the name of its folder.

    Raises PermanentError if there is none, if two are called alike, or if they have different bases.
    """
    homes = sorted(link.parent for state in states for link in state.glob("adapters/*/current"))
    bundles: dict[str, Bundle] = {}
    for home in homes:
        if home.name in bundles:
            raise PermanentError(f"two personas are called {home.name}; name one of them otherwise in [persona] name")
        bundles[home.name] = current(home)
    if not bundles:
        where = ", ".join(map(str, states))
        raise PermanentError(f"no adapter lies in {where}; copy adapters/ there, or run 'trainer train'")
    bases = {bundle.seal.base.weights: name for name, bundle in bundles.items()}
    if len(bases) > 1:
        names = " and ".join(sorted(bases.values()))
        raise PermanentError(f"{names} were trained on different bases; run one server for each base")
    return bundles


def command(bundles: Mapping[str, Bundle], port: int) -> list[str]:
    """Return how vLLM is started for these bundles, which share a base. Raises PermanentError if that isn't here."""
    modules = [f"{name}={bundle.folder}" for name, bundle in bundles.items()]
    rank = max(_rank(bundle) for bundle in bundles.values())
    lora = ["--enable-lora", "--max-lora-rank", str(rank), "--lora-modules", *modules]
    return ["vllm", "serve", *_base_of(bundles), "--host", "127.0.0.1", "--port", str(port), *lora]


def _base_of(bundles: Mapping[str, Bundle]) -> list[str]:
    """Return the bundles' base as vLLM is told of it: a folder that lies in one or beside it, else a model of the Hub."""
    base = next(iter(bundles.values())).seal.base
    for bundle in bundles.values():
        for folder in (bundle.folder / "base", bundle.folder.parent / DEQUANTISED / base.model):
            if folder.is_dir():
                return [str(folder)]
    if not base.revision and "/" not in base.model:  # a folder's name
        raise PermanentError(
            f"{' and '.join(bundles)} were trained on a folder called {base.model!r}, which lies beside none of their adapters; "
            f"copy adapters/ there whole, or that folder into adapters/{next(iter(bundles))}/{DEQUANTISED}"
        )
    return [base.model, *(["--revision", base.revision] if base.revision else [])]


def _rank(bundle: Bundle) -> int:
    """The adapter's rank, rounded up to one that vLLM knows."""
    rank = int(json.loads((bundle.folder / "adapter_config.json").read_text(encoding="utf-8"))["r"])
    return next((known for known in (8, 16, 32, 64, 128, 256, 320, 512) if known >= rank), rank)


def main() -> int:
    """Become the server. Returns an exit code if that can't be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("states", nargs="+", type=Path, help="state folders, each with adapters/ in it")
    parser.add_argument("--port", type=int, default=PORT)
    arguments = parser.parse_args()
    try:
        words = command(bundles_of(arguments.states), arguments.port)
        os.execvp(words[0], words)
    except PermanentError as fault:
        print(f"alterego: {fault}", file=sys.stderr)
    except FileNotFoundError:
        print(
            "alterego: there is no vllm here; install it into the same environment: pip install vllm", file=sys.stderr
        )
    return _EXIT


if __name__ == "__main__":
    sys.exit(main())
