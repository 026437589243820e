"""Model files: an older Keras can read them, and what cannot be read is explained."""

import inspect
import json
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

from lesson import load_model, model_files, outputs, save_model
from lesson.model_files import leave_out_defaults

REFERENCE = sorted((Path(__file__).resolve().parents[1] / "fit_outputs/reference").glob("*.keras"))
X = np.random.default_rng(0).random((8, 8, 8, 3), "float32")
Y = np.eye(4, dtype="float32")[[0, 1, 2, 3] * 2]


@pytest.fixture(autouse=True)
def own(tmp_path, monkeypatch):
    """A learner's folder and a reference folder, both empty."""
    monkeypatch.setenv("FIT_OUTPUTS", str(tmp_path / "own"))
    monkeypatch.setattr(outputs, "REFERENCE", tmp_path / "reference")
    (tmp_path / "own").mkdir()
    (tmp_path / "reference").mkdir()
    return tmp_path / "own"


def members(path):
    with zipfile.ZipFile(path) as archive:
        return {info.filename: archive.read(info) for info in archive.infolist()}


def write(path, contents):
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in contents.items():
            archive.writestr(name, content)


def serialized(thing):
    return json.loads(json.dumps(keras.saving.serialize_keras_object(thing)))


def fitted_model():
    keras.utils.set_random_seed(1)
    model = keras.Sequential(
        [
            keras.Input((8, 8, 3)),
            keras.layers.Rescaling(1 / 8),
            keras.layers.Conv2D(4, 3, kernel_regularizer="l2", use_bias=False),
            keras.layers.BatchNormalization(momentum=0.9),
            keras.layers.MaxPooling2D(),
            keras.layers.Flatten(),
            keras.layers.Dropout(0.5, seed=3),
            keras.layers.Dense(4, kernel_initializer=keras.initializers.Constant(0.1)),
            keras.layers.Activation("softmax"),
        ],
        name="small",
    )
    model.layers[2].trainable = False
    rate = keras.optimizers.schedules.CosineDecay(0.1, 10)
    loss = keras.losses.CategoricalCrossentropy(label_smoothing=0.1)
    metrics = [keras.metrics.F1Score(), keras.metrics.CategoricalAccuracy(name="right")]
    optimizer = keras.optimizers.Adam(rate, amsgrad=True)
    model.compile(optimizer, loss, metrics=metrics, steps_per_execution=2)
    model.fit(X, Y, epochs=2, verbose=0)
    return model


# --- What is saved ----------------------------------------------------------------


def test_saved_model_is_the_same_model():
    model = fitted_model()
    save_model(model, "model")
    loaded = load_model("model")
    assert serialized(loaded) == serialized(model)
    # Not `variables`: the state of a dropout's chance Keras itself does not save.
    pairs = (
        (loaded.weights, model.weights),
        (loaded.optimizer.variables, model.optimizer.variables),
    )
    for ours, theirs in pairs:
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(
                keras.ops.convert_to_numpy(one), keras.ops.convert_to_numpy(other)
            )
    np.testing.assert_array_equal(loaded.predict(X, verbose=0), model.predict(X, verbose=0))


def test_only_the_configuration_is_rewritten(tmp_path):
    path = tmp_path / "model.keras"
    fitted_model().save(path)
    before = members(path)
    leave_out_defaults(path)
    after = members(path)
    assert list(after) == list(before)
    changed = [name for name in before if before[name] != after[name]]
    assert changed == ["config.json"]
    leave_out_defaults(path)
    assert members(path) == after


class Scaled(keras.layers.Layer):
    """A learner's own layer, whose `from_config` asks for every argument."""

    def __init__(self, factor=1.0, inverse=False, **options):
        super().__init__(**options)
        self.factor, self.inverse = factor, inverse

    def call(self, inputs):
        return inputs / self.factor if self.inverse else inputs * self.factor

    def get_config(self):
        return {**super().get_config(), "factor": self.factor, "inverse": self.inverse}

    @classmethod
    def from_config(cls, config):
        return cls(config.pop("factor"), config.pop("inverse"), **config)


def test_own_layer_keeps_all_its_arguments():
    save_model(keras.Sequential([keras.Input((2,)), Scaled()]), "model")
    layer = load_model("model", custom_objects={"Scaled": Scaled}).layers[0]
    assert (layer.factor, layer.inverse) == (1.0, False)


ARGUMENTS = {
    "boundaries": [1, 2], "cells": [keras.layers.LSTMCell(2)], "cell": keras.layers.LSTMCell(2),
    "dims": (2, 1), "equation": "ab,bc->ac", "factor": 0.1, "fn": "mse", "activation": "relu",
    "layer": keras.layers.LSTM(2), "layers": [keras.layers.Dense(2)], "output_shape": (2,),
    "target_class_ids": [0], "target_shape": (2, 2), "value_range": (0, 1), "axes": (1, 1),
    "values": [0.1, 0.2, 0.3], "inner_optimizer": keras.optimizers.SGD(), "max_value": 1.0,
    "rate": 0.5, "recall": 0.5, "precision": 0.5, "sensitivity": 0.5, "specificity": 0.5,
    "name": "named", "height_factor": 0.1, "width_factor": 0.1, "shape": (2,),
}  # fmt: skip
KINDS = [
    keras.layers, keras.initializers, keras.losses, keras.metrics, keras.optimizers,
    keras.optimizers.schedules, keras.regularizers, keras.constraints,
]  # fmt: skip


def some_of_everything():
    """An object of each class in Keras that takes nothing unusual."""
    classes = {c for kind in KINDS for c in vars(kind).values() if inspect.isclass(c)}
    for cls in sorted(classes, key=lambda c: c.__name__):
        needed = [
            parameter.name
            for parameter in inspect.signature(cls).parameters.values()
            if parameter.default is parameter.empty
            and parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        ]
        try:
            thing = cls(**{name: ARGUMENTS.get(name, 2) for name in needed})
            yield serialized(thing)
        except Exception:  # abstract, or asks for what is not in ARGUMENTS
            continue


def test_everything_in_keras_comes_back_from_what_is_not_default():
    wholes = list(some_of_everything())
    assert len(wholes) > 200
    for whole in wholes:
        short = model_files._without_defaults(whole)
        returned = keras.saving.deserialize_keras_object(json.loads(json.dumps(short)))
        assert serialized(returned) == whole


# Its argument `input_axes` is what Keras 3.13 refused in every reference model.
@pytest.mark.parametrize("path", REFERENCE, ids=lambda path: path.stem)
def test_reference_model_names_no_argument_at_its_default(path, tmp_path):
    copy = tmp_path / path.name
    copy.write_bytes(path.read_bytes())
    leave_out_defaults(copy)
    assert members(copy) == members(path), "saved otherwise than by save_model"


def test_older_keras_reads_what_is_saved(own, monkeypatch):
    save_model(small_model(), "model")
    small_model().save(own / "by_keras.keras")
    initialise = keras.initializers.GlorotUniform.__init__
    # As in a Keras whose GlorotUniform has no argument yet.
    monkeypatch.setattr(keras.initializers.GlorotUniform, "__init__", lambda self: initialise(self))
    load_model("model")
    assert "unexpected keyword argument 'seed'" in refusal("by_keras")


# --- What cannot be read ------------------------------------------------------------


def newer(contents):
    metadata = {**json.loads(contents["metadata.json"]), "keras_version": "99.1.0"}
    return {**contents, "metadata.json": json.dumps(metadata)}


def unknown_argument(contents):
    config = json.loads(contents["config.json"])
    config["config"]["layers"][-1]["config"]["later_argument"] = None
    return {**contents, "config.json": json.dumps(config)}


def small_model(*layers, **compiled):
    model = keras.Sequential([keras.Input((2,)), *layers, keras.layers.Dense(1)])
    model.compile(**compiled)
    return model


def refusal(name, **options):
    with pytest.raises(ValueError, match=f"{name}.keras ") as caught:
        load_model(name, **options)
    return str(caught.value)


def test_file_from_a_newer_keras(own):
    save_model(small_model(), "model")
    contents = members(own / "model.keras")
    write(own / "model.keras", newer(contents))
    load_model("model")  # a newer version alone is no reason to refuse
    write(own / "model.keras", newer(unknown_argument(contents)))
    said = refusal("model")
    assert said.startswith(
        f"fit_outputs/model.keras was saved by Keras 99.1.0; this is Keras {keras.__version__}, "
        'which is older and cannot read it. Run %pip install "keras>=99.1.0" and restart'
    )
    assert "later_argument" in said
    assert "elete" not in said


def test_keras_older_than_the_oldest_that_can_read(own, monkeypatch):
    save_model(small_model(), "model")
    write(own / "model.keras", newer(unknown_argument(members(own / "model.keras"))))
    monkeypatch.setattr(keras, "__version__", "3.6.0")
    assert f'%pip install "keras>={model_files.OLDEST_KERAS}"' in refusal("model")


def test_file_that_is_whole_and_unreadable(own):
    save_model(small_model(), "model")
    write(own / "model.keras", unknown_argument(members(own / "model.keras")))
    said = refusal("model")
    assert f"is whole, but Keras {keras.__version__} cannot read it. Keras says: " in said
    assert "later_argument" in said


@pytest.mark.parametrize("member", ["config.json", "metadata.json", "model.weights.h5"])
@pytest.mark.parametrize("folder", ["own", "reference"])
def test_missing_member(member, folder, own):
    save_model(small_model(), "model")
    path = own.parent / folder / "model.keras"
    contents = members(own / "model.keras")
    (own / "model.keras").unlink()
    del contents[member]
    write(path, contents)
    if member != "metadata.json":  # Keras does not read it
        assert "is damaged" in refusal("model")


@pytest.mark.parametrize("damage", [lambda b: b[:-100], lambda b: b"", lambda b: b"<html>\n"])
def test_git_has_the_reference(damage, own):
    reference = own.parent / "reference" / "model.keras"
    small_model().save(reference)
    reference.write_bytes(damage(reference.read_bytes()))
    said = refusal("model")
    assert "fit_outputs/reference/model.keras is damaged and cannot be read" in said
    assert said.endswith("git checkout -- fit_outputs/reference/model.keras")
    assert "elete" not in said


def test_one_wrong_byte_in_the_weights(own):
    save_model(small_model(), "model")
    content = bytearray((own / "model.keras").read_bytes())
    content[content.index(b"\x89HDF") + 3000] ^= 1
    (own / "model.keras").write_bytes(content)
    assert "is damaged and cannot be read (BadZipFile). Delete it" in refusal("model")


def own_loss(y_true, y_pred):
    return keras.ops.mean(keras.ops.abs(y_true - y_pred))


def test_own_code_is_asked_for_and_passed_on():
    save_model(small_model(Scaled(3.0), loss=own_loss, metrics=[own_loss, "mse"]), "model")
    ours = {"Scaled": Scaled, "own_loss": own_loss}
    said = refusal("model")
    assert "needs code of your own, which is not in the file: Scaled, own_loss. " in said
    call = "load_model('model', custom_objects={'Scaled': Scaled, 'own_loss': own_loss})"
    assert call in said
    assert eval(call, {"load_model": load_model, **ours}).layers[0].factor == 3.0
    some = refusal("model", custom_objects={"Scaled": Scaled})
    assert "not in the file: own_loss. " in some


def test_registered_code_is_asked_for_by_its_registered_name(monkeypatch):
    register = keras.saving.register_keras_serializable("mine")
    save_model(small_model(register(type("Doubled", (Scaled,), {}))()), "model")
    load_model("model")
    monkeypatch.setattr(keras.saving, "get_registered_object", lambda name: None)
    keras.saving.get_custom_objects().pop("mine>Doubled")
    assert "custom_objects={'mine>Doubled': Doubled}" in refusal("model")


def test_code_that_fails_is_not_called_missing():
    save_model(small_model(Scaled()), "model")
    said = refusal("model", custom_objects={"Scaled": lambda **options: 1 / 0})
    assert "is whole, but Keras" in said


def test_code_in_the_file_is_not_run():
    save_model(small_model(keras.layers.Lambda(lambda x: 2 * x)), "model")
    said = refusal("model")
    assert "holds Python code, such as a lambda" in said
    assert "keras.config.enable_unsafe_deserialization()" in said
    assert "elete" not in said
