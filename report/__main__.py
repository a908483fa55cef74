"""`python -m report --profile quick [--force]`."""

import os
import sys

# With one thread this process can be forked, and its fork be the kernel of report.ipynb, which
# then has imported what it needs. NumPy reads this as it is loaded, Matplotlib the next.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
os.environ["MPLBACKEND"] = "module://matplotlib_inline.backend_inline"  # as a kernel does

from report.build import main  # noqa: E402

sys.exit(main())
