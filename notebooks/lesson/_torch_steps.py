"""Let models that ask for several steps per execution run on PyTorch as well.

`steps_per_execution` changes the time of a fit and none of its numbers. With
the PyTorch backend Keras refuses every value but 1, of models loaded from a
file too; so there it is left out.
"""

import functools

import keras


def without_steps_per_execution(compile_model):
    """The method `compile`, deaf to its argument `steps_per_execution`."""

    @functools.wraps(compile_model)
    def compiled(self, *args, steps_per_execution=1, **options):
        return compile_model(self, *args, **options)

    return compiled


if keras.config.backend() == "torch":
    # In the class that defines it: where a subclass has a `compile` of its own,
    # Keras does not compile what it loads.
    _owner = next(c for c in keras.Model.__mro__ if "compile" in vars(c))
    _owner.compile = without_steps_per_execution(_owner.compile)
