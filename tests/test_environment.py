"""Notebook 00's questions: a tick when all is well, else what to do."""

import json
import re
import tempfile

import pytest

from lesson import datasets, environment, machine
from notebook_files import NOTEBOOKS, read


def test_python_of_the_lock_is_ticked(capsys, monkeypatch):
    monkeypatch.setattr(environment.sys, "version_info", (3, 12, 4))
    environment.check_python()
    assert capsys.readouterr().out == "✓ Python 3.12.4\n"


@pytest.mark.parametrize("version", [(3, 10, 9), (3, 14, 0)])
def test_other_python_is_told_what_to_do(capsys, monkeypatch, version):
    monkeypatch.setattr(environment.sys, "version_info", version)
    environment.check_python()
    out = capsys.readouterr().out
    assert out.startswith(f"✗ Python 3.{version[1]}.")
    assert "3.11 to 3.13" in out
    assert "make lab" in out


def lock(monkeypatch, tmp_path, text):
    path = tmp_path / "requirements.txt"
    path.write_text(text, encoding="utf-8")
    monkeypatch.setattr(environment, "LOCK", path)


def test_packages_as_locked_are_ticked(capsys, monkeypatch, tmp_path):
    version = environment.importlib.metadata.version("numpy")
    text = f"# made by a tool\nnumpy=={version}\nabsent==1.0 ; sys_platform == 'none'\n"
    lock(monkeypatch, tmp_path, text)
    environment.check_packages()
    assert capsys.readouterr().out.startswith("✓ 1 packages")


def test_hashes_of_the_lock_are_passed_over(capsys, monkeypatch, tmp_path):
    hashes = " \\\n    --hash=sha256:00" * 2 + "\n"
    lock(monkeypatch, tmp_path, f"absent==1.0{hashes}gone==2.0 ; python_version > '3'{hashes}")
    environment.check_packages()
    out = capsys.readouterr().out
    assert out.startswith("✗ 2 of 2 packages differ")
    assert "absent is missing, not 1.0; gone is missing, not 2.0\n" in out


def test_other_packages_are_named(capsys, monkeypatch, tmp_path):
    lock(monkeypatch, tmp_path, "numpy==0.0.1\nno-such-package==2.0\n")
    environment.check_packages()
    out = capsys.readouterr().out
    assert out.startswith("✗ 2 of 2 packages differ")
    assert "not 0.0.1" in out
    assert "no-such-package is missing, not 2.0" in out
    assert "pip install -r requirements.txt" in out


def test_the_lock_itself_can_be_read(capsys):
    environment.check_packages()
    assert capsys.readouterr().out[0] in "✓✗"


@pytest.mark.parametrize(("free", "mark"), [(1.0, "✗"), (8.0, "✓")])
def test_memory(capsys, monkeypatch, free, mark):
    monkeypatch.setattr(machine, "memory_available", lambda: free * 2**30)
    monkeypatch.setattr(machine, "memory_total", lambda: 16 * 2**30)
    environment.check_machine()
    assert f"{mark} {free:.1f} of 16.0 GiB" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("count", "told"), [(1, "✓ 1 processor core\n"), (4, "✓ 4 processor cores\n")]
)
def test_cores(capsys, monkeypatch, count, told):
    monkeypatch.setattr(machine, "cores", lambda: count)
    environment.check_machine()
    assert capsys.readouterr().out.startswith(told)


@pytest.fixture
def keras_json(monkeypatch, tmp_path):
    """A function that writes a settings file where Keras looks for it."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    path = tmp_path / "keras.json"

    def write(**settings):
        path.write_text(json.dumps(settings), encoding="utf-8")
        return path

    return write


def test_usual_settings_are_ticked(capsys, keras_json):
    keras_json(floatx="float32", epsilon=1e-07, backend="jax", image_data_format="channels_last")
    environment.check_keras()
    assert capsys.readouterr().out == (
        f"✓ Keras {environment.keras.__version__} on {environment.keras.config.backend()}\n"
    )


@pytest.mark.parametrize(
    ("name", "value", "usual"),
    [
        ("image_data_format", "channels_first", "channels_last"),
        ("floatx", "float16", "float32"),
        ("epsilon", 0.001, 1e-07),
    ],
)
def test_other_setting_is_named_with_its_file(capsys, keras_json, name, value, usual):
    path = keras_json(**{name: value})
    environment.check_keras()
    out = capsys.readouterr().out
    assert f"✗ Keras's {name} is {value!r}, by the file {path}; the series needs {usual!r}" in out
    assert "delete the file" in out


def test_backend_that_cannot_train_is_named(capsys, monkeypatch, keras_json):
    path = keras_json(backend="numpy")
    monkeypatch.setattr(environment.keras.backend, "backend", lambda: "numpy")
    environment.check_keras()
    out = capsys.readouterr().out
    assert "on numpy, which cannot train" in out
    assert f"KERAS_BACKEND or as backend in {path}" in out


def test_folder_of_outputs_is_ticked_and_left_empty(capsys, monkeypatch, tmp_path):
    folder = tmp_path / "not yet" / "there"
    monkeypatch.setenv("FIT_OUTPUTS", str(folder))
    environment.check_outputs()
    assert capsys.readouterr().out == "✓ what a fit learns can be saved in fit_outputs/\n"
    assert list(folder.iterdir()) == []


def test_file_in_the_place_of_the_folder_of_outputs_is_named(capsys, monkeypatch, tmp_path):
    taken = tmp_path / "taken"
    taken.write_bytes(b"")
    monkeypatch.setenv("FIT_OUTPUTS", str(taken))
    environment.check_outputs()
    out = capsys.readouterr().out
    assert out.startswith(f"✗ nothing can be saved in {taken}: File exists\n")
    assert "FIT_OUTPUTS" in out


def test_folder_of_outputs_of_another_user_is_named(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("FIT_OUTPUTS", str(tmp_path))

    def refuse(**_):  # as root, too, whom no mode keeps out
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    environment.check_outputs()
    out = capsys.readouterr().out
    assert out.startswith(f"✗ nothing can be saved in {tmp_path}: Permission denied\n")
    assert "FIT_OUTPUTS" in out


def test_whole_data_are_ticked(capsys):
    environment.check_data()
    assert capsys.readouterr().out == "✓ 11 data files, each with the right checksum\n"


@pytest.mark.parametrize("broken", ["boston.csv", datasets.CHECKSUMS])
def test_damaged_data_are_named(capsys, monkeypatch, tmp_path, broken):
    for name in ("boston.csv", datasets.CHECKSUMS):
        (tmp_path / name).write_bytes((datasets.DATA / name).read_bytes())
    (tmp_path / broken).write_bytes(b"cut")
    monkeypatch.setattr(datasets, "DATA", tmp_path)
    environment.check_data()
    out = capsys.readouterr().out
    assert f"✗ data/{broken} is damaged" in out
    assert f"git restore data/{broken}" in out
    assert "✓" not in out


def test_forecast_scales_the_measured_times(capsys, monkeypatch, tmp_path):
    timings = tmp_path / "timings.csv"
    timings.write_text("name,seconds\n03-compile-and-fit,40.0\nsmall fit,2.0\n", encoding="utf-8")
    monkeypatch.setattr(environment, "TIMINGS", timings)
    monkeypatch.setattr(environment, "time_small_fit", lambda: 3.0)
    environment.forecast()
    out = capsys.readouterr().out
    assert "took 3.0 s; where the times were measured, 2.0 s" in out
    assert "60 s" in out
    assert "1.0 min" in out


def test_small_fit_is_short():
    assert 0 < environment.time_small_fit() < 60


def test_memory_that_notebook_00_names_is_the_one_that_is_asked_for(capsys, monkeypatch):
    monkeypatch.setattr(machine, "memory_available", lambda: 2**30)
    environment.check_machine()
    path = next(path for path in NOTEBOOKS if path.name.startswith("00-"))
    said = next(cell.source for cell in read(path).cells if cell.id == "machine")
    found = [
        re.search(r"A notebook takes up to (\d+) GiB.*?; 11, .*?takes (\d+)", text).groups()
        for text in (said, capsys.readouterr().out)
    ]
    assert found[0] == found[1]
