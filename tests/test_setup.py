"""How .venv is made: by which tool, on which Python, and what is said where it cannot be.

Nothing is downloaded: uv is a script that notes how it was called, and pip
installs one tiny wheel from a folder.
"""

import ast
import hashlib
import importlib.util
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from lesson import environment

ROOT = Path(__file__).resolve().parents[1]
SCRIPT = ROOT / "tools" / "set_up.py"
MAKE = shutil.which("make")

on_make = pytest.mark.skipif(os.name == "nt", reason="on Windows, uv sets up without make")
on_pip = pytest.mark.skipif(
    not importlib.util.find_spec("ensurepip"), reason="this Python makes no venv with pip in it"
)

PYTHON = f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'
# The same Python, which says that it is 3.14 to whoever sets up.
PYTHON_3_14 = f"""#!/bin/sh
[ "$2" = tools/set_up.py ] || exec "{sys.executable}" "$@"
exec "{sys.executable}" -I -c "import runpy, sys
sys.version_info = (3, 14, 0, 'final', 0)
runpy.run_path('tools/set_up.py', run_name='__main__')"
"""
UV = f"""#!/bin/sh
echo "$@" >> "$HOME/calls"
echo "$PYTHONHOME$PYTHONPATH$VIRTUAL_ENV$PIP_TARGET$UV_PYTHON$UV_SYSTEM_PYTHON" >> "$HOME/leftovers"
[ "$1" = venv ] || exit 0
for folder; do :; done
exec "{sys.executable}" -I -m venv --without-pip "$folder"
"""
UV_OFFLINE = """#!/bin/sh
[ "$1" = --version ] && exit 0
echo "error: Failed to install cpython" >&2
echo "  cause: no route to the server" >&2
exit 1
"""


class Clone:
    """A folder with what set-up needs, and a PATH with nothing but what is put there."""

    def __init__(self, tmp_path):
        self.folder = tmp_path / "a clone"
        self.home = tmp_path / "home"
        self.path = tmp_path / "bin"
        for folder in (self.folder / "tools", self.folder / "notebooks", self.home, self.path):
            folder.mkdir(parents=True)
        shutil.copy(ROOT / "Makefile", self.folder)
        shutil.copy(SCRIPT, self.folder / "tools")
        (self.folder / "requirements.txt").write_text("", encoding="utf-8")
        (self.folder / "notebooks" / "lesson.py").write_text("", encoding="utf-8")
        for command in ("cat", "id"):
            (self.path / command).symlink_to(shutil.which(command))

    def add(self, command, script):
        (self.path / command).write_text(script, encoding="utf-8")
        (self.path / command).chmod(0o755)

    def make(self, *arguments, **environment):
        variables = {"HOME": self.home, "PATH": self.path, "PIP_CONFIG_FILE": os.devnull}
        return subprocess.run(
            [MAKE, *arguments],
            cwd=self.folder,
            env=variables | environment,
            capture_output=True,
            text=True,
        )

    def python(self, code):
        """Run code in .venv from another folder; return what it prints."""
        python = self.folder / ".venv" / "bin" / "python"
        command = [python, "-c", code]
        return subprocess.check_output(command, cwd=self.home, text=True).strip()

    def uv_calls(self):
        return (self.home / "calls").read_text(encoding="utf-8")


@pytest.fixture
def clone(tmp_path):
    return Clone(tmp_path)


@pytest.fixture
def clone_with_uv(clone):
    clone.add("python3", PYTHON)
    clone.add("uv", UV)
    return clone


@pytest.fixture
def set_up():
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("set_up", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# ------------------------------------------------------------------------ make


@on_make
def test_uv_of_the_machine_sets_up_and_checks_hashes(clone_with_uv):
    done = clone_with_uv.make("set-up")
    assert done.returncode == 0, done.stderr
    assert "Setting up .venv" in done.stdout
    calls = clone_with_uv.uv_calls()
    assert "venv --seed --python" in calls
    assert re.search("pip install .*--require-hashes -r requirements.txt", calls)


@on_make
def test_second_call_starts_no_python_and_says_nothing(clone_with_uv):
    clone_with_uv.make("set-up")
    (clone_with_uv.path / "python3").unlink()
    (clone_with_uv.path / "uv").unlink()
    done = clone_with_uv.make("set-up")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@on_make
def test_newer_lock_is_installed_into_the_same_venv(clone_with_uv):
    clone_with_uv.make("set-up")
    own = clone_with_uv.folder / ".venv" / "what the learner added"
    own.touch()
    lock = clone_with_uv.folder / "requirements.txt"
    later = lock.stat().st_mtime + 100
    os.utime(lock, (later, later))
    clone_with_uv.make("set-up")
    assert clone_with_uv.uv_calls().count("pip install") == 2
    assert own.exists()


@on_make
def test_lesson_is_importable_from_any_folder_and_after_a_move(clone_with_uv, tmp_path):
    clone_with_uv.make("set-up")
    clone_with_uv.folder = clone_with_uv.folder.rename(tmp_path / "elsewhere")
    found = clone_with_uv.python("import lesson; print(lesson.__file__)")
    assert Path(found).samefile(clone_with_uv.folder / "notebooks" / "lesson.py")


@on_make
@pytest.mark.parametrize("move", [shutil.move, shutil.copytree])
def test_moved_or_copied_folder_is_set_up_anew(clone_with_uv, tmp_path, move):
    clone_with_uv.make("set-up")
    old, new = clone_with_uv.folder, tmp_path / "elsewhere"
    move(old, new)
    clone_with_uv.folder = new
    done = clone_with_uv.make("set-up")
    assert done.returncode == 0, done.stderr
    assert f"Deleting .venv to make it anew: it was made in {old}" in done.stdout
    assert (old / ".venv").exists() == (move is shutil.copytree)
    assert clone_with_uv.make("set-up").stdout == ""


@on_make
def test_venv_whose_python_is_gone_is_made_anew(clone_with_uv):
    clone_with_uv.make("set-up")
    python = clone_with_uv.folder / ".venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/no/such/python")
    done = clone_with_uv.make("set-up")
    assert "Deleting .venv to make it anew: its Python is gone" in done.stdout
    assert clone_with_uv.python("print('runs')") == "runs"


@on_make
def test_what_other_pythons_left_in_the_environment_is_kept_out(clone_with_uv):
    names = ["PYTHONHOME", "PYTHONPATH", "VIRTUAL_ENV", "PIP_TARGET", "UV_PYTHON"]
    elsewhere = dict.fromkeys(names, "/elsewhere")
    done = clone_with_uv.make("set-up", UV_SYSTEM_PYTHON="1", **elsewhere)
    assert done.returncode == 0, done.stderr
    assert (clone_with_uv.home / "leftovers").read_text(encoding="utf-8").strip() == ""


@on_make
@on_pip
def test_pip_alone_checks_hashes_and_installs_into_the_venv(clone, tmp_path):
    clone.add("python3", PYTHON)
    wheel = _tiny_wheel(tmp_path)
    lock = clone.folder / "requirements.txt"
    # No uv can be fetched; and each of the others has stopped an installation.
    variables = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path), "PIP_USER": "1"}
    variables |= {"PIP_TARGET": "/elsewhere", "PIP_REQUIRE_VIRTUALENV": "1", "PYTHONHOME": "/no"}

    lock.write_text(f"tiny==1.0 --hash=sha256:{'0' * 64}\n", encoding="utf-8")
    done = clone.make("set-up", **variables)
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr
    assert "The packages could not be installed" in done.stderr
    assert "Traceback" not in done.stderr

    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    lock.write_text(f"tiny==1.0 --hash=sha256:{digest}\n", encoding="utf-8")
    done = clone.make("set-up", **variables)
    assert done.returncode == 0, done.stderr
    assert clone.python("import tiny; print(tiny.SIZE)") == "1"


def _tiny_wheel(folder):
    path = folder / "tiny-1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        info = "tiny-1.0.dist-info"
        wheel.writestr("tiny.py", "SIZE = 1\n")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    return path


# ----------------------------------------------------------- which Python it is


@on_make
def test_on_python_3_14_uv_is_asked_for_another(clone_with_uv):
    clone_with_uv.add("python3", PYTHON_3_14)
    done = clone_with_uv.make("set-up")
    assert done.returncode == 0, done.stderr
    assert "This is Python 3.14; the series needs 3.11, 3.12 or 3.13. uv looks" in done.stdout
    assert "venv --seed --python >=3.11,<3.14" in clone_with_uv.uv_calls()


@on_make
def test_right_python_under_another_name_is_found(clone_with_uv):
    clone_with_uv.add("python3", PYTHON_3_14)
    name = f"python3.{sys.version_info[1]}"
    clone_with_uv.add(name, PYTHON)
    done = clone_with_uv.make("set-up")
    assert done.returncode == 0, done.stderr
    assert "3.14" not in done.stdout
    assert f"venv --seed --python {clone_with_uv.path / name}" in clone_with_uv.uv_calls()


@on_make
@pytest.mark.parametrize(
    ("uv", "reason"),
    [(UV_OFFLINE, "no route to the server"), (None, "pip could not fetch uv")],
)
def test_unreachable_download_is_one_sentence_with_the_ways_out(clone, uv, reason):
    clone.add("python3", PYTHON_3_14)
    if uv:
        clone.add("uv", uv)
    done = clone.make("set-up", PIP_NO_INDEX="1")
    assert done.returncode != 0
    said = [line for line in done.stderr.splitlines() if not line.startswith("make")]
    assert len(said) == 1, done.stderr
    for part in (f"found or fetched ({reason})", "make lab PYTHON=", "Colab, Codespaces or Binder"):
        assert part in said[0]
    assert not (clone.folder / ".venv").exists()


@on_make
def test_without_any_python_the_way_out_is_named(clone):
    done = clone.make("set-up")
    assert done.returncode != 0
    assert "neither a Python 3 nor uv" in done.stdout
    assert "make PYTHON=" in done.stdout


def test_script_starts_on_old_pythons():
    ast.parse(SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 8))


def test_versions_are_those_of_notebook_00(set_up):
    assert (set_up.OLDEST, set_up.NEWEST) == (environment.OLDEST, environment.NEWEST)


# -------------------------------------------------------- machines without wheels


@pytest.mark.parametrize(
    ("system", "machine", "libc", "bits", "named"),
    [
        ("darwin", "x86_64", "", 64, "Intel Macs"),
        ("win32", "ARM64", "", 64, "on ARM64"),
        ("linux", "riscv64", "glibc", 64, "on riscv64"),
        ("linux", "aarch64", "glibc", 32, "32-bit"),
        ("linux", "x86_64", "", 64, "Alpine"),
    ],
)
def test_machine_without_wheels_is_told_at_once(
    set_up, monkeypatch, tmp_path, system, machine, libc, bits, named
):
    _pretend(set_up, monkeypatch, system, machine, libc, bits)
    monkeypatch.setattr(set_up, "VENV", tmp_path / ".venv")
    with pytest.raises(SystemExit) as stopped:
        set_up.main()
    assert named in stopped.value.code
    assert "Colab, Codespaces or Binder" in stopped.value.code
    assert not (tmp_path / ".venv").exists()


@pytest.mark.parametrize(
    ("system", "machine"),
    [("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"), ("win32", "AMD64")],
)
def test_machine_with_wheels_may_go_on(set_up, monkeypatch, system, machine):
    _pretend(set_up, monkeypatch, system, machine, "glibc", 64)
    assert set_up.machine_without_wheels() is None


def _pretend(set_up, monkeypatch, system, machine, libc, bits):
    monkeypatch.setattr(set_up.sys, "platform", system)
    monkeypatch.setattr(set_up.sys, "maxsize", 2 ** (bits - 1) - 1)
    monkeypatch.setattr(set_up.platform, "machine", lambda: machine)
    monkeypatch.setattr(set_up.platform, "libc_ver", lambda: (libc, "2.36"))


# ------------------------------------------------------------ other ways, targets


def test_lock_has_a_hash_for_every_package_and_names_no_server():
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    packages = re.findall(r"^[\w.-]+==.*(?:\n    .*)+", text, re.MULTILINE)
    assert len(packages) == len(re.findall("^[^# \n]", text, re.MULTILINE))
    assert all("--hash=sha256:" in package for package in packages)
    assert "://" not in text
    assert "-index" not in text


@on_make
def test_dev_container_sets_up_with_make():
    file = ROOT / ".devcontainer" / "devcontainer.json"
    container = json.loads(file.read_text(encoding="utf-8"))
    command = container["updateContentCommand"].split()
    assert command[0] == "make"
    assert subprocess.run([MAKE, "-n", *command[1:]], cwd=ROOT, capture_output=True).returncode == 0
    for notebook in container["customizations"]["codespaces"]["openFiles"]:
        assert (ROOT / notebook).exists()


@on_make
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["test"], "KERAS_BACKEND=tensorflow .venv/bin/python -m pytest"),
        (["quick"], "KERAS_BACKEND=tensorflow .venv/bin/python -m pytest --quick"),
        (["quick", "BACKEND=jax"], "KERAS_BACKEND=jax .venv/bin/python -m pytest --quick"),
        (["test", "BACKEND=torch"], ".venv/bin/python -m pip install .* requirements-torch.txt"),
    ],
)
def test_what_the_test_targets_call(clone, arguments, expected):
    (clone.folder / "requirements-torch.txt").touch()
    lines = clone.make("-n", *arguments, "PYTHON=python3").stdout.splitlines()
    assert any(re.fullmatch(expected, line.strip()) for line in lines)
