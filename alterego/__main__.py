"""`alterego` and `python -m alterego`."""

from persona.interruption import end_quietly


def main() -> None:
    """Run the command that the command line names, and exit."""
    end_quietly()
    from alterego.cli import main as run_command

    run_command()


if __name__ == "__main__":
    main()
