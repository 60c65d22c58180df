"""persona.toml: every mistake named with its key."""

import re
from datetime import time, timedelta
from pathlib import Path

import pytest

from persona.config import load
from persona.errors import USAGE, SettingsError

ROOT = Path(__file__).parent.parent.parent
ME = '[persona]\nname = "Alice"\n'


def settings_of(folder: Path, text: str) -> Path:
    path = folder / "persona.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_name_is_enough(tmp_path: Path) -> None:
    """Every other key has a default."""
    settings = load(settings_of(tmp_path, ME), {})
    assert settings.persona.key == "ALICE"
    assert settings.tweets.every == timedelta(hours=6)
    assert settings.tweets.hours == (time(9), time(23))
    assert settings.corpus == tmp_path / "corpus"
    assert settings.adapters == tmp_path / "adapters" / "alice"


def test_the_committed_settings_hold_every_key_with_its_default(tmp_path: Path) -> None:
    """examples/persona.toml is the sample's, and the manual: it must name what there is."""
    sample = load(ROOT / "examples" / "persona.toml", {})
    text = (ROOT / "examples" / "persona.toml").read_text(encoding="utf-8")
    for name, table in type(sample).model_fields.items():
        for key, field in getattr(table.annotation, "model_fields", {}).items():
            inner = getattr(field.annotation, "model_fields", {})
            assert f"[{name}.{key}]" in text if inner else f"{key} =" in text, f"[{name}] {key} is not in persona.toml"
            assert all(f"\n{one} =" in text for one in inner), f"[{name}.{key}] is not whole in persona.toml"


def test_under_systemd_the_state_lies_in_its_directory(tmp_path: Path) -> None:
    """$STATE_DIRECTORY holds corpus, adapters and store; sources stay beside the settings."""
    settings = load(settings_of(tmp_path, ME + '[data]\nsources = ["x"]\n'), {"STATE_DIRECTORY": "/var/lib/alterego"})
    assert settings.adapters == Path("/var/lib/alterego/adapters/alice")
    assert settings.sources == [tmp_path / "x"]


def test_the_home_of_nobody_is_a_path_that_is_not_found(tmp_path: Path) -> None:
    """~name of a user whom the machine doesn't know stays as it was typed."""
    settings = load(settings_of(tmp_path, ME + '[data]\nsources = ["~nobody-of-this-name/x", "~/y"]\n'), {})
    assert settings.sources == [tmp_path / "~nobody-of-this-name" / "x", Path.home() / "y"]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "[persona] is missing"),
        ("[persona]\n", "[persona] name is missing"),
        ('[persona]\nname = "\u200b"\n', "[persona] name: '\\u200b' holds nothing a name can be written with"),
        (ME + "[sampling]\ntemprature = 1\n", "[sampling] has no key 'temprature'; did you mean 'temperature'?"),
        (ME + "[trian]\nrank = 1\n", "it has no table 'trian'; did you mean 'train'?"),
        (ME + "[people.Bob]\ndiscrod = [1]\n", "[people.Bob] has no key 'discrod'; did you mean 'discord'?"),
        (ME + "[data.cleaning]\nretwets = true\n", "[data.cleaning] has no key 'retwets'; did you mean 'retweets'?"),
        (ME + "[data.cleaning]\npii = 7\n", "[data.cleaning] pii:"),
        (ME + "[train]\nepochs = inf\n", "[train] epochs: Input should be a finite number"),
        (ME + "[base]\nminutes = nan\n", "[base] minutes: Input should be 'auto' or a finite number"),
        (ME + '[data]\nlanguages = ["English"]\n', "[data] languages: 'English' is no language; write its two letters"),
        (
            ME + '[discord]\nchannels = ["#general"]\n',
            "[discord] channels: '#general' is no number, and names change; in",
        ),
        (
            ME + '[discord]\nowners = ["@lena"]\n',
            "'@lena' is no number, and names change; in Discord, Settings → Advanced",
        ),
        (ME + '[telegram]\nchats = ["https://t.me/+abc"]\n', "is no number, and names change; add the bot to the chat"),
        (
            ME + '[telegram]\nusers = ["@lena"]\n',
            "let them write to the bot once, and 'python -m bot doctor' names who",
        ),
        (ME + '[people.B]\ndiscord = ["@lena"]\n', "[people.B] discord: '@lena' is no number"),
        (ME + '[tweets]\nto = ["discord:#general"]\n', "[tweets] to: 'discord:#general' is no place to post"),
        (
            ME + '[discord]\ntoken = "x"\n',
            "[discord] token: no secret belongs into this file; put it into .env beside it as DISC",
        ),
        (ME + '[telegram]\nbot_token = "x"\n', "put it into .env beside it as TELEGRAM_TOKEN=…, and reset the token"),
        (ME + f'[store]\nurl = "123456789:{"x" * 35}"\n', "[store] url: no secret belongs into this file"),
        (
            ME + '[people.B]\nnames = ["Zed"]\n[people.C]\nnames = ["zed"]\n',
            "[people.B] and [people.C] both claim the name",
        ),
        (
            ME + '[base]\nhf_token = "x"\n',
            "[base] hf_token: no secret belongs into this file; put it into .env beside it as HF",
        ),
        (ME + '[engine]\napi_key = "x"\n', "put it into .env beside it as ENGINE_API_KEY=…"),
        (ME + '[store]\npassword = "x"\n', "put it into .env beside it as STORE_URL=…"),
        (ME + '[data]\nsources = "exports"\n', '[data] sources: should be a list, such as ["one", "two"]'),
        (ME + '[train]\nrank = "big"\n', "[train] rank: should be a whole number"),
        (ME + '[tweets]\nevery = "6x"\n', "[tweets] every: '6x' is no duration"),
        (ME + '[tweets]\nevery = "9999999d"\n', "[tweets] every: '9999999d' is no duration"),
        (ME + '[tweets]\nhours = "9-12"\n', "[tweets] hours: '9-12' is no span of hours"),
        (ME + '[tweets]\ntimezone = "Mars"\n', "[tweets] timezone: 'Mars' is no time zone"),
        (ME + '[tweets]\nto = ["irc:1"]\n', "[tweets] to:"),
        (ME + "[train]\nrank = 0\n", "[train] rank:"),
        (ME + '[train]\ntarget_modules = "("\n', "[train] target_modules: '(' is no pattern (missing )"),
        (ME + '[train]\nmemory = "Auto"\n', "[train] memory: Input should be 'auto' or true or false"),
        (ME + '[train]\nloss_on = "everyone"\nemphasis = 0.5\n', "[train]: emphasis is of one persona's words"),
        (ME + '[base]\nquantize = "2bit"\n', "[base] quantize:"),
        (ME + '[discord]\napi_base = "http://example.com/api"\n', "plain http only on loopback"),
        (ME + '[metrics]\nhost = "0.0.0.0"\n', "is not loopback"),
        (ME + "[people.A]\ndiscord = [7]\n[people.B]\ndiscord = [7]\n", "both claim the discord id 7"),
        (ME + "[persona]\n", "is not valid TOML"),
    ],
)
def test_a_mistake_is_named_with_its_key(tmp_path: Path, text: str, sentence: str) -> None:
    """One sentence, exit code 2."""
    with pytest.raises(SettingsError) as fault:
        load(settings_of(tmp_path, text), {})
    assert sentence in str(fault.value)
    assert fault.value.exit_code == USAGE


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """Nobody likes to mend one after the other."""
    with pytest.raises(SettingsError) as fault:
        load(settings_of(tmp_path, ME + "[train]\nrank = 0\nepoch = 3\n"), {})
    assert "[train] rank:" in str(fault.value)
    assert "[train] has no key 'epoch'; did you mean 'epochs'?" in str(fault.value)


def test_missing_settings_are_a_sentence(tmp_path: Path) -> None:
    """With what to do."""
    with pytest.raises(SettingsError, match=r"there is no .*name yours with --config"):
        load(tmp_path / "none.toml", {})


def test_a_token_is_never_repeated(tmp_path: Path) -> None:
    """What is printed ends up in logs and in questions to others."""
    token = "9876543210:" + "q" * 35
    with pytest.raises(SettingsError) as fault:
        load(settings_of(tmp_path, ME + f'[telegram]\nusers = ["{token}"]\n'), {})
    assert token[:6] not in str(fault.value)
    assert "q" * 6 not in str(fault.value)


def test_numbers_of_any_platform_are_taken(tmp_path: Path) -> None:
    """As numbers or texts, of chats and topics, and as exports write them; the persona's own table may repeat its name."""
    text = (
        ME
        + '[discord]\nchannels = [123]\n[telegram]\nchats = [-1001, "-1001:7"]\n[people.Alice]\ntelegram = ["user12"]\n'
    )
    settings = load(settings_of(tmp_path, text), {})
    assert settings.named_channels == {"discord:123", "telegram:-1001", "telegram:-1001:7"}


def test_the_nearest_place_wins(tmp_path: Path) -> None:
    """A channel's keys go over its server's, and those over [talk]; a contact of an owner's own chats is a place too."""
    text = '[talk]\nhourly = 1\ncooldown = "1s"\n[[place]]\nmatch = "discord:1"\nhourly = 2\nbursts = false\n'
    text += '[[place]]\nmatch = "discord:2"\nhourly = 3\n[[place]]\nmatch = "telegram:5@42"\nauto_after = 9\n'
    settings = load(settings_of(tmp_path, ME + text), {})
    talk = settings.talk_in(("discord:3", "discord:2", "discord:1"))
    assert (talk.hourly, talk.bursts, talk.cooldown) == (3, False, timedelta(seconds=1))
    assert settings.talk_in(("discord:9",)) is settings.talk
    assert settings.talk_in(("telegram:5@42",)).auto_after == 9


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            '[[place]]\nmatch = "discord:1"\ncooldwon = "1s"\n',
            "[[place]] has no key 'cooldwon'; did you mean 'cooldown'?",
        ),
        ("[[place]]\nhourly = 1\n", "[[place]] match is missing"),
        ('[[place]]\nmatch = "irc:1"\n', "[[place]] match: 'irc:1' is no place"),
        ('[[place]]\nmatch = "discord:1"\n[[place]]\nmatch = "discord:1"\n', "two tables match discord:1"),
    ],
)
def test_a_mistake_in_a_place_is_named(tmp_path: Path, text: str, sentence: str) -> None:
    """With its key, as in any table."""
    with pytest.raises(SettingsError, match=re.escape(sentence)):
        load(settings_of(tmp_path, ME + text), {})
