"""A fault that a user can mend: one sentence saying what is wrong, where and what to do, and an exit code."""

FAILED = 1
USAGE = 2
STANDING = 78  # EX_CONFIG of sysexits.h: what a restart cannot mend; the systemd unit does not restart on it


def refused(error: OSError) -> str:
    """What the system refused, as a sentence that may go on: where, why, what to do."""
    place = f"{error.filename}: " if error.filename else ""
    return f"{place}{(error.strerror or str(error)).lower()}; make room or mend the path"


class Fault(Exception):
    """One sentence for the user. `exit_code` is what the process ends with if nobody catches it."""

    def __init__(self, sentence: str, exit_code: int = FAILED) -> None:
        super().__init__(sentence)
        self.exit_code = exit_code


class SettingsFault(Fault):
    """A mistake in persona.toml or in how a command was called."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, USAGE)


class StandingFault(Fault):
    """What a restart cannot mend: a bad token, a missing intent, an unsealed bundle."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence, STANDING)
