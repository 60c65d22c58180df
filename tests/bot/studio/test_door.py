"""Who may open the studio's page."""

import base64
from pathlib import Path

import pytest
from starlette.responses import PlainTextResponse
from starlette.types import Message

from bot.__main__ import app as bot
from bot.studio.door import Door
from bot.studio.entrance import listening, password_for
from persona.errors import PermanentError, UserError
from tests.conftest import Home, run_here

PASSWORD = "a heron in the reeds"


async def asked(password: str = "", path: str = "/", **headers: str) -> tuple[int, dict[bytes, bytes]]:
    """The status and headers with which a door answers."""
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Message) -> None:
        sent.append(message)

    given = [(name.encode(), value.encode()) for name, value in headers.items()]
    door = Door(PlainTextResponse("come in"), password)
    await door({"type": "http", "method": "GET", "path": path, "headers": given}, receive, send)
    return sent[0]["status"], dict(sent[0]["headers"])


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
    picture = {"host": "127.0.0.1:7860", "sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors"}
    assert (await asked(**picture))[0] == 403
    assert (await asked(**picture | {"sec-fetch-site": "same-origin"}))[0] == 200


async def test_a_link_leads_in() -> None:
    """Whoever clicks on it comes themselves."""
    link = {"host": "127.0.0.1:7860", "sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert (await asked(**link))[0] == 200


@pytest.mark.parametrize("broken", ["[", "[::1", "127.0.0.1]:7860"])
async def test_a_broken_address_is_refused_as_another_is(broken: str) -> None:
    """And is no failure of ours."""
    assert (await asked(host=broken))[0] == 403
    assert (await asked(host="127.0.0.1:7860", origin=f"http://{broken}"))[0] == 403


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/assets/index.js",
        "/theme.css",
        "/gradio_api/queue/join",
        "/gradio_api/heartbeat/x1",
    ],
)
async def test_what_the_page_asks_for_is_open(path: str) -> None:
    """And nothing is asked for twice."""
    assert (await asked(path=path, host="127.0.0.1:7860"))[0] == 200


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=https://elsewhere.example/picture.png",
        "/gradio_api/file=/etc/passwd",
        "//gradio_api/file=/etc/passwd",
        "/gradio_api/proxy=https://elsewhere.example/",
        "/gradio_api/deep_link",
        "/gradio_api/call/say",
        "/gradio_api/heartbeat/../file=/etc/passwd",
        "/monitoring/summary",
        "/docs",
    ],
)
async def test_what_gradio_offers_besides_is_shut(path: str) -> None:
    """Whoever may open the page may not send the server about the internet."""
    assert (await asked(path=path, host="127.0.0.1:7860"))[0] == 404


async def test_from_elsewhere_the_password_opens() -> None:
    """Told as browsers tell it; anything else is asked for it again."""
    assert (await asked(PASSWORD, host="heron.lan:7860", authorization=basic(PASSWORD)))[0] == 200
    for authorization in ("", "Basic", "Basic !!", basic("wrong"), basic(""), "Bearer " + PASSWORD):
        status, headers = await asked(PASSWORD, host="heron.lan:7860", authorization=authorization)
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
    with pytest.raises(PermanentError, match="can't be read"):
        password_for("0.0.0.0", file)
    file.write_bytes(b"\xff\xfe\x00 a key of another program")
    with pytest.raises(PermanentError, match="holds no text"):
        password_for("0.0.0.0", file)
    file.write_text(PASSWORD + "\n")
    file.chmod(0o644)
    with pytest.raises(PermanentError, match="chmod 600"):
        password_for("0.0.0.0", file)
    file.chmod(0o600)
    assert password_for("0.0.0.0", file) == PASSWORD
    file.write_text("short")
    with pytest.raises(PermanentError, match="too short"):
        password_for("127.0.0.1", file)


def test_a_taken_port_is_a_sentence() -> None:
    """Naming the option that mends it."""
    with listening("127.0.0.1", 0) as door:
        port = door.getsockname()[1]
        with pytest.raises(UserError, match=rf"port {port}.*--port"), listening("127.0.0.1", port):
            pass


async def test_files_are_taken_in_from_the_page_alone() -> None:
    """Exports are dropped on it; another page may send none."""
    upload = {"path": "/gradio_api/upload", "host": "127.0.0.1:7860"}
    assert (await asked(**upload, origin="http://127.0.0.1:7860"))[0] == 200
    assert (await asked(**upload, origin="https://elsewhere.example"))[0] == 403
    assert (await asked(path="/gradio_api/upload/../file=/etc/passwd", host="127.0.0.1:7860"))[0] == 404
