"""Errors that a user can mend: a sentence (what, where, what to do) and an exit code."""

FAILED = 1
USAGE = 2
PERMANENT = 78  # EX_CONFIG of sysexits.h: what a restart cannot fix; the systemd unit does not restart on it


def describe_os_error(error: OSError) -> str:
    """Describe an OS error in a sentence that may go on: where, why, what to do."""
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{(error.strerror or str(error)).lower()}; make room or mend the path"


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
