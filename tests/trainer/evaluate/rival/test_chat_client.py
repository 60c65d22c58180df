"""What servers do instead of answering: each is handled, or a sentence."""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from persona.errors import PermanentError, SettingsError, UserError
from tests.fakes.fake_chat import FakeChat, Trouble
from trainer.evaluate.rival.chat_answer import ChatAnswer, RubbishError, content_of, without_thoughts
from trainer.evaluate.rival.chat_client import ChatClient, ChatServer, TooLongError, chat_server

CHAT = [{"role": "system", "content": "you are Mara"}, {"role": "user", "content": "hello?"}]


@pytest.fixture
def server() -> Iterator[FakeChat]:
    fake = FakeChat()
    yield fake
    fake.stop()


def ask(
    server: FakeChat, *, model: str = "big-one", key: str = "", times: int = 1, seconds: float = 20
) -> list[ChatAnswer]:
    """Answers of one client, one after the other."""

    async def asked() -> list[ChatAnswer]:
        async with ChatClient(chat_server(server.url, key), notes.append, answer_seconds=seconds) as client:
            return [await client.ask(model, CHAT, 100) for _ in range(times)]

    notes: list[str] = []
    return asyncio.run(asked())


def test_an_answer_comes_with_its_cost(server: FakeChat) -> None:
    """Every field that shapes it is sent."""
    (answer,) = ask(server)
    assert (answer.text, answer.prompt_tokens, answer.answer_tokens, answer.finish) == ("sure, why not", 700, 3, "stop")
    assert answer.seconds > 0
    (body,) = server.asked
    assert body["messages"] == CHAT
    assert {name: body[name] for name in ("temperature", "top_p", "max_tokens", "n")} == {
        "temperature": 1.0, "top_p": 1.0, "max_tokens": 100, "n": 1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("url", "expected", "is_local"),
    [
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/v1", True),
        ("http://localhost:8080/v1/", "http://localhost:8080/v1", True),
        ("http://[::1]:8080/v1/chat/completions", "http://[::1]:8080/v1", True),
        ("https://api.example.com/v1", "https://api.example.com/v1", False),
        ("https://localhost.example.com", "https://localhost.example.com/v1", False),
        ("https://127.0.0.1.example.com/v1", "https://127.0.0.1.example.com/v1", False),
    ],
)
def test_an_address_is_read_as_people_write_it(url: str, expected: str, is_local: bool) -> None:
    """Whether it is this machine is told by the whole name."""
    server = chat_server(url, "")
    assert (server.url, server.is_local) == (expected, is_local)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("api.example.com/v1", "takes the address of a server"),
        ("", "takes the address"),
        ("http://[::1", "takes the address"),
        ("http://127.0.0.1:port/v1", "takes the address"),
        ("ftp://127.0.0.1/v1", "takes the address"),
        ("https://sk-1@api.example.com/v1", "RIVAL_API_KEY"),
        ("https://api.example.com/v1?key=sk-1", "RIVAL_API_KEY"),
        ("http://192.168.1.5:8080/v1", "in the clear; use https, or a tunnel"),
    ],
)
def test_what_is_no_address_is_a_sentence(url: str, sentence: str) -> None:
    """And words cross no network in the clear."""
    with pytest.raises(SettingsError, match=sentence):
        chat_server(url, "")


def test_a_key_is_sent_and_never_shown(server: FakeChat) -> None:
    """A wrong one is told apart from none."""
    server.key = "sk-right"
    assert ask(server, key="sk-right")
    with pytest.raises(PermanentError, match=r"refuses the key in RIVAL_API_KEY \(401: Incorrect"):
        ask(server, key="sk-wrong")
    with pytest.raises(PermanentError, match="without a key; set RIVAL_API_KEY"):
        ask(server)
    assert "sk-right" not in repr(ChatServer(server.url, "sk-right"))


def test_a_model_or_path_that_is_not_there_is_a_sentence(server: FakeChat) -> None:
    """One of the two is wrong, and 404 doesn't say which."""
    with pytest.raises(PermanentError, match=r"no model 'small', or no /chat/completions .* check the address"):
        ask(server, model="small")
    at_root = ChatServer(server.url.removesuffix("/v1"))
    with pytest.raises(PermanentError, match="ends in /v1"):
        asyncio.run(_ask_at(at_root))


async def _ask_at(server: ChatServer) -> ChatAnswer:
    async with ChatClient(server) as client:
        return await client.ask("big-one", CHAT, 100)


@pytest.mark.parametrize("form", ["seconds", "date"])
def test_a_busy_server_is_asked_again_when_it_says(server: FakeChat, form: str) -> None:
    """Retry-After in both of its forms."""
    later = datetime.now(UTC) + timedelta(seconds=1)
    asked_to_wait = "0.2" if form == "seconds" else format_datetime(later, usegmt=True)
    server.troubles = [Trouble(429, headers={"Retry-After": asked_to_wait}), Trouble(503, headers={"Retry-After": "0"})]
    assert ask(server)[0].text == "sure, why not"
    assert len(server.tries) == 3


def test_a_server_that_asks_to_wait_for_long_ends_it(server: FakeChat) -> None:
    """And so does an account without money, at once: waiting mends nothing."""
    server.troubles = [Trouble(429, headers={"Retry-After": "7200"})]
    with pytest.raises(UserError, match="asks to wait 7200 seconds"):
        ask(server)
    server.troubles = [Trouble(429, json.dumps({"error": {"message": "see billing", "code": "insufficient_quota"}}))]
    with pytest.raises(UserError, match="no quota left: see billing"):
        ask(server)
    assert len(server.tries) == 2


def test_a_server_that_goes_on_failing_is_a_sentence(server: FakeChat) -> None:
    """After a few tries."""
    server.troubles = [Trouble(500, "<html>oops</html>", {"Retry-After": "0"}) for _ in range(9)]
    with pytest.raises(UserError, match=r"busy or failing \(500: <html>oops</html>\); is it running"):
        ask(server)
    assert len(server.tries) == 4


def test_a_server_that_is_silent_or_not_there_is_a_sentence(server: FakeChat, free_port: int) -> None:
    """Each in its own words."""
    server.troubles = [Trouble(seconds=0.5) for _ in range(9)]
    with pytest.raises(UserError, match="did not answer in time; is it running"):
        ask(server, seconds=0.1)
    with pytest.raises(UserError, match=r"can't be reached \(.*\); is it running, and is this its address\?"):
        asyncio.run(_ask_at(chat_server(f"http://127.0.0.1:{free_port}", "")))


@pytest.mark.parametrize(
    "body", ["", "<html>hello</html>", "[]", '{"choices": []}', '{"choices": [{"message": null}]}', "7"]
)
def test_rubbish_is_told_from_an_answer(server: FakeChat, body: str) -> None:
    """Whatever it is."""
    server.troubles = [Trouble(200, body)]
    with pytest.raises(RubbishError, match="no chat completion; its address ends in /v1"):
        ask(server)


def test_an_error_inside_an_answer_is_one(server: FakeChat) -> None:
    """Proxies answer 200 with an error in it."""
    server.troubles = [Trouble(200, json.dumps({"error": {"message": "upstream died"}}))]
    with pytest.raises(RubbishError, match="upstream died"):
        ask(server)


def test_words_are_not_sent_on_to_somebody_else(server: FakeChat) -> None:
    """A redirection is told, not followed."""
    server.troubles = [Trouble(307, "", {"Location": "https://elsewhere.example/v1/chat/completions"})]
    with pytest.raises(SettingsError, match=r"sends requests on to elsewhere\.example"):
        ask(server)


def test_a_server_that_streams_alone_is_understood(server: FakeChat) -> None:
    """It is asked so from then on, with its count of tokens."""
    server.streams = True
    server.refuses = {"stream_options"}
    answers = ask(server, times=2)
    assert [(answer.text, answer.answer_tokens) for answer in answers] == [("sure, why not", 3)] * 2
    assert len(server.tries) == 4


def test_fields_that_a_server_refuses_are_left_out(server: FakeChat) -> None:
    """The limit of tokens goes under its newer name; learned once."""
    server.refuses = {"max_tokens", "temperature"}
    ask(server, times=2)
    assert [
        ("max_tokens" in body, body.get("max_completion_tokens"), "temperature" in body) for body in server.asked
    ] == [(False, 100, False)] * 2
    assert len(server.tries) == 4


def test_a_template_without_a_system_gets_all_from_the_user(server: FakeChat) -> None:
    """Nothing is lost."""
    server.system = False
    ask(server)
    assert server.asked[0]["messages"] == [{"role": "user", "content": "you are Mara\n\nhello?"}]


def test_a_prompt_that_does_not_fit_is_told_apart(server: FakeChat) -> None:
    """It may be asked again, shorter."""
    server.holds = 3
    with pytest.raises(TooLongError):
        ask(server)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<think>hmm\nwell</think>\n\nno", "no"),
        ("<thinking>a</thinking> no <think>b</think>", "no"),
        ("they would say no</think>no", "no"),
        ("<think>and on and on", ""),
        ("i think so", "i think so"),
        ("<3", "<3"),
    ],
)
def test_thoughts_are_no_words(text: str, words: str) -> None:
    """Whether they begin, end, or do neither."""
    assert without_thoughts(text) == words


def test_only_model_is_asked_for(server: FakeChat) -> None:
    """With several the user says which."""

    async def model() -> str:
        async with ChatClient(chat_server(server.url, "")) as client:
            return await client.only_model()

    assert asyncio.run(model()) == "big-one"
    server.models = ["one", "two"]
    with pytest.raises(SettingsError, match=r"has 2 models \(one, two\); name one with --model"):
        asyncio.run(model())


def test_events_are_joined() -> None:
    """Parts of a message, comments and all."""
    text = 'data: {"choices":[{"delta":{"content":"a"}}]}\n: ping\ndata: {"choices":[{"delta":{"content":null}}]}\ndata: [DONE]'
    assert content_of(text)["choices"][0]["message"]["content"] == "a"
