"""Errors that a user can mend: a sentence (what, where, what to do) and an exit code."""

import errno

FAILED = 1
USAGE = 2
PERMANENT = 78  # EX_CONFIG of sysexits.h: what a restart cannot fix; the systemd unit does not restart on it
_MEND = {
    errno.EROFS: "take a folder that can be written to",
    errno.EACCES: "see to it that you may read and write there",
    errno.ENOSPC: "make room",
}


def describe_os_error(error: OSError) -> str:
    """Describe an OS error in a sentence that may go on: where, why, what to do."""
    place = f"{error.filename}: " if error.filename else ""
    mend = _MEND.get(error.errno or 0, "make room or mend the path")
    return f"{place}{(error.strerror or str(error)).lower()}; {mend}"


class UserError(Exception):
    """One sentence for the user. exit_code: what the process ends with if it is not caught."""

    def __init__(self, sentence: str, exit_code: int = FAILED) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


class SettingsError(UserError):
    """A mistake in persona.toml or in how a command was called."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, USAGE)


class PermanentError(UserError):
    """What a restart cannot fix: a bad token, a missing intent, an unsealed bundle."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, PERMANENT)
