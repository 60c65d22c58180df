"""Faults of the system, as sentences."""

import errno
import os

import pytest

from persona.errors import describe_os_error


@pytest.mark.parametrize(
    ("number", "sentence"),
    [
        (errno.EROFS, "/exports: read-only file system; take a folder that can be written to"),
        (errno.EACCES, "/exports: permission denied; see to it that you may read and write there"),
        (errno.ENOSPC, "/exports: no space left on device; make room"),
        (errno.ENAMETOOLONG, "/exports: file name too long; make room or mend the path"),
    ],
)
def test_a_fault_of_the_system_says_what_mends_it(number: int, sentence: str) -> None:
    """Room helps nobody who may not write."""
    assert describe_os_error(OSError(number, os.strerror(number), "/exports")) == sentence
