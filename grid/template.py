"""What runs are forked from: a process that has imported what notebooks import, and no more.

The imports take longer than all else of a small run; a fork takes milliseconds. It is sound while
there is one thread and no device is open, so nothing here may call an operation of TensorFlow. What
libraries read from the environment as they are loaded, numbers of threads among it, is the same for
all runs that are forked. Only `execution.Fork` has this imported, in a process of its own.
"""

import gc
import importlib
import os
import pkgutil
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner

import helpers
from helpers.store import startup

os.setsid()  # Ctrl-C is for the grid, which ends its children itself
startup.without_grammars()
os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")  # as a kernel does
for name in "helpers.store.backend matplotlib_fontja seaborn papermill ipykernel.kernelapp".split():
    importlib.import_module(name)
for chapter in pkgutil.iter_modules(helpers.__path__):
    importlib.import_module(f"helpers.{chapter.name}")
gc.freeze()  # so that no collection in a fork looks at, and copies, what lies here
tasks = [path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")]
SOUND = len([task for task in tasks if task != "jemalloc_bg_thd"]) == 1  # a fork starts that anew


class Kernel:
    """A fork of this process that becomes a kernel when it is told the folder and the arguments of
    one; to jupyter_client it is a `Popen`."""

    stdin = stdout = stderr = returncode = None

    def __init__(self):
        parent = os.getpid()
        told, self.tell = os.pipe()
        self.pid = os.fork()
        if not self.pid:
            os.close(self.tell)
            try:
                self.become(told, parent)
            finally:
                os._exit(1)
        os.close(told)

    def become(self, told, parent):
        """Be a kernel to the end."""
        os.setsid()  # jupyter_client ends the whole group
        called("kernel")
        with open(told, encoding="utf-8") as pipe:
            folder, *sys.argv[1:] = pipe.read().split("\0")
        if folder:  # else its parent has ended before papermill asked for it
            os.chdir(folder)
            sys.modules["ipykernel.kernelapp"].launch_new_instance(parent_handle=parent)
        os._exit(0)

    def poll(self):
        """Its exit status, None while it runs."""
        if self.returncode is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.returncode = os.waitstatus_to_exitcode(status) if pid else None
        return self.returncode

    wait = poll  # asked only once it has ended

    def send_signal(self, number):
        """Send a signal."""
        os.kill(self.pid, number)


class Forked(LocalProvisioner):
    """Gives the kernel that `fork_kernel` has made."""

    kernel = None

    async def launch_kernel(self, cmd, **options):
        """Let it become one."""
        self.process, self.pid, self.pgid = self.kernel, self.kernel.pid, self.kernel.pid
        with open(self.kernel.tell, "w", encoding="utf-8") as pipe:
            pipe.write("\0".join([os.getcwd(), *cmd[cmd.index("-f") :]]))
        return self.connection_info


def called(name):
    """Give this process a name of its own in `ps` and `top`."""
    Path("/proc/self/comm").write_text(name)


def fork_kernel():
    """Fork the kernel of this process's one notebook, while there is no other thread."""
    called("papermill")
    Forked.kernel = Kernel()
    os.environ["JUPYTER_DEFAULT_PROVISIONER_NAME"] = "forked"
    entry = EntryPoint("forked", "grid.template:Forked", KernelProvisionerFactory.GROUP_NAME)
    KernelProvisionerFactory.provisioners["forked"] = entry
