"""The model card of a bundle: what it is and how it was made, without a word of what anybody wrote."""

from persona.bundle import Seal


def model_card(seal: Seal) -> str:
    """README.md of a bundle, as the Hub shows it."""
    base = seal.base.model if seal.base.model != "scratch" else "a small model grown from scratch, in base/"
    tags = "---\nlibrary_name: peft\ntags: [lora, alterego, persona]\n---\n"
    rows = {
        "base model": f"{base}{f' at {seal.base.revision}' if seal.base.revision else ''}",
        "architecture": seal.base.architecture,
        "messages trained on": f"{seal.data.get('messages', 0):,}",
        "held-out bits per character, base": seal.metrics.get("bits_per_character_base"),
        "held-out bits per character, tuned": seal.metrics.get("bits_per_character"),
        "transcript format": seal.transcript,
    }
    table = "\n".join(f"| {name} | {value} |" for name, value in rows.items())
    return (
        f"{tags}\n# An imitation of one person\n\nA LoRA adapter made by alterego. It imitates how one person writes; "
        f"it is not that person, and what it says is not theirs.\n\n| | |\n|---|---|\n{table}\n\n"
        "It is loaded with the ids and the prompt format sealed in `persona.json`; any other prompt gives another voice.\n"
    )
