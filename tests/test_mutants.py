"""The list of planted faults keeps up with the code. `make mutants` plants them; that takes long."""

import ast

from tests.conftest import ROOT
from tests.mutants.mutation import Mutation
from tests.mutants.mutations import MUTATIONS


def test_every_fault_can_be_planted() -> None:
    """Its old text stands in its file exactly once, and what replaces it is Python."""
    misplaced = [one.title for one in MUTATIONS if one.occurrences(ROOT) != 1]
    assert misplaced == []
    for one in MUTATIONS:
        text = (ROOT / one.file).read_text(encoding="utf-8")
        assert ast.dump(ast.parse(one.applied(text))) != ast.dump(ast.parse(text)), one.title


def test_every_fault_names_tests_that_exist() -> None:
    """Files and folders, and in a file its functions."""
    for one in MUTATIONS:
        assert one.tests, one.title
        for test in one.tests:
            path, _, name = test.partition("::")
            assert (ROOT / path).exists(), test
            assert not name or f"def {name}(" in (ROOT / path).read_text(encoding="utf-8"), test


def test_there_are_enough_and_none_is_there_twice() -> None:
    """Sixty at least, over all that must not break unnoticed."""
    assert len(MUTATIONS) >= 60
    assert len({(one.file, one.old, one.new) for one in MUTATIONS}) == len(MUTATIONS)


def test_a_misplaced_fault_is_noticed() -> None:
    """The count is of the text as it stands."""
    assert Mutation("persona/version.py", "VERSION = ", "", ()).occurrences(ROOT) == 1
    assert Mutation("persona/version.py", "no such text", "", ()).occurrences(ROOT) == 0
    assert Mutation("persona/no_such_file.py", "", "", ()).occurrences(ROOT) == 0
