"""The sample with planted facts."""

from collections import defaultdict

from bench.recall import COLOURS, FIGURES, THINGS, planted, table_of


def test_a_planted_fact_is_told_once_and_asked_for_twice() -> None:
    """Always later, with the same answer, and no two facts are of one thing."""
    said = list(planted(60))
    assert [message.at for message in said] == sorted(message.at for message in said)
    pairs = list(zip(said[::2], said[1::2], strict=True))
    assert {(question.who, answer.who) for question, answer in pairs} == {("jonas", "mara")}
    facts = defaultdict(list)
    for question, answer in pairs:
        thing = " ".join(word for word in question.text.rstrip("?").split() if word in (*COLOURS, *THINGS))
        facts[thing].append((question.text, answer.text.split()[1 if answer.text.startswith("it's") else 0]))
    assert len(facts) == 60
    for told in facts.values():
        assert [question.startswith(("what did you", "what number")) for question, _ in told] == [True, False, False]
        assert len({fact for _, fact in told}) == 1
    assert all(len(question.text.split()) < 8 for question, _ in pairs)  # longer ones are near-duplicates to an import


def test_the_table_has_a_column_for_each_adapter_and_base() -> None:
    """What is not measured of one is left empty."""
    figures = {"gain": [1.5, 1.25, 1.75]}
    learned = {**figures, "bundle": "adapters/1", "facts": True, "steps": 104, "minutes": 3.0}
    lines = table_of({"with": learned, "smollm2": figures}).splitlines()
    assert lines[0] == "|  | learned with memories | smollm2, untuned |"
    assert lines[2].endswith(" | 1.500 (1.250 to 1.750) | 1.500 (1.250 to 1.750) |")
    assert lines[3].endswith(" |  |  |")
    assert lines[-1] == "| steps, minutes of training | 104, 3.0 |  |"
    assert len(lines) == 3 + len(FIGURES)
