"""How far the way to a persona is, and what stands beside its steps."""

import re
from pathlib import Path

import pytest

from bot.gateway import Finding
from bot.studio.steps import BASE, EXPORTS, MEETING, PEOPLE, TITLES, TOKENS, TRAINING, steps_of, with_findings
from persona.errors import SettingsError
from tests.conftest import Home


def test_without_settings_every_step_says_what_comes_first(tmp_path: Path) -> None:
    """None is done, none is a fault."""
    steps = steps_of(tmp_path / "persona.toml")
    assert len(steps) == len(TITLES)
    assert not any(step.done or step.faults for step in steps)
    assert all(step.sentence.endswith(".") for step in steps)


def test_a_trained_persona_has_tokens_left(trained: Home) -> None:
    """All that lies on the disk is seen."""
    steps = steps_of(trained.config)
    assert [step.done for step in steps] == [True] * 5 + [False]
    assert "Mara Voss" in steps[PEOPLE].sentence
    assert "Jonas Lindqvist" in steps[PEOPLE].sentence


def test_settings_alone_are_two_steps(bare_home: Home) -> None:
    """What is not read can't be trained on."""
    steps = steps_of(bare_home.config)
    assert [steps[number].done for number in (PEOPLE, BASE, TRAINING, MEETING)] == [True, False, False, False]
    bare_home.settings("[persona\n")
    with pytest.raises(SettingsError):
        steps_of(bare_home.config)


def test_a_token_that_is_missing_is_named(bare_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """And one that is there is not shown."""
    monkeypatch.delenv("TELEGRAM_TOKEN", raising=False)
    bare_home.settings(bare_home.config.read_text("utf-8") + "[telegram]\nenabled = true\n")
    assert "TELEGRAM_TOKEN is missing" in steps_of(bare_home.config)[TOKENS].sentence
    monkeypatch.setenv("TELEGRAM_TOKEN", "123:secret")
    step = steps_of(bare_home.config)[TOKENS]
    assert step.done
    assert "secret" not in step.sentence


def test_what_comes_later_is_no_fault(bare_home: Home) -> None:
    """Before a training there is no adapter, and nobody has to switch a platform on; the steps say so."""
    findings = [Finding(check, False, "none") for check in ("bundle", "engine", "platforms")]
    steps = with_findings(steps_of(bare_home.config), findings)
    assert [step.faults for step in steps] == [()] * len(TITLES)


def test_the_doctors_answer_stands_beside_its_step(trained: Home) -> None:
    """A fault with how to mend it; what concerns platforms stands beside the tokens."""
    findings = [
        Finding("disk", True, "9 GiB free"),
        Finding("engine", False, "no answer", "start it"),
        Finding("discord intents", False, "no message content", "switch it on"),
    ]
    steps = with_findings(steps_of(trained.config), findings)
    assert steps[EXPORTS].notes == ("disk: 9 GiB free",)
    assert steps[MEETING].faults == ("engine: no answer; start it",)
    assert steps[TOKENS].faults == ("discord intents: no message content; switch it on",)


def test_an_adapter_of_another_day_is_not_nothing(bare_home: Home, trained: Home) -> None:
    """Why it can't be used stands beside the training."""
    versions = next((trained.folder / "adapters").iterdir())
    old = bare_home.folder / "adapters" / versions.name / "1"
    old.mkdir(parents=True)
    seal = (versions / "1" / "persona.json").read_text("utf-8")
    (old / "persona.json").write_text(re.sub(r'("format[^"]*": ?)\d+', r"\g<1>0", seal, count=1), encoding="utf-8")
    step = steps_of(bare_home.config)[TRAINING]
    assert not step.done
    assert "can't be used any more" in step.sentence
    assert "train" in step.faults[0]
