"""Starts the application. Without arguments: the demo, a recorded session of a simulated head as a fake stream.

With arguments it is `bci-live live …`.
"""

import sys

from bci_live.cli import main
from bci_live.live.demo import demo_arguments

if __name__ == "__main__":
    sys.argv = [sys.argv[0], "live", *(sys.argv[1:] or demo_arguments())]
    main()
