"""Runs the command as `python -m realedit`."""

import sys

from realedit.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
