"""Base models of the Hub that suit a persona: their size, languages and licence. From their model cards, November 2026."""

from collections.abc import Sequence
from dataclasses import dataclass

APACHE = "Apache 2.0"


@dataclass(frozen=True, slots=True)
class KnownBase:
    """A base model of the Hub. billions: of parameters in memory, a vision tower left out. languages: how many.

    gated: the Hub asks for an account that agreed to its licence. recurrent: some layers keep a state, so rows are padded and
    replies are made one at a time.
    """

    model: str
    billions: float
    languages: str
    licence: str
    gated: bool = False
    recurrent: bool = False


# Base models rather than instruct models, since they imitate better. The suggestion for a machine is one of the first family:
# one shape in sizes, and every engine here runs it.
QWEN3 = tuple(
    KnownBase(f"Qwen/Qwen3-{size}-Base", billions, "119", APACHE)
    for size, billions in (("14B", 14.8), ("8B", 8.2), ("4B", 4.0), ("1.7B", 1.7), ("0.6B", 0.6))
)
OTHERS = (
    *(
        KnownBase(f"Qwen/Qwen3.5-{size}-Base", billions, "201", APACHE, recurrent=True)
        for size, billions in (("9B", 9.0), ("4B", 4.0), ("2B", 2.0), ("0.8B", 0.8))
    ),
    KnownBase("mistralai/Ministral-3-8B-Base-2512", 8.4, "over 11", APACHE),
    KnownBase("mistralai/Ministral-3-3B-Base-2512", 3.4, "over 11", APACHE),
    KnownBase("google/gemma-4-E2B", 5.1, "140", APACHE),
    KnownBase("google/gemma-3-4b-pt", 3.9, "140", "Gemma", gated=True),
    KnownBase("google/gemma-3-270m", 0.27, "140", "Gemma", gated=True),
    KnownBase("ibm-granite/granite-4.0-micro-base", 3.4, "12", APACHE),
    KnownBase("ibm-granite/granite-4.0-1b-base", 1.6, "12", APACHE),
    KnownBase("HuggingFaceTB/SmolLM3-3B-Base", 3.1, "6 European", APACHE),
    KnownBase("utter-project/EuroLLM-1.7B", 1.7, "35 European", APACHE),
    KnownBase("meta-llama/Llama-3.2-3B", 3.2, "8", "Llama 3.2", gated=True),
    KnownBase("meta-llama/Llama-3.2-1B", 1.2, "8", "Llama 3.2", gated=True),
    KnownBase("LiquidAI/LFM2.5-350M-Base", 0.35, "9", "LFM 1.0", recurrent=True),
)
KNOWN_BASES: Sequence[KnownBase] = tuple(sorted((*QWEN3, *OTHERS), key=lambda base: -base.billions))
