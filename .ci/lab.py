"""Settings of `make lab`: opening a notebook is no change to it, and saving it shows none in git.

JupyterLab writes the kernel's language, with the version of Python, into a notebook that it opens,
which then counts as not saved. Here it finds them there; they are left out again when it is saved.
"""

from ipykernel.ipkernel import IPythonKernel
from jupyter_server.services.contents.largefilemanager import AsyncLargeFileManager


class Notebooks(AsyncLargeFileManager):
    """The notebooks on disk, with the language of this environment's kernel."""

    async def get(self, path, content=True, *args, **options):
        """Called by the server when a file is opened."""
        model = await super().get(path, content, *args, **options)
        if model["type"] == "notebook" and model["content"]:
            model["content"]["metadata"]["language_info"] = IPythonKernel.language_info
        return model


def without_version(model, **_):
    """Called by the server before a file is saved."""
    if model["type"] == "notebook" and model["content"]:
        model["content"]["metadata"]["language_info"] = {"name": "python"}


c = get_config()  # noqa: F821 (Jupyter gives it)
c.ServerApp.contents_manager_class = Notebooks
c.FileContentsManager.pre_save_hook = without_version
