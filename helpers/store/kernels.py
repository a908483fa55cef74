"""Kernels that are forked off a process that has imported what notebooks import.

The imports take longer than all else of a small notebook; a fork takes milliseconds. It is sound
while there is one thread and no device is open.
"""

import contextlib
import os
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

from jupyter_client.provisioning import KernelProvisionerFactory, LocalProvisioner


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
    """Gives the kernel that `fork` has made."""

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


def sound():
    """Whether this process can be forked: on Linux, with one thread. The allocator of pyarrow has
    one of its own besides, which it starts anew in a fork."""
    tasks = [path.read_text().strip() for path in Path("/proc/self/task").glob("*/comm")]
    return len([task for task in tasks if task != "jemalloc_bg_thd"]) == 1


def fork():
    """Fork the kernel of this process's next notebook, while there is no other thread."""
    import ipykernel.kernelapp  # noqa: F401  here, and not in each fork

    Forked.kernel, factory = Kernel(), KernelProvisionerFactory.instance()
    entry = EntryPoint("forked", f"{__name__}:Forked", factory.GROUP_NAME)
    factory.provisioners["forked"], factory.default_provisioner_name = entry, "forked"


@contextlib.contextmanager
def forked_if_sound():
    """The kernel that is started in this block is a fork, where to fork is sound."""
    factory = KernelProvisionerFactory.instance()
    usual = factory.default_provisioner_name
    if sound():
        fork()
    try:
        yield
    finally:
        factory.default_provisioner_name = usual
