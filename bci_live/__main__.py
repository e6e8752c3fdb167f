"""`python -m bci_live` is `bci-live`."""

from bci_live.cli import main

main()
