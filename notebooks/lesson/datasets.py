"""The four data sets of the series, read from data/ and verified on the way.

Each loader returns what the loader of the same name in `keras.datasets`
returns, bit for bit, without a download. A file that is missing or not the
one in the repository is a `DataError`, before anything parses it.
"""

import functools
import hashlib
import io
import operator
import os
import re
import sys
from pathlib import Path

import numpy as np
from PIL import Image

DATA = Path(__file__).resolve().parents[2] / "data"
CHECKSUMS = "checksums.sha256"

CIFAR10_CLASSES = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
BOSTON_FEATURES = (
    "CRIM",
    "ZN",
    "INDUS",
    "CHAS",
    "NOX",
    "RM",
    "AGE",
    "DIS",
    "RAD",
    "TAX",
    "PTRATIO",
    "B",
    "LSTAT",
)

# IMDB's word ids, as keras.datasets.imdb gives them: 0 pads, 1 starts a
# review, 2 stands for a word left out, 3 is never used, words start at 4.
NUM_WORDS = 10_000
UNKNOWN = 2
MARKS = ("[pad]", "[start]", "?", "?")


class DataError(Exception):
    """A file in data/ is missing or wrong; the message says which, how, and what to do."""


def load_cifar10():
    """Load CIFAR-10: 60,000 small colour photographs in ten classes.

    It takes about two seconds and 184 MB of memory, up to 340 MB while loading.

    Returns:
        Tuple of NumPy arrays: `(x_train, y_train), (x_test, y_test)`.

        **`x_train`, `x_test`**: `uint8`, shapes `(50000, 32, 32, 3)` and
        `(10000, 32, 32, 3)`: image, row, column, and red, green, blue
        from 0 (dark) to 255 (bright).

        **`y_train`, `y_test`**: `uint8`, shapes `(50000, 1)` and
        `(10000, 1)`: the class, an index into `CIFAR10_CLASSES`. The
        classes are equally frequent.

    Raises:
        DataError: if a file in `data/cifar10/` is missing or damaged.

    Source:
        Alex Krizhevsky, "Learning Multiple Layers of Features from Tiny
        Images", University of Toronto, 2009. Terms: `data/README.md`.

    Example:

    ```python
    (x_train, y_train), (x_test, y_test) = load_cifar10()
    print(CIFAR10_CLASSES[y_train[0, 0]])  # frog
    ```
    """
    labels = _read_npz("cifar10/labels.npz")
    x_train = np.empty((50_000, 32, 32, 3), np.uint8)
    x_test = np.empty((10_000, 32, 32, 3), np.uint8)
    # One sheet after the other: two at a time would be twice as quick, and
    # need three times the memory of the arrays.
    for i, images in enumerate(np.split(x_train, 5), 1):
        _read_sheet(f"cifar10/train-{i}.webp", images)
    _read_sheet("cifar10/test.webp", x_test)
    y_train, y_test = labels["y_train"].reshape(-1, 1), labels["y_test"].reshape(-1, 1)
    return (x_train, y_train), (x_test, y_test)


def load_mnist():
    """Load MNIST: 70,000 handwritten digits in shades of grey.

    Returns:
        Tuple of NumPy arrays: `(x_train, y_train), (x_test, y_test)`.

        **`x_train`, `x_test`**: `uint8`, shapes `(60000, 28, 28)` and
        `(10000, 28, 28)`: image, row, column; 0 is paper, 255 is ink.

        **`y_train`, `y_test`**: `uint8`, shapes `(60000,)` and `(10000,)`:
        the digit, 0 to 9.

    Raises:
        DataError: if `data/mnist.npz` is missing or damaged.

    Source:
        Yann LeCun, Corinna Cortes and Christopher J. C. Burges; see LeCun,
        Bottou, Bengio and Haffner, "Gradient-based learning applied to
        document recognition", Proceedings of the IEEE, 1998. Licence:
        CC BY-SA 3.0.
    """
    arrays = _read_npz("mnist.npz")
    return (arrays["x_train"], arrays["y_train"]), (arrays["x_test"], arrays["y_test"])


def load_imdb(num_words=NUM_WORDS):
    """Load IMDB: 50,000 film reviews as lists of word ids, with their verdicts.

    A word's id tells how common the word is in the training reviews: 4 is
    the commonest ("the"), 5 the next. Every review starts with 1; 2 stands
    for any rarer word; 3 is never used; 0 is left for padding. Words that no
    training review has were dropped. `decode_review` turns ids into text.

    Args:
        num_words: integer from 3 to 10,000. Every id in the result is below
            it: the id of a rarer word becomes 2. Defaults to 10,000. Fewer
            than 3 would have no room for the ids 0, 1 and 2.

    Returns:
        Tuple of NumPy arrays: `(x_train, y_train), (x_test, y_test)`.

        **`x_train`, `x_test`**: `object`, both of shape `(25000,)`: each
        element is one review, a list of integers, of any length from 7 to
        2,494.

        **`y_train`, `y_test`**: `int64`, both of shape `(25000,)`: 1 for a
        positive review, 0 for a negative one, half of each.

    Raises:
        TypeError: if `num_words` is not a whole number.
        ValueError: if `num_words` is out of range.
        DataError: if `data/imdb/reviews.npz` is missing or damaged.

    Source:
        Maas, Daly, Pham, Huang, Ng and Potts, "Learning Word Vectors for
        Sentiment Analysis", ACL 2011. Terms: `data/README.md`.
    """
    num_words = _checked_num_words(num_words)
    arrays = _read_npz("imdb/reviews.npz")
    (x_train, y_train), (x_test, y_test) = (
        (
            _split_reviews(arrays[f"{split}_ids"], arrays[f"{split}_lengths"], num_words),
            arrays[f"{split}_labels"].astype(np.int64),
        )
        for split in ("train", "test")
    )
    return (x_train, y_train), (x_test, y_test)


def load_boston():
    """Load Boston: prices and 13 features of 506 districts of Boston in 1970.

    **Warning**: do not use this data set for real work. Its column `B` is
    1000(Bk - 0.63)², where Bk is the proportion of Black residents: its
    authors took it for granted that segregation by race moves house prices,
    and a model fitted to it prices homes by the race of the neighbours.
    scikit-learn withdrew the data set for that reason. Here it serves to
    practise on few rows, and as a warning; for other work take another, such
    as scikit-learn's `fetch_california_housing`.

    Returns:
        Tuple of NumPy arrays: `(x_train, y_train), (x_test, y_test)`.

        **`x_train`, `x_test`**: `float64`, shapes `(404, 13)` and
        `(102, 13)`: columns as in `BOSTON_FEATURES`, in their own units:

        - `CRIM`: crimes per resident of the town, as a rate
        - `ZN`: percent of residential land in lots over 25,000 square feet
        - `INDUS`: percent of the town's land for industry
        - `CHAS`: 1 beside the Charles River, else 0
        - `NOX`: nitric oxides in parts per 10 million
        - `RM`: average number of rooms per dwelling
        - `AGE`: percent of owner-occupied homes built before 1940
        - `DIS`: weighted distance to five centres of employment
        - `RAD`: index of access to radial highways
        - `TAX`: property tax, dollars per 10,000 dollars of value
        - `PTRATIO`: pupils per teacher in the town
        - `B`: see the warning
        - `LSTAT`: percent of residents whom the authors call "lower status"

        **`y_train`, `y_test`**: `float64`, shapes `(404,)` and `(102,)`:
        the median price of a home, in thousands of 1970s US dollars,
        capped at 50: 16 districts that read 50.0 may have been dearer.

    Raises:
        DataError: if `data/boston.csv` is missing or damaged.

    Source:
        Harrison and Rubinfeld, "Hedonic housing prices and the demand for
        clean air", Journal of Environmental Economics and Management, 1978.
    """
    rows = np.loadtxt(io.BytesIO(read_verified("boston.csv")), delimiter=",", skiprows=1)
    # The order and the split of keras.datasets.boston_housing.
    order = np.arange(len(rows))
    np.random.RandomState(113).shuffle(order)
    train, test = np.split(rows[order], [int(len(rows) * 0.8)])
    (x_train, y_train), (x_test, y_test) = (
        (np.ascontiguousarray(part[:, :-1]), part[:, -1].copy()) for part in (train, test)
    )
    return (x_train, y_train), (x_test, y_test)


def decode_review(ids):
    """Turn the word ids of one IMDB review back into text.

    Punctuation and capitals are lost: the ids never had them.

    Args:
        ids: one review, as `load_imdb` gives it or padded: a list or array
            of integers from 0 to 9,999.

    Returns:
        A string: the words with spaces between, `[start]` for 1, `[pad]`
        for 0, and `?` for a word that was left out.

    Raises:
        TypeError: if `ids` is not a flat sequence of integers.
        ValueError: if an id is out of range.
        DataError: if `data/imdb/vocabulary.txt` is missing or damaged.

    Example:

    ```python
    (x_train, y_train), _ = load_imdb()
    print(decode_review(x_train[0][:6]))  # [start] this film was just brilliant
    ```
    """
    try:
        ids = [operator.index(i) for i in ids]
    except TypeError:
        raise TypeError(
            "decode_review takes one review, a flat list of whole numbers such as x_train[0]"
        ) from None
    words = _words_by_id(DATA)
    for i in ids:
        if not 0 <= i < len(words):
            raise ValueError(f"word id {i} is out of range: ids go from 0 to {len(words) - 1:,}")
    return " ".join(words[i] for i in ids)


def checksums():
    """Return the SHA-256 of every data file, in hexadecimal, by its name in data/.

    Raises:
        DataError: if `data/checksums.sha256` is missing or damaged.
    """
    lines = _read(CHECKSUMS).decode(errors="replace").splitlines()
    matches = [re.fullmatch(r"([0-9a-f]{64}) [ *](\S+)", line) for line in lines]
    if not matches or None in matches:
        raise _data_error(CHECKSUMS, "is damaged: its lines are not checksums with file names")
    return {match[2]: match[1] for match in matches}


def read_verified(name):
    """Return the bytes of a data file whose checksum is right.

    Args:
        name: the file's name in data/, such as `"mnist.npz"`.

    Raises:
        DataError: if the file is missing, unreadable, or not the one in the
            repository.
    """
    expected = checksums().get(name)
    if expected is None:
        raise _data_error(CHECKSUMS, f"is damaged: it does not list {name}")
    content = _read(name)
    if hashlib.sha256(content).hexdigest() != expected:
        raise _data_error(
            name,
            f"is damaged or cut short: it holds {len(content):,} bytes whose checksum is "
            f"not the one in data/{CHECKSUMS}",
        )
    return content


def find_faults():
    """Return a DataError for each data file that is not the one in the repository."""
    faults = []
    try:
        for name in checksums():
            try:
                read_verified(name)
            except DataError as fault:
                faults.append(fault)
    except DataError as fault:  # the list of checksums itself
        faults.append(fault)
    return faults


def _read(name):
    path = DATA / name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise _unreadable(name, path, error) from None
    if fault := _impostor(content):
        raise _data_error(name, fault)
    return content


def _unreadable(name, path, error):
    if os.path.isdir(path):  # asked first: for Windows this is a lack of permission
        return _data_error(name, "is a folder where a file should be")
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        return _data_error(name, "is missing")
    if isinstance(error, PermissionError):
        return DataError(
            f"data/{name} cannot be read: permission denied. Make it readable: run, in the "
            "folder of this repository,\n\n    chmod -R u+rwX data\n\n"
            "On Windows: right-click the file, Properties, Security; and close whatever "
            "program holds it open."
        )
    return _data_error(name, f"cannot be read: {error.strerror}")


def _impostor(content):
    """What a file is that other tools leave in the place of data; None if it is none."""
    if not content:
        return "is empty"
    if content.startswith(b"version https://git-lfs"):
        return "is a git-LFS pointer, a note of where the data is, and not the data"
    start = content[:1000].lower()
    if b"<!doctype html" in start or b"<html" in start:
        return "is a web page (HTML) and not the data: some download went wrong"
    return None


def _data_error(name, fault):
    return DataError(
        f"data/{name} {fault}. Put the right file back: run, in the folder of this "
        f"repository,\n\n    git restore data/{name}\n\n"
        "Without git: copy that file from a fresh download of the repository."
    )


def _read_npz(name):
    """The arrays of an .npz file, by name; each is unpacked when asked for."""
    return np.load(io.BytesIO(read_verified(name)), allow_pickle=False)


def _read_sheet(name, images):
    """Fill `images` with the 100 × 100 tiles of a sheet, row after row."""
    rows = images.reshape(100, 100, 32, 32, 3)
    with Image.open(io.BytesIO(read_verified(name)), formats=["WEBP"]) as sheet:
        sheet.load()
        for i, row in enumerate(rows):
            # Cut by strips: an array of the whole sheet is 31 MB more at the peak.
            strip = np.asarray(sheet.crop((0, 32 * i, 3200, 32 * (i + 1))))
            row[:] = strip.reshape(32, 100, 32, 3).swapaxes(0, 1)


def _split_reviews(ids, lengths, num_words):
    """Reviews that lie end to end in `ids`, as an array of lists."""
    # One int object per id, shared by all reviews: an int for each of the 11.7
    # million words would take five times the memory.
    words = np.arange(NUM_WORDS).astype(object)
    words[num_words:] = UNKNOWN
    ends = np.cumsum(lengths, dtype=np.int64)
    reviews = np.empty(len(lengths), object)
    for i, (start, end) in enumerate(zip(ends - lengths, ends, strict=True)):
        reviews[i] = words[ids[start:end]].tolist()
    return reviews


def _checked_num_words(num_words):
    wanted = f"num_words must be a whole number from {UNKNOWN + 1} to {NUM_WORDS:,}"
    if isinstance(num_words, (bool, np.bool_)):
        raise TypeError(f"{wanted}; got {num_words}")
    try:
        number = operator.index(num_words)
    except TypeError:
        raise TypeError(f"{wanted}; got {num_words!r}") from None
    if not UNKNOWN < number <= NUM_WORDS:
        raise ValueError(f"{wanted}; got {number}")
    return number


@functools.lru_cache(maxsize=1)
def _words_by_id(folder):
    """What each word id stands for; kept, so that decoding many reviews is quick.

    `folder` is DATA: another folder is another vocabulary.
    """
    # Not splitlines(): a few "words" are control characters that it splits at.
    return (*MARKS, *read_verified("imdb/vocabulary.txt").decode().split("\n")[:-1])


if __name__ == "__main__":  # `make lab` asks before it opens the notebooks
    sys.exit("\n\n".join(map(str, find_faults())) or None)
