"""Keras's settings file, which an older Keras may have left: what it says, and what it stops.

Imports no Keras: it is asked when Keras cannot be imported.
"""

import json
import os
import re
from pathlib import Path

# What the series is made with, which is what Keras writes into a new file.
USUAL = {
    "backend": "tensorflow",
    "floatx": "float32",
    "epsilon": 1e-07,
    "image_data_format": "channels_last",
}


def read():
    """The path of Keras's settings file, and the settings in it: a dict, empty without a file."""
    home = os.path.expanduser("~")
    if not os.access(home, os.W_OK):  # Keras looks there then
        home = "/tmp"
    folder = os.environ.get("KERAS_HOME", os.path.join(home, ".keras"))
    path = Path(folder).expanduser() / "keras.json"
    try:
        settings = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        settings = {}
    return path, settings if isinstance(settings, dict) else {}


def explain(error):
    """Say which setting keeps Keras from being imported, and where it is; None if none does."""
    path, settings = read()
    refused = re.match(r"Invalid `(\w+)`", str(error))
    name = refused[1] if refused else "backend"
    value = settings.get(name, USUAL[name])
    where, without = f"the file {path}", "delete the file"
    if name == "backend" and os.environ.get("KERAS_BACKEND"):
        value = os.environ["KERAS_BACKEND"]
        where, without = "the environment variable KERAS_BACKEND", "unset it"
    if value == USUAL[name]:
        return None
    return (
        f"Keras cannot start: {where} sets its {name} to {value!r} ({error}). "
        f"Set it to {USUAL[name]!r} there, or {without}, and start again."
    )
