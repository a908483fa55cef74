"""`python -m report --profile quick [--force]`."""

import sys

from report.build import main

sys.exit(main())
