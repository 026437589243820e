"""Make .venv with the packages of requirements.txt; the Makefile calls this.

Any Python from 3.8 on starts it. Where that is not one the packages are built
for, uv finds or fetches another. uv installs them as well; where it cannot be
had, pip does.
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PY = VENV / "bin" / "python"
STAMP = VENV / ".installed-from-lock"  # holds the folder that .venv was made in
OLDEST, NEWEST = (3, 11), (3, 13)
BUILT_FOR = {("linux", "x86_64"), ("linux", "aarch64"), ("darwin", "arm64"), ("win32", "amd64")}
ELSEWHERE = "run the series on Colab, Codespaces or Binder: see Start in README.md."
# Not a link of a .venv that may be deleted, but the Python behind it.
THIS_PYTHON = os.path.realpath(sys.executable)
# A download that takes minutes shows its progress to whoever watches.
QUIET = [] if sys.stderr.isatty() else ["--quiet"]


def main():
    """Make or update .venv, or say in a sentence what hinders it."""
    hindrance = machine_without_wheels()
    if hindrance:
        sys.exit(f"{hindrance} Instead, {ELSEWHERE}")
    if sys.platform == "win32":
        sys.exit("On Windows, uv does this without make: see Start in README.md.")
    remove_unusable_venv()
    uv = working_uv()
    with tempfile.TemporaryDirectory() as scratch:
        if not PY.exists():
            print("Setting up .venv: once, about a minute, 2 GB", flush=True)
            uv = make_venv(uv, Path(scratch))
        install(uv or fetch_uv(PY))
    make_lesson_importable()
    STAMP.write_bytes(os.fsencode(ROOT))


def machine_without_wheels():
    """Return a sentence on why the packages cannot be installed here, or None."""
    machine = platform.machine().lower()
    if (sys.platform, machine) == ("darwin", "x86_64"):
        return (
            "TensorFlow is no longer built for Intel Macs, nor for an Intel build of Python on"
            " another Mac (there, name an ARM one: make PYTHON=/path/to/python3)."
        )
    if (sys.platform, machine) not in BUILT_FOR:
        return f"TensorFlow is not built for {platform.system()} on {platform.machine()}."
    if sys.maxsize < 2**32:
        return "TensorFlow is not built for 32-bit systems."
    if sys.platform == "linux" and platform.libc_ver()[0] != "glibc":
        return "TensorFlow is built for Linux with glibc; Alpine, for one, has another C library."
    return None


def remove_unusable_venv():
    """Delete a .venv that belongs to another folder, or to a Python that does not serve."""
    if not VENV.exists():
        return
    made_in = os.fsdecode(STAMP.read_bytes()) if STAMP.exists() else ""
    if made_in and not (os.path.exists(made_in) and os.path.samefile(made_in, ROOT)):
        reason = f"it was made in {made_in}, and this folder has been moved or copied since"
    elif not serves(version_of(PY)):
        reason = "its Python is gone, or not one of 3.11 to 3.13"
    else:
        return
    print(f"Deleting .venv to make it anew: {reason}.", flush=True)
    shutil.rmtree(VENV)


def make_venv(uv, scratch):
    """Make .venv and return the uv it took, if any."""
    python = find_python()
    if not python:
        print(
            "This is Python {}.{}; the series needs 3.11, 3.12 or 3.13. uv looks for one here,"
            " else fetches it.".format(*sys.version_info),
            flush=True,
        )
        uv = uv or fetch_uv_into(scratch)
    wanted = python or ">=3.11,<3.14"
    ways = [[*uv, "venv", "--seed", "--python", wanted, str(VENV)]] if uv else []
    ways += [[python, "-m", "venv", str(VENV)]] if python else []
    problem = "pip could not fetch uv"
    for way in ways:
        problem = problem_of(way)
        if not problem:
            return uv
        shutil.rmtree(VENV, ignore_errors=True)
    if python:
        sys.exit(
            f"{python} cannot make a venv ({problem}). On Debian and Ubuntu, apt install"
            f" python3-venv; on any system, install uv; or {ELSEWHERE}"
        )
    sys.exit(
        f"No Python 3.11, 3.12 or 3.13 could be found or fetched ({problem}). Install one and"
        f" name it, as in make lab PYTHON=/path/to/python3.13; or {ELSEWHERE}"
    )


def install(uv):
    """Install the lock into .venv and check every file against its hash."""
    arguments = ["install", *QUIET, "--require-hashes", "-r", "requirements.txt"]
    if uv:
        # Compiled once here, or else by every process that imports Keras.
        command = [*uv, "pip", *arguments, "--compile-bytecode", "--python", str(PY)]
        if subprocess.call(command, cwd=ROOT) == 0:
            return
        print("uv could not install the packages; pip tries.", flush=True)
    command = [str(PY), "-m", "pip", "--disable-pip-version-check", *arguments]
    if subprocess.call(command, cwd=ROOT) != 0:
        sys.exit(
            "The packages could not be installed; the reason stands above. If the network was"
            " at fault, give the command again; else delete .venv first."
        )


def make_lesson_importable():
    """Let this environment import lesson wherever a kernel is started."""
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    packages = subprocess.check_output([str(PY), "-c", code], universal_newlines=True).strip()
    # Relative, so that a copy of the folder finds its own.
    path = os.path.relpath(ROOT / "notebooks", packages)
    (Path(packages) / "lesson.pth").write_text(path + "\n", encoding="utf-8")


def find_python():
    """Return a Python on this machine that the packages are built for, or None."""
    if serves(sys.version_info[:2]):
        return THIS_PYTHON
    names = ("python3.13", "python3.12", "python3.11")
    return next((shutil.which(name) for name in names if serves(version_of(name))), None)


def serves(version):
    """Return whether the packages are built for a version of Python."""
    return OLDEST <= version <= NEWEST


def version_of(python):
    """Return the version of a Python as a pair, (0, 0) where it does not run."""
    code = "import sys; print(*sys.version_info[:2])"
    try:
        out = subprocess.check_output([str(python), "-c", code], stderr=subprocess.DEVNULL)
    except (OSError, subprocess.CalledProcessError):
        return (0, 0)
    return tuple(int(part) for part in out.split())


def working_uv():
    """Return how to call the uv on this machine, or None."""
    return None if problem_of(["uv", "--version"]) else ["uv"]


def fetch_uv_into(folder):
    """Install uv into a venv of its own, made by whatever Python this is."""
    problem = problem_of([THIS_PYTHON, "-m", "venv", str(folder)])
    return None if problem else fetch_uv(folder / "bin" / "python")


def fetch_uv(python):
    """Install uv beside a Python; return how to call it, or None where it cannot be had."""
    pip = [str(python), "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "uv"]
    return None if problem_of(pip) else [str(python), "-m", "uv"]


def problem_of(command):
    """Run a command in silence; return the last line of its complaint, or None."""
    try:
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    except OSError as error:
        return str(error)
    if done.returncode == 0:
        return None
    lines = done.stdout.decode(errors="replace").strip().splitlines() or ["it gave no reason"]
    return lines[-1].replace("cause:", "").strip()


if __name__ == "__main__":
    try:
        main()
    except OSError as error:
        sys.exit(f"Set-up stopped: {error}")
    except KeyboardInterrupt:
        sys.exit("Set-up was interrupted; the next call goes on with it.")
