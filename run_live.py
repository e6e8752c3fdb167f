"""Starts the application. Without arguments: the demo, a recorded session of a simulated head as a fake stream.

With arguments it is `bci-live live …`.
"""

import sys

if __name__ == "__main__":
    try:
        from bci_live.__main__ import run
        from bci_live.live.demo import demo_arguments

        sys.argv = [sys.argv[0], "live", *(sys.argv[1:] or demo_arguments())]
    except KeyboardInterrupt:  # while it is still being imported
        sys.exit(130)
    run()
