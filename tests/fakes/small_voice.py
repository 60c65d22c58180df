"""A voice without training: a tokenizer made here and a seal around it, for tests of everything but the model."""

from functools import cache

from engine.voice import Voice
from persona.bundle import BaseModelSeal, Seal, Speaker
from persona.encoding import Encoding
from persona.guard import Guard, build
from persona.sampling import SamplingParams
from tests.fakes.fake_engine import FakeEngine
from tests.tokenizers import byte_level_bpe

SPEAKER = "MARA VOSS"
TRAINED_ON = "the swan by the bridge bit my uncle twice"  # what its guard holds back
SPEAKERS = {name: Speaker(name=name.title(), tuned=name == SPEAKER) for name in (SPEAKER, "JONAS", "PRIYA")}


@cache
def small_encoding() -> Encoding:
    """A byte-level tokenizer: it carries any text."""
    tokenizer, end, bos = byte_level_bpe()
    return Encoding(tokenizer, end, bos)


def small_voice(engine: FakeEngine) -> Voice:
    """Mara Voss, whose words the engine gives."""
    encoding = small_encoding()
    seal = Seal(
        speaker=SPEAKER,
        speakers=SPEAKERS,
        end_of_turn=encoding.end_of_turn,
        stops=(encoding.end_of_turn,),
        max_length=4096,
        base=BaseModelSeal(model="scratch", weights="", architecture="qwen3"),
        data={"scenes": {"group": 10, "timeline": 10}},
        created="2024-06-01",
    )
    return Voice(engine, encoding, seal, SamplingParams(), Guard(build([TRAINED_ON], bytes(16))))
