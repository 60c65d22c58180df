"""The sample with planted facts."""

from collections import defaultdict

from bench.recall import COLOURS, THINGS, planted


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
