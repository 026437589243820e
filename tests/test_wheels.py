"""The packages for a USB stick: each system gets what the lock asks for there."""

import pytest

import wheels

LOCK = """\
# made by: make lock
appnope==1.0.0 ; sys_platform == 'darwin' \\
    --hash=sha256:aa
numpy==2.0 \\
    --hash=sha256:bb \\
    --hash=sha256:cc
overrides==7.7 ; python_full_version < '3.12' \\
    --hash=sha256:dd
"""


@pytest.mark.parametrize(
    ("system", "python", "names"),
    [
        ("linux", "3.13", ["numpy==2.0"]),
        ("linux", "3.11", ["numpy==2.0", "overrides==7.7"]),
        ("mac", "3.12", ["appnope==1.0.0", "numpy==2.0"]),
    ],
)
def test_conditions_are_judged_for_the_machine_that_installs(system, python, names):
    entries = list(wheels.needed(LOCK, wheels.SYSTEMS[system][0], python))
    assert [entry.split()[0] for entry in entries] == names
    numpy = next(entry for entry in entries if entry.startswith("numpy"))
    assert numpy == "numpy==2.0 --hash=sha256:bb --hash=sha256:cc"


@pytest.mark.parametrize(
    ("system", "ours", "theirs"),
    [
        ("linux", "tensorflow-cpu", "tensorflow"),
        ("windows", "tensorflow", "tensorflow-cpu"),
        ("mac", "tensorflow", "tensorflow-cpu"),
    ],
)
def test_each_system_gets_its_own_tensorflow(system, ours, theirs):
    lock = wheels.LOCK.read_text(encoding="utf-8")
    entries = list(wheels.needed(lock, wheels.SYSTEMS[system][0], "3.13"))
    assert len(entries) > 100
    names = [entry.split("==")[0] for entry in entries]
    assert ours in names
    assert theirs not in names
