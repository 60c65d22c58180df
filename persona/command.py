"""The frame of both command lines: faults become a sentence and an exit code; a traceback only with --debug."""

import io
import logging
import os
import re
import shlex
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from typer.completion import get_completion_inspect_parameters

from persona.cpu_threads import bound_spinning
from persona.errors import FAILED, USAGE, UserError, describe_os_error
from persona.interruption import raise_interrupts
from persona.out_of_memory import NO_MEMORY, is_out_of_memory
from persona.version import VERSION

INTERRUPTED = 130  # 128 + SIGINT, as shells report it
CALLER = "ALTEREGO_BY"  # "make" where the Makefile calls
COMPLETE = "_ALTEREGO_COMPLETE"  # set by completions/: words to complete instead of a command to run
CHATTY_LIBRARIES = ("bitsandbytes", "huggingface_hub")  # "Failed to load CPU gemm_4bit_forward …" on every command
EXAMPLE = " Example: "
PROGRAM = "alterego"  # the installed command, which has those of both programs

ConfigOption = Annotated[Path, typer.Option("--config", help="The settings file.", show_default=True)]
JsonOption = Annotated[bool, typer.Option("--json", help="Print the result as JSON on stdout.")]
_debug: ContextVar[bool] = ContextVar("debug", default=False)
_program: ContextVar[str] = ContextVar("program", default="")
_at_end: list[Callable[[int], object]] = []
_AGAIN_SECONDS = 0.05  # in which the callback is left that a Ctrl-C came in
_guided: ContextVar[bool] = ContextVar("guided", default=False)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"alterego {VERSION}")
        raise typer.Exit


def command_line(summary: str, *, completion: bool = False) -> typer.Typer:
    """Return an empty command line that prints plain help and leaves errors to `run`.

    completion: whether it gets --install-completion; that serves programs with a name of their own only."""
    app = typer.Typer(
        help=summary + " Any command takes --debug, which shows a traceback where something fails.",
        add_completion=completion,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_options)
    return app


def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """What goes before any command."""


def commands_of(app: typer.Typer) -> Any:
    """Return the command line as typer's own objects; the example at the end of a docstring ends its --help."""
    group: Any = typer.main.get_command(app)
    _move_examples(group)
    return group


def _move_examples(group: Any) -> None:
    for command in group.commands.values():
        if hasattr(command, "commands"):
            _move_examples(command)
            continue
        command.help, _, example = command.help.partition(EXAMPLE)
        command.epilog = f"{EXAMPLE.strip()} {typed(example)}"


def typed(sentence: str) -> str:
    """Return a sentence with its commands as the user has to type them: where make runs it, be it `alterego`, by make, or else
    with the Python of `.venv`; under an installed `alterego`, without `python -m`."""
    if os.environ.get(CALLER) == "make":
        made = re.sub(
            r"\bpython -m (?:trainer|bot) (init|train|chat|studio|doctor|run)(?![\w-]| -)", r"make \1", sentence
        )
        return re.sub(r"(?<!/)\bpython -m (trainer|bot)\b", r".venv/bin/python -m \1", made)
    if _program.get() == PROGRAM:
        return re.sub(r"\bpython -m (trainer|bot)\b", PROGRAM, sentence)
    return sentence


@contextmanager
def guided() -> Iterator[None]:
    """Commands called meanwhile name no next one: whoever calls them takes that step."""
    token = _guided.set(True)
    try:
        yield
    finally:
        _guided.reset(token)


def next_step(command: str, config: Path) -> str:
    """Return the line at a command's end that says what to type next; "" where that is done already. command: as in
    `python -m trainer train`."""
    made = os.environ.get(CALLER) == "make"
    if _guided.get() or (made and command == "python -m trainer train"):  # `make train` goes on by itself
        return ""
    if made and command == "python -m trainer import":
        command = "python -m trainer train"
    file = config.absolute()
    shown = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
    named = "" if shown == Path("persona.toml") else f" --config {shlex.quote(str(shown))}"
    return typed(f"next: {command}{named}")


def debugging() -> bool:
    """Return whether the command in hand was called with --debug."""
    return _debug.get()


def at_end(action: Callable[[int], object]) -> None:
    """Have `action` called with the exit code once the command in hand has said all it has to say, however it ends."""
    _at_end.append(action)


def _replace_closed_streams() -> None:
    """Let a standard stream that was closed be an empty one: without it Python has none, and who reads from it fails."""
    if sys.stdin is None:
        sys.stdin = io.StringIO()
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8", errors="replace"))  # noqa: PTH123, SIM115


def _take_any_character() -> None:
    """Replace what a terminal can't show, and what it sends that its encoding doesn't know, instead of failing on it. What
    programs read is UTF-8 in every locale."""
    if isinstance(sys.stdin, io.TextIOWrapper):
        sys.stdin.reconfigure(errors="replace")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            if stream.isatty():
                stream.reconfigure(errors="replace")
            else:
                stream.reconfigure(encoding="utf-8", errors=stream.errors)


def run(app: typer.Typer, program: str, arguments: Sequence[str] | None = None) -> NoReturn:
    """Run one command and exit: 0 done, 1 failed, 2 wrong usage or settings, 78 what a restart can't mend."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    _debug.set("--debug" in words)
    _program.set(program)
    words = [word for word in words if word != "--debug"]
    if not debugging():
        _quiet_libraries()
    bound_spinning()
    _replace_closed_streams()
    _take_any_character()
    signal.signal(signal.SIGTERM, _interrupt)
    raise_interrupts()
    sys.unraisablehook = _unraisable
    _at_end.clear()
    try:
        code = _result(app, program, words)
        for action in _at_end:
            action(code)
        _forget_interruption()
        sys.exit(code)
    except BrokenPipeError:  # the reader of our output is gone: nobody is left to tell
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(FAILED)


def _unraisable(fault: "sys.UnraisableHookArgs") -> None:
    """Have a Ctrl-C come again that was lost: Python can't raise it in a callback, as imports have some, and only tells it."""
    if issubclass(fault.exc_type, KeyboardInterrupt):
        main = threading.main_thread().ident or 0
        threading.Timer(_AGAIN_SECONDS, signal.pthread_kill, (main, signal.SIGINT)).start()
    else:
        sys.__unraisablehook__(fault)


def _forget_interruption() -> None:
    """Have the process end with the code it gives. After a Ctrl-C in code that a library made of text, as dataclasses do,
    Python kills it by SIGINT instead, caught or not; it forgets that when other such code has run."""
    exec("")


def _quiet_libraries() -> None:
    """Silence what libraries say about themselves: nothing a user can act on."""
    warnings.simplefilter("ignore")
    for library in CHATTY_LIBRARIES:
        logging.getLogger(library).setLevel(logging.ERROR)


def _result(app: typer.Typer, program: str, words: list[str]) -> int:
    try:
        if COMPLETE in os.environ:
            get_completion_inspect_parameters()  # makes the shells known
        code = commands_of(app).main(args=words, prog_name=program, complete_var=COMPLETE, standalone_mode=False)
        sys.stdout.flush()
    except typer.TyperException as error:  # wrong usage; its context knows which command was meant
        command = getattr(getattr(error, "ctx", None), "command_path", program)
        return _say(f"{error.format_message().rstrip('.')}; see '{command} --help'", USAGE)
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except BrokenPipeError:
        raise
    except Exception as error:  # the one broad catch of a command
        if debugging():
            traceback.print_exc()
        return _say(*_sentence(error))
    return _say("interrupted; nothing was left half-written", INTERRUPTED) if code == INTERRUPTED else code or 0


def _sentence(error: Exception) -> tuple[str, int]:
    if isinstance(error, UserError):
        return str(error), error.exit_code
    if is_out_of_memory(error):
        return f"{NO_MEMORY}, then run the command again", FAILED
    if isinstance(error, OSError) and error.strerror:
        return f"{describe_os_error(error)}, then run the command again", FAILED
    return (
        f"{type(error).__name__}: {error}; this is a mistake in alterego: run again with --debug and report it",
        FAILED,
    )


def _say(sentence: str, code: int) -> int:
    print(f"alterego: {typed(' '.join(sentence.split()))}", file=sys.stderr)
    return code


def _interrupt(_signal: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt
