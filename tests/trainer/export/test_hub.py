"""What may leave for the Hub is a list; the rest stays, and the upload is private unless said otherwise."""

import json
from collections.abc import Iterator
from contextlib import closing

import huggingface_hub
import pytest

from persona.archive.index import archive_of
from persona.bundle import Bundle, current
from persona.config import load
from persona.errors import UserError
from tests.conftest import Home, run_here
from tests.fakes.fake_hub import TOKEN, FakeHub
from trainer.__main__ import app
from trainer.export.hub import outgoing, publish_to_hub

MIN_WORDS = 4  # of a line that is somebody's own


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)  # its library may reach loopback here
    fake = FakeHub()
    yield fake
    fake.stop()


@pytest.fixture
def bundle(trained: Home) -> Bundle:
    return current(load(trained.config, {}).adapters)


def test_only_what_is_listed_leaves(hub: FakeHub, bundle: Bundle) -> None:
    """Adapter, config, seal and card; never private/, the grown base, the GGUF, nor a tokenizer made of private text."""
    files = outgoing(bundle, include_tokenizer=False)
    publish_to_hub(bundle, "mara/voice", TOKEN, files, public=False, endpoint=hub.url)
    assert set(hub.files) == {"adapter_model.safetensors", "adapter_config.json", "README.md", "persona.json"}
    assert hub.created == {"voice": "private"}
    for name, content in hub.files.items():
        assert content == (bundle.folder / name).read_bytes()


def test_nothing_that_may_come_to_mind_leaves(hub: FakeHub, bundle: Bundle) -> None:
    """No line of the archive stands in a file that is uploaded, not even with the tokenizer."""
    publish_to_hub(bundle, "mara/voice", TOKEN, outgoing(bundle, include_tokenizer=True), public=True, endpoint=hub.url)
    with closing(archive_of(bundle)) as archive:
        lines = {line for passage in archive.passages() for turn in passage.turns for line in turn.lines}
    told = b"\n".join(hub.files.values())
    written = [line for line in lines if len(line.split()) >= MIN_WORDS]
    assert written
    assert not [line for line in written for form in (line, json.dumps(line)[1:-1]) if form.encode() in told]


def test_a_grown_base_s_tokenizer_goes_only_when_asked_for(bundle: Bundle) -> None:
    """It holds names."""
    assert "tokenizer.json" not in outgoing(bundle, include_tokenizer=False)
    assert "tokenizer.json" in outgoing(bundle, include_tokenizer=True)


def test_without_a_token_nothing_is_sent(hub: FakeHub, bundle: Bundle) -> None:
    """And the sentence says where to get one."""
    with pytest.raises(UserError, match="there is no HF_TOKEN"):
        publish_to_hub(bundle, "mara/voice", "", ["README.md"], public=False, endpoint=hub.url)
    assert not hub.created


def test_a_missing_token_is_told_before_anybody_is_asked(trained: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who agreed to an upload should not be told afterwards that there can be none."""
    monkeypatch.delenv("HF_TOKEN", raising=False)
    done = run_here(app, "python -m trainer", "export", "--hub", "mara/voice", "--config", str(trained.config))
    assert (done.returncode, "there is no HF_TOKEN" in done.stderr) == (1, True)
    assert "send " not in done.stderr


def test_a_refusal_is_a_sentence_without_the_token(hub: FakeHub, bundle: Bundle) -> None:
    """A wrong token, say."""
    with pytest.raises(UserError, match="the Hub did not take mara/voice") as refused:
        publish_to_hub(bundle, "mara/voice", "hf_wrong", ["README.md"], public=False, endpoint=hub.url)
    assert "hf_wrong" not in str(refused.value)
    assert not hub.files


def test_a_hub_that_cannot_be_reached_is_a_sentence(hub: FakeHub, bundle: Bundle, free_port: int) -> None:
    """Where there is no network, say."""
    nowhere = f"http://127.0.0.1:{free_port}"
    with pytest.raises(UserError, match="the Hub did not take mara/voice"):
        publish_to_hub(bundle, "mara/voice", TOKEN, ["README.md"], public=False, endpoint=nowhere)


def test_a_dry_run_lists_what_would_go_and_asks_nobody(trained: Home, bundle: Bundle) -> None:
    """Not even for a token; other exports have nothing to try."""
    config = ("--config", str(trained.config))
    done = run_here(app, "python -m trainer", "export", "--hub", "mara/voice", "--dry-run", *config)
    assert done.returncode == 0, done.stderr
    assert [line.partition(":")[0] for line in done.stdout.splitlines()[:-1]] == outgoing(
        bundle, include_tokenizer=False
    )
    assert done.stdout.endswith("for you alone to see; nothing was sent\n")
    refused = run_here(app, "python -m trainer", "export", "--gguf", "x.gguf", "--dry-run", *config)
    assert (refused.returncode, "--dry-run goes with --hub" in refused.stderr) == (2, True)
