"""`alterego` and `python -m alterego`."""

from alterego.cli import main

if __name__ == "__main__":
    main()
