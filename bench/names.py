"""Names left in texts and words harmed, on an invented corpus in which it is known which is which.

`python bench/names.py [--messages N]` invents groups of people with everyday names and contact labels, has them write words
drawn by their frequency in English, and plants their names as people write them. It prints, for names and words, how many
were replaced: recall is the share of names, harm the share of ordinary words, and below the words that lost most.
"""

import argparse
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import wordfreq
from rich.console import Console

from trainer.corpus.row import Row
from trainer.people.identities import Identity, KnownPerson
from trainer.people.name_lexicon import NameLexicon
from trainer.people.redaction import NamesInText

VOCABULARY = 20_000  # words of English, drawn by frequency
NAMED = 0.06  # of the messages name somebody
GROUPS, MEMBERS = 12, 10
# Display names as they stand in contacts. The first of each pair is how others call them; empty: not by one word.
PEOPLE: tuple[tuple[str, str], ...] = tuple(
    (call, name)
    for call, _, name in (
        line.strip().partition(": ")
        for line in """
        Don: Don; Will: Will Ortega; Mark: Mark; Rose: Rose Tyne; Bill: Bill; Jack: Jack; Grace: Grace Obi; Max: Max
        Tom: Uncle Tom; Mike: Hey Its Mike; Bobby: Fun Bobby; Can: Can Yilmaz; Zelda: Zelda Quist; Jonas: Jonas 🚲
        Lisa: Lisa; Anna: Anna Maria Lind; Peter: Peter; Ali: Ali Demir; Omar: Omar; Fatima: Fatima Noor; Chris: chris
        Kim: Kim; Lee: Lee; Alex: Alex; Sam: Sam (work); Ben: Ben; Emma: Emma ❤️; Noah: Noah; Mia: Mia; Luca: Luca Bianchi
        Bo: Bo; Cy: Cy; Jo: Jo; Li: Li; Ed: Ed; Al: Al Romero; Ty: Ty; Wu: Wu; Ana: Ana; Ida: Ida; Finn: Finn; Kai: Kai
        Claire: Claire; Pierre: Pierre; Jean: Jean; Robin: Robin; Amber: Amber; Ruby: Ruby; Daisy: Daisy; Ivy: Ivy
        Hope: Hope; Joy: Joy; Faith: Faith; Summer: Summer; Eve: Eve; Ray: Ray; Dean: Dean; Frank: Frank; Guy: Guy
        : Cool Cat; : Baby ❤️; : Mom; : Dad; : Honey; : Sky; : Work; : Boss; : Pizza Place; : Hotel; : Taxi; : Doctor
        : The Guys; : Possible Spam; : Big Bro; : Good Morning; : Party Animal; : Video; : My Love; : Lucky; : Gym
        Sarah: Sarah; David: David B; Maria: Maria; Laura: laura; Paul: PAUL; Julia: Julia; Simon: Simon; Oskar: Oskar
        zeldaq_9: zeldaq_9; Priya: Priya; Ravi: Ravi; Yuki: Yuki; Chen: Chen; Ines: Ines Quill; Marek: Marek; Olga: Olga
        """.replace("\n", ";").split(";")
        if line.strip()
    )
)


@dataclass(frozen=True, slots=True)
class Planted:
    """A message and where names stand in it: (word number, the name's bearer)."""

    row: Row
    named: frozenset[int]


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=200_000)
    figures = measured(parser.parse_args().messages)
    console = Console(highlight=False)
    console.print(f"names: {figures.names:,}, recall {figures.recall:.4f}")
    console.print(f"ordinary words: {figures.words:,}, harmed {figures.harmed:,}: {figures.harm * 1e4:.2f} in 10,000")
    console.print(f"{figures.seconds:.1f} CPU seconds")
    console.print("left:", dict(figures.left.most_common(12)))
    console.print("harmed:", dict(figures.lost.most_common(12)))


@dataclass(slots=True)
class Figures:
    """What came of it. left: names that stayed; lost: words that went."""

    left: Counter[str]
    lost: Counter[str]
    names: int = 0
    words: int = 0
    seconds: float = 0.0

    @property
    def recall(self) -> float:
        """Return the share of planted names that were replaced."""
        return 1 - self.left.total() / self.names

    @property
    def harmed(self) -> int:
        """Return how many ordinary words were replaced."""
        return self.lost.total()

    @property
    def harm(self) -> float:
        """Return the share of ordinary words that were replaced."""
        return self.harmed / self.words


def measured(count: int, seed: int = 0) -> Figures:
    """Invent `count` messages and replace their names."""
    rng = random.Random(seed)
    said = list(invented(count, rng))
    identities = {key: Identity(key, Counter([name])) for key, name in _members()}
    stand_ins = {key: f"Xq{place}" for place, key in enumerate(identities)}
    people = {key: KnownPerson(name.upper(), name, pseudonymous=True) for key, name in stand_ins.items()}
    start = time.process_time()
    names = NamesInText(identities, people, NameLexicon(["en"]))
    names.learn([one.row for one in said])
    figures = Figures(Counter(), Counter())
    replaced = [names.replaced(one.row.lines[0]) for one in said]
    figures.seconds = time.process_time() - start
    for one, text in zip(said, replaced, strict=True):
        before, after = one.row.lines[0].split(), text.split()
        figures.names += len(one.named)
        figures.words += len(before) - len(one.named)
        if len(before) != len(after):  # a name of several words went: none was planted so
            figures.lost[one.row.lines[0]] += 1
            continue
        for place, (old, new) in enumerate(zip(before, after, strict=True)):
            if place in one.named and old == new:
                figures.left[old] += 1
            elif place not in one.named and old != new:
                figures.lost[old] += 1
    return figures


def invented(count: int, rng: random.Random) -> Iterator[Planted]:
    """Messages of English words by frequency; half of the writers begin with a capital, a third write all in lower case."""
    frequencies = dict(list(wordfreq.get_frequency_dict("en", "small").items())[:VOCABULARY])
    calls = {call.lower() for call, _ in PEOPLE}
    known = NameLexicon(["en"])
    words = [word for word in frequencies if word.isalpha() and (word not in calls or known.is_word(word))]
    shares = [frequencies[word] for word in words]
    members = _members()
    for number in range(count):
        group = number % GROUPS
        sender = members[rng.randrange(len(members))][0]
        text = rng.choices(words, shares, k=rng.randint(2, 20))
        if rng.random() < 0.3:
            text[rng.randrange(len(text))] += rng.choice("’'") + rng.choice(("s", "ll", "d", "t", "re"))
        if rng.random() < 0.1:
            text[rng.randrange(len(text))] = rng.choice(("don't", "can't", "won't", "Don't", "Can't", "i'll"))
        if rng.random() < 0.5:
            text[0] = text[0][:1].upper() + text[0][1:]
        named: set[int] = set()
        if rng.random() < NAMED:
            call = rng.choice([call for call, _ in PEOPLE if call])
            place = rng.randint(1, len(text))
            text.insert(place, _written(call, known, rng))
            named.add(place)
        yield Planted(
            Row("t", "T", f"c{group}", "group", str(number), sender, float(number), (" ".join(text),)), frozenset(named)
        )


def _written(call: str, lexicon: NameLexicon, rng: random.Random) -> str:
    """A name as people write it; one that is also a word, or of two letters, with a capital or an @."""
    plain = call if lexicon.match_of(call.lower()) != "any_case" or rng.random() < 0.5 else call.lower()
    return rng.choice(("{}", "{}", "{}", "{}", "{}", "{},", "{}?", "@{}", "{}’s", "{}'s")).format(plain)


def _members() -> Sequence[tuple[str, str]]:
    return [(f"t:{number}", name) for number, (_, name) in enumerate(PEOPLE)]


if __name__ == "__main__":
    main()
