"""What a process that handles notebooks need not load, and what it can load while it waits."""

import sys
import threading


def without_grammars():
    """Keep jsonschema from loading `rfc3987_syntax`, more than half of what `import papermill` takes. Call it before papermill or nbformat is imported.

    That package is optional there: it checks fields of the format "iri", which notebooks do not have.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # importing it then raises ImportError, as where it is not installed


def load_exporter():
    """Import nbconvert in the background, while a kernel is at work in another process."""
    def load():
        import nbconvert.exporters  # noqa: F401

        from helpers import pages  # noqa: F401

    threading.Thread(target=load, daemon=True).start()
