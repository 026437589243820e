"""The memory and the cores that this process may use: a container has less than its host.

Imports no other part of `lesson`, and so not Keras: conftest.py runs this file
by its path, before there is any process that could do with Keras.
"""

from pathlib import Path

import joblib
import psutil

GROUPS = Path("/proc/self/cgroup")
MOUNT = Path("/sys/fs/cgroup")
# A control group's limit, what it uses, and what of that the system gives back when asked.
MEMORY_FILES = (
    ("memory.max", "memory.current", "inactive_file"),  # version 2
    ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),  # version 1
)


def memory_available():
    """Return how many bytes of memory this process can still get.

    The least of what the machine has free, what each of this process's control
    groups leaves (those that contain its own among them), and what
    `ulimit -v` leaves.
    """
    free = [psutil.virtual_memory().available]
    free += [limit - used for limit, used in _memory_limits()]
    if hasattr(psutil, "RLIMIT_AS"):
        process = psutil.Process()
        limit, _ = process.rlimit(psutil.RLIMIT_AS)
        if limit != psutil.RLIM_INFINITY:
            free.append(limit - process.memory_info().vms)
    return max(0, min(free))


def memory_total():
    """Return how many bytes of memory there are for this process and those beside it."""
    return min([psutil.virtual_memory().total, *(limit for limit, _ in _memory_limits())])


def cores():
    """Return how many processor cores this process may keep busy, rounded up."""
    return joblib.cpu_count()


def _memory_limits():
    """The limit and the use, in bytes, of each control group that has a limit."""
    for group in _control_groups("memory"):
        for limit, usage, cache in MEMORY_FILES:
            try:
                most = int((group / limit).read_text())  # a ValueError where it says "max"
                used = int((group / usage).read_text())
                lines = (group / "memory.stat").read_text().splitlines()
            except (OSError, ValueError):
                continue
            yield most, used - int(dict(line.split() for line in lines).get(cache, 0))


def _control_groups(controller):
    """Folders of this process's control groups and of those around them; none but on Linux."""
    try:
        lines = GROUPS.read_text().splitlines()
    except OSError:
        return
    for number, controllers, path in (line.split(":", 2) for line in lines):
        if number == "0":  # version 2
            root = MOUNT
        elif controller in controllers.split(","):
            root = MOUNT / controller
        else:
            continue
        # A container may not see the folders between the mount and its own group.
        group = root / path.lstrip("/")
        yield from (folder for folder in (group, *group.parents) if folder.is_relative_to(root))
