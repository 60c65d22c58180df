"""Chat templates that render roles as the transcript renders speakers, for programs that know roles only."""

import json

from persona.bundle import Seal
from persona.names import SOMEONE
from persona.transcript import header, scene_line

SCENE = "dm"  # one user and one assistant


def chat_template(seal: Seal, end: str) -> str:
    """In Jinja, as transformers and llama.cpp read it. end: the end-of-turn token. A system message has no place in a
    transcript and is left out."""
    start, me, you = (json.dumps(piece) for piece in _pieces(seal))
    return (
        "{{ " + start + " }}"
        "{% for message in messages %}{% if message['role'] != 'system' %}"
        "{{ ("
        + me
        + " if message['role'] == 'assistant' else "
        + you
        + ") + message['content'] + "
        + json.dumps(end)
        + " }}"
        "{% endif %}{% endfor %}"
        "{% if add_generation_prompt %}{{ " + me + " }}{% endif %}"
    )


def ollama_template(seal: Seal, end: str) -> str:
    """In Go's template language, as Ollama reads it."""
    start, me, you = _pieces(seal)
    return (
        start
        + '{{- range .Messages }}{{ if eq .Role "user" }}'
        + you
        + "{{ .Content }}"
        + end
        + '{{ else if eq .Role "assistant" }}'
        + me
        + "{{ .Content }}"
        + end
        + "{{ end }}{{ end }}"
        + me
    )


def _pieces(seal: Seal) -> tuple[str, str, str]:
    """Return what opens the conversation, the persona's turns, and everybody else's."""
    return scene_line(SCENE, seal.year) + "\n", header(seal.speaker) + "\n", header(SOMEONE) + "\n"
