"""`python -m grid --profile quick [--runs a,b]`."""

import sys

from grid.runner import main

sys.exit(main())
