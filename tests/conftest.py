"""What several files of tests share."""

import subprocess
import sys

import pytest

import editions


@pytest.fixture(scope="session")
def built_book(tmp_path_factory):
    """The folder of the web edition. -W: a broken link or reference is an error."""
    source, built = tmp_path_factory.mktemp("book") / "source", tmp_path_factory.mktemp("pages")
    editions.gather(source)
    run = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", source, built],
        capture_output=True, encoding="utf-8", check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return built
