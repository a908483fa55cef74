"""The command `make predict`."""

import sys

from helpers.predict import main

if __name__ == "__main__":
    sys.exit(main())
