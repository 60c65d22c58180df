"""Who may open the studio's page."""

import base64
from pathlib import Path

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message

from bot.__main__ import app as bot
from bot.studio.door import Door
from bot.studio.entrance import listening, password_for
from persona.fault import Fault, StandingFault
from tests.conftest import Home, run_here

PASSWORD = "a heron in the reeds"


async def asked(password: str = "", **headers: str) -> tuple[int, dict[bytes, bytes]]:
    """The status and headers with which a door answers."""
    told: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        told.append(message)

    given = [(name.encode(), value.encode()) for name, value in headers.items()]
    door = Door(PlainTextResponse("come in"), password)
    await door({"type": "http", "method": "GET", "path": "/", "headers": given}, receive, send)
    return told[0]["status"], dict(told[0]["headers"])


def basic(password: str) -> str:
    return "Basic " + base64.b64encode(f"me:{password}".encode()).decode()


@pytest.mark.parametrize("host", ["127.0.0.1:7860", "localhost:7860", "[::1]:7860"])
async def test_this_machine_comes_in(host: str) -> None:
    """And its browser is told to fetch nothing from elsewhere."""
    status, headers = await asked(host=host, origin=f"http://{host}")
    assert status == 200
    assert b"default-src 'self'" in headers[b"content-security-policy"]


async def test_other_peoples_pages_stay_out() -> None:
    """Neither a page that asks across origins nor a name that was made to point here."""
    assert (await asked(host="127.0.0.1:7860", origin="https://elsewhere.example"))[0] == 403
    assert (await asked(host="127.0.0.1:7860", origin="null"))[0] == 403
    assert (await asked(host="elsewhere.example:7860", origin="http://elsewhere.example:7860"))[0] == 403
    assert (await asked())[0] == 403


async def test_from_elsewhere_the_password_opens() -> None:
    """Told as browsers tell it; anything else is asked for it again."""
    assert (await asked(PASSWORD, host="heron.lan:7860", authorization=basic(PASSWORD)))[0] == 200
    for told in ("", "Basic", "Basic !!", basic("wrong"), basic(""), "Bearer " + PASSWORD):
        status, headers = await asked(PASSWORD, host="heron.lan:7860", authorization=told)
        assert status == 401
        assert b"www-authenticate" in headers


def test_a_network_gets_no_page_without_a_password(home: Home) -> None:
    """78, and a sentence."""
    done = run_here(bot, "python -m bot", "studio", "--host", "0.0.0.0", "--config", str(home.config))
    assert done.returncode == 78
    assert "--password-file" in done.stderr


def test_the_password_file_is_nobody_elses_and_long_enough(tmp_path: Path) -> None:
    """Each mistake has its sentence."""
    file = tmp_path / "password"
    with pytest.raises(StandingFault, match="can't be read"):
        password_for("0.0.0.0", file)
    file.write_text(PASSWORD + "\n")
    file.chmod(0o644)
    with pytest.raises(StandingFault, match="chmod 600"):
        password_for("0.0.0.0", file)
    file.chmod(0o600)
    assert password_for("0.0.0.0", file) == PASSWORD
    file.write_text("short")
    with pytest.raises(StandingFault, match="too short"):
        password_for("127.0.0.1", file)


def test_a_taken_port_is_a_sentence() -> None:
    """Naming the option that mends it."""
    with listening("127.0.0.1", 0) as door:
        port = door.getsockname()[1]
        with pytest.raises(Fault, match=rf"port {port}.*--port"), listening("127.0.0.1", port):
            pass
