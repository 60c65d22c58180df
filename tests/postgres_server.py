"""A real PostgreSQL server of the tests' own, where one is installed: on loopback, in a temporary folder, gone after."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

NOBODY = 65534  # PostgreSQL refuses to run as root


def folder_of_programs() -> Path | None:
    """Where initdb and postgres lie; Debian keeps them out of PATH."""
    found = [shutil.which("initdb"), *map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")))]
    return next((Path(one).parent for one in found if one), None)


@contextmanager
def postgres() -> Iterator[str]:
    """The url of an empty database, while the block runs."""
    programs = folder_of_programs()
    assert programs
    folder = Path(tempfile.mkdtemp(prefix="postgres-"))
    user = NOBODY if os.geteuid() == 0 else None
    if user:
        os.chown(folder, user, user)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"postgresql://alterego@127.0.0.1:{port}/postgres"
    init: list[str | Path] = [
        programs / "initdb",
        "-D",
        folder / "data",
        "-A",
        "trust",
        "-U",
        "alterego",
        "--no-sync",
        "-E",
        "UTF8",
    ]
    subprocess.run(init, user=user, group=user, check=True, capture_output=True, cwd=folder)
    server = subprocess.Popen(
        [programs / "postgres", "-D", folder / "data", "-p", str(port), "-h", "127.0.0.1", "-k", folder, "-F"],
        user=user,
        group=user,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=folder,
    )
    try:
        _wait_for(url)
        yield url
    finally:
        server.terminate()
        server.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(url: str) -> None:
    for _ in range(200):
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:  # refused, or "the database system is starting up"
            time.sleep(0.05)
        else:
            return
    raise TimeoutError("PostgreSQL did not start")
