"""Collect the packages of requirements.txt for all systems, to be installed without a network.

    python tools/wheels.py                     for Python 3.13, into wheels/
    python tools/wheels.py --python 3.11 --into /media/stick/wheels --system linux

pip would judge the lock's conditions, such as `sys_platform == "win32"`, by the machine that
downloads; here they are judged for the machine that the files are for.
"""

import argparse
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from packaging.requirements import Requirement

LOCK = Path(__file__).resolve().parents[1] / "requirements.txt"
SYSTEMS = {  # what the lock's conditions ask for, and which files a machine takes
    "linux": (
        {"sys_platform": "linux", "platform_machine": "x86_64", "os_name": "posix"},
        [f"manylinux{old}_x86_64" for old in ("2014", "2010", "1")]
        + [f"manylinux_2_{minor}_x86_64" for minor in (28, 27, 24, 17)],
    ),
    "windows": (
        {"sys_platform": "win32", "platform_machine": "AMD64", "os_name": "nt"},
        ["win_amd64"],
    ),
    "mac": (
        {"sys_platform": "darwin", "platform_machine": "arm64", "os_name": "posix"},
        ["macosx_14_0_arm64"],
    ),
}


def needed(lock, machine, python):
    """The lock's entries, with their hashes, that a machine needs; conditions taken away."""
    where = machine | {
        "python_version": python,
        "python_full_version": f"{python}.0",
        "implementation_name": "cpython",
    }
    for entry in re.findall(r"^[^#\s].*?[^\\]$", lock, re.MULTILINE | re.DOTALL):
        requirement, *hashes = re.split(r"\s*\\\n\s*", entry)
        parsed = Requirement(requirement)
        if parsed.marker is None or parsed.marker.evaluate(where):
            yield " ".join([requirement.split(" ;")[0], *hashes])


def download(system, python, folder):
    """Fetch the files of one system and check each against its hash; 0 if all came."""
    machine, platforms = SYSTEMS[system]
    with tempfile.TemporaryDirectory() as scratch:
        wanted = Path(scratch) / "requirements.txt"
        entries = needed(LOCK.read_text(encoding="utf-8"), machine, python)
        wanted.write_text("\n".join(entries), encoding="utf-8")
        command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "download"]
        command += ["--no-deps", "--only-binary=:all:", "--require-hashes", "--quiet"]
        command += ["--python-version", python, "--implementation", "cp"]
        command += [f"--platform={name}" for name in platforms]
        return subprocess.call([*command, "-r", str(wanted), "-d", str(folder)])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--python", default="3.13", help="the version that learners will have")
    parser.add_argument("--into", type=Path, default=Path("wheels"), help="a folder")
    parser.add_argument("--system", choices=SYSTEMS, action="append", help="default: all three")
    options = parser.parse_args()
    for system in options.system or SYSTEMS:
        if download(system, options.python, options.into):
            sys.exit(f"The packages for {system} are not complete; give the command again.")
        megabytes = sum(p.stat().st_size for p in options.into.iterdir()) / 1e6
        print(f"{system}: {options.into}/ now holds {megabytes:.0f} MB")


if __name__ == "__main__":
    main()
