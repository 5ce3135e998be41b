"""`python -m realedit`: the same command."""

import sys

from realedit.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
