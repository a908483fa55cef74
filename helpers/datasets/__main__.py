"""`make data`: a data set from a folder of pictures."""

import argparse
import sys

from helpers.datasets.folders import FITS, from_folder
from helpers.store import startup
from helpers.store.paths import UserError


def main(arguments=None):
    """Command line; returns the exit status."""
    parser = argparse.ArgumentParser("python -m helpers.datasets", description=__doc__)
    parser.add_argument("name", help="of the data set")
    parser.add_argument("folder", help="holds one folder a class, or train and test with these")
    parser.add_argument("--size", type=int, default=64, help="side in pixels (64)")
    parser.add_argument("--fit", default="pad", help=" or ".join(FITS))
    options = parser.parse_args(arguments)
    startup.settle()
    try:
        from_folder(options.folder, options.name, options.size, options.fit)
    except UserError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
