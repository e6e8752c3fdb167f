"""`python -m bci_live` is `bci-live`."""

import sys


def run() -> None:
    """Run a command. Ctrl-C ends it without a traceback, also in the seconds in which it is still being imported."""
    try:
        from bci_live.cli import main
    except KeyboardInterrupt:
        sys.exit(130)
    main()


if __name__ == "__main__":
    run()
