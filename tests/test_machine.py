"""How much this process may use: the machine's, a container's, a shell's limit."""

import json
import subprocess
import sys
from types import SimpleNamespace

import psutil
import pytest

from lesson import machine

GIB = 2**30
NO_LIMIT_OF_VERSION_1 = 9223372036854771712
NEVER_IMPORTED = {"keras", "tensorflow", "jax", "torch", "matplotlib", "pandas"}


@pytest.fixture
def groups(monkeypatch, tmp_path):
    """A function that lays out a machine of 16 GiB, 12 of them free, with control groups.

    It takes what /proc/self/cgroup says, and the files of each folder: a limit,
    what is used, and what of that is cache, in GiB; the limit as text where it is none.
    """
    monkeypatch.setattr(
        psutil, "virtual_memory", lambda: SimpleNamespace(available=12 * GIB, total=16 * GIB)
    )
    monkeypatch.setattr(machine, "MOUNT", tmp_path)
    monkeypatch.setattr(machine, "GROUPS", tmp_path / "cgroup")

    def lay_out(lines, folders):
        machine.GROUPS.write_text(lines)
        for folder, (limit, used, cache) in folders.items():
            limit_file, usage_file, cached = machine.MEMORY_FILES[folder.startswith("memory")]
            path = tmp_path / folder
            path.mkdir(parents=True, exist_ok=True)
            limit = limit if isinstance(limit, str) else int(limit * GIB)
            (path / limit_file).write_text(f"{limit}\n")
            (path / usage_file).write_text(f"{int(used * GIB)}\n")
            (path / "memory.stat").write_text(f"anon 1\n{cached} {int(cache * GIB)}\n")

    return lay_out


def in_gib():
    return machine.memory_available() / GIB, machine.memory_total() / GIB


def test_machine_without_limits(groups):
    groups("0::/\n", {})
    assert in_gib() == (12, 16)


def test_machine_without_control_groups(groups):
    assert in_gib() == (12, 16)


@pytest.mark.parametrize(
    ("lines", "folder"),
    [
        pytest.param("0::/\n", "", id="version 2"),
        pytest.param("0::/user/1000\n", "user/1000", id="version 2, nested"),
        pytest.param("0::/user/1000\n", "user", id="version 2, the group around it"),
        pytest.param("0::/../../elsewhere\n", "", id="version 2, outside of what is seen"),
        pytest.param("5:cpu:/a\n4:memory:/a\n", "memory/a", id="version 1"),
        pytest.param("4:hugetlb,memory:/docker/9f\n0::/\n", "memory", id="version 1 in Docker"),
    ],
)
def test_limit_of_a_control_group(groups, lines, folder):
    """2 GiB, of which 1.5 are used, 1 of that for files that can be read again."""
    groups(lines, {folder: (2, 1.5, 1)})
    assert in_gib() == (1.5, 2)


@pytest.mark.parametrize(
    ("lines", "folder", "limit"),
    [("0::/\n", "", "max"), ("4:memory:/\n", "memory", str(NO_LIMIT_OF_VERSION_1))],
)
def test_control_group_without_a_limit(groups, lines, folder, limit):
    groups(lines, {folder: (limit, 1.5, 1)})
    assert in_gib() == (12, 16)


def test_tightest_of_nested_limits_counts(groups):
    groups("0::/a/b\n", {"a/b": (8, 1, 0), "a": (4, 3.5, 0), "": ("max", 9, 0)})
    assert in_gib() == (0.5, 4)


def test_container_over_its_limit_has_nothing_left(groups):
    groups("0::/\n", {"": (2, 2.5, 0)})
    assert machine.memory_available() == 0


def test_control_group_of_another_controller_is_none_of_it(groups):
    groups("4:memory:/b\n5:cpu,cpuacct:/a\n", {"memory/a": (2, 1, 0)})
    assert in_gib() == (12, 16)


ASK = """
import json, runpy, sys, psutil
psutil.Process().rlimit(psutil.RLIMIT_AS, (2**32, 2**32))
asked = runpy.run_path(sys.argv[1])
answers = [asked[name]() for name in ("memory_available", "memory_total", "cores")]
print(json.dumps([answers, sorted(sys.modules)]))
"""


@pytest.mark.skipif(not hasattr(psutil, "RLIMIT_AS"), reason="a process has no such limit here")
def test_limit_of_the_shell_and_what_is_imported():
    output = subprocess.check_output([sys.executable, "-c", ASK, machine.__file__], text=True)
    (available, total, cores), imported = json.loads(output)
    assert 2 * GIB < available < 4 * GIB
    assert available < total
    assert cores >= 1
    assert not NEVER_IMPORTED & set(imported)
