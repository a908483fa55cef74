"""What a process that handles notebooks need not load."""

import sys


def without_grammars():
    """Keep jsonschema from loading `rfc3987_syntax`, more than half of what `import papermill` takes. Call it before papermill or nbformat is imported.

    That package is optional there: it checks fields of the format "iri", which notebooks do not have.
    """
    sys.modules.setdefault(
        "rfc3987_syntax", None
    )  # importing it then raises ImportError, as where it is not installed
