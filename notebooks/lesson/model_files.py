"""What is in a `.keras` file: written so that an older Keras reads it; why one is not read."""

import importlib
import inspect
import json
import zipfile

import keras
from packaging.version import Version

# The oldest Keras that reads what `save_model` saves. From here to 3.15 each reference
# model gives the same predictions, the same losses and the same two further epochs.
OLDEST_KERAS = "3.8"

# Written with all their arguments: the first three ask for each by its name, and
# of all defaults in Keras only Muon's changed between 3.8 and 3.15.
_WRITTEN_WHOLE = {"Constant", "Rescaling", "TextVectorization", "Muon"}


def leave_out_defaults(path):
    """Rewrite a `.keras` file without the arguments that are at their defaults.

    Keras writes every argument of every object into the file's `config.json`, and an
    older Keras refuses an argument that it does not know, even at its default. The
    other members of the file, the weights among them, stay byte for byte.

    Args:
        path: the file; it is written in place.
    """
    with zipfile.ZipFile(path) as archive:
        members = [(info, archive.read(info)) for info in archive.infolist()]
    with zipfile.ZipFile(path, "w") as archive:
        for info, content in members:
            if info.filename == "config.json":
                content = json.dumps(_without_defaults(json.loads(content))).encode()
            archive.writestr(info, content)


def _without_defaults(entry):
    if isinstance(entry, list):
        return [_without_defaults(one) for one in entry]
    if not isinstance(entry, dict):
        return entry
    entry = {key: _without_defaults(value) for key, value in entry.items()}
    if isinstance(entry.get("config"), dict):
        defaults = _defaults(entry.get("module"), entry.get("class_name"))
        entry["config"] = {
            key: value
            for key, value in entry["config"].items()
            if key not in defaults or json.dumps(value) != json.dumps(defaults[key], default=repr)
        }
    return entry


def _defaults(module, class_name):
    """The default of each argument with which an object of Keras's own is made."""
    if str(module).split(".")[0] != "keras" or class_name in _WRITTEN_WHOLE:
        return {}  # a learner's own class may ask for all its arguments
    try:
        cls = getattr(importlib.import_module(module), class_name)
    except (ImportError, AttributeError):
        return {}
    if issubclass(cls, keras.Model):
        return {}  # its configuration is not what its constructor takes
    defaults = {}
    for owner in cls.__mro__:
        if "__init__" in vars(owner):
            parameters = inspect.signature(owner.__init__).parameters.values()
            for parameter in parameters:
                defaults.setdefault(parameter.name, parameter.default)
            if all(parameter.kind != parameter.VAR_KEYWORD for parameter in parameters):
                break  # it hands nothing on to its base class
    return defaults


def why_unread(path, error, custom_objects):
    """Say why Keras does not read a model file.

    Args:
        path: the file.
        error: what Keras raised.
        custom_objects: what Keras was given, a dict.

    Returns:
        The rest of a sentence that begins with the file; None if it is damaged.
    """
    try:
        made_by, config = _open(path)
    except Exception:  # cut, foreign, a member missing
        return None
    if "safe_mode" in str(error):
        return (
            "holds Python code, such as a lambda, and Keras does not run code from a file unasked. "
            "If you trust whoever made it, call keras.config.enable_unsafe_deserialization() first."
        )
    if names := _missing_objects(config, custom_objects):
        given = ", ".join(f"{name!r}: {name.split('>')[-1]}" for name in names)
        return (
            f"needs code of your own, which is not in the file: {', '.join(names)}. Define or "
            f"import that code, then load_model({path.stem!r}, custom_objects={{{given}}})."
        )
    here = Version(keras.__version__)
    keras_says = f"Keras says: {(str(error).strip() or repr(error)).splitlines()[-1][-300:]}"
    if made_by > here:
        wanted = OLDEST_KERAS if here < Version(OLDEST_KERAS) else made_by
        return (
            f"was saved by Keras {made_by}; this is Keras {here}, which is older and cannot read "
            f'it. Run %pip install "keras>={wanted}" and restart the kernel, or run the notebook '
            f"that saves the model. {keras_says}"
        )
    return f"is whole, but Keras {here} cannot read it. {keras_says}"


def _open(path):
    """The version that made a model file and its configuration; fails if it is not whole."""
    with zipfile.ZipFile(path) as archive:
        if archive.testzip() or not any("model.weights" in n for n in archive.namelist()):
            raise zipfile.BadZipFile
        metadata, config = (json.loads(archive.read(f"{n}.json")) for n in ("metadata", "config"))
    return Version(metadata["keras_version"]), config


def _missing_objects(entry, given):
    """The learner's own objects that are not at hand, by the names `custom_objects` takes."""
    if not isinstance(entry, list | dict):
        return []
    parts = entry.values() if isinstance(entry, dict) else entry
    names = [name for part in parts for name in _missing_objects(part, given)]
    name = _own_name(entry) if isinstance(entry, dict) else None
    if name and name not in given and not keras.saving.get_registered_object(name):
        names.append(name)
    return list(dict.fromkeys(names))


def _own_name(entry):
    """The name of a class or function that is not Keras's; None for anything else."""
    class_name, module = str(entry.get("class_name", "__")), str(entry.get("module", "keras"))
    if class_name == "function":
        name = str(entry.get("config"))
        places = (keras.activations, keras.losses, keras.metrics)
        return None if any(hasattr(place, name) for place in places) else name
    if class_name.startswith("__") or module.split(".")[0] == "keras":
        return None
    return entry.get("registered_name") or class_name
