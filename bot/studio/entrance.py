"""Where the studio listens, and with which password. Loads nothing of Gradio, so that a refusal is quick."""

import contextlib
import importlib.util
import socket
from collections.abc import Iterator
from pathlib import Path

from persona.errors import PermanentError, SettingsError, UserError
from persona.values import is_loopback

SHORTEST = 12  # characters of a password that a network may guess at


def require_gradio() -> None:
    """Raises SettingsError if the extra is not installed."""
    if importlib.util.find_spec("gradio") is None:
        raise SettingsError("the studio needs Gradio; run 'pip install -r requirements-studio.txt'")


def password_for(host: str, file: Path | None) -> str:
    """Return the password that callers must tell; "" on loopback where none is set. Raises PermanentError for a page that
    a network would see without one."""
    if file is None:
        if not is_loopback(host):
            raise PermanentError(
                f"the studio would be open to anyone who reaches {host}; name a file with a password (--password-file), "
                "or leave --host out"
            )
        return ""
    try:
        password = file.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise PermanentError(f"{file} can't be read ({error.strerror}); write a password into it") from error
    except UnicodeDecodeError as error:
        raise PermanentError(f"{file} holds no text; write a password into it") from error
    if file.stat().st_mode & 0o077:
        raise PermanentError(f"{file} can be read by others; run 'chmod 600 {file}'")
    if len(password) < SHORTEST:
        raise PermanentError(f"the password in {file} is too short; at least {SHORTEST} characters are needed")
    return password


@contextlib.contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """A socket on which callers may wait already. Raises UserError if somebody else has the place."""
    try:
        door = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        reason = error.strerror or str(error)
        raise UserError(
            f"nobody can listen on {host} port {port} ({reason}); name another with --port or --host"
        ) from error
    with door:
        yield door
