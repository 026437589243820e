"""Muon: an optimizer that takes every filter bank of a convolution as one matrix.

Section "An optimizer of your own" of notebook 12 explains it; `train_best.py` trains with it.
Keras's own `keras.optimizers.Muon` treats weights with two axes only and leaves the filters of
convolutions, which have four, to Adam.

Source: Keller Jordan, Muon: An optimizer for hidden layers in neural networks, 2024,
https://kellerjordan.github.io/posts/muon/
"""

import keras
from keras import ops

COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def orthogonalise(matrix, steps=3):
    """Bring the singular values of a matrix near 1 and keep its singular vectors.

    Each Newton-Schulz step turns a singular value s into `a s + b s³ + c s⁵`: it multiplies
    small ones by 3.4, and keeps those that have come above 0.25 between 0.68 and 1.21.

    Args:
        matrix: floats of shape `(m, n)`, not all zero.
        steps: number of steps.

    Returns:
        A matrix of the same shape and dtype.
    """
    a, b, c = COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    x = ops.transpose(matrix) if tall else matrix
    x = x / (ops.sqrt(ops.sum(ops.square(x))) + 1e-7)  # no singular value above 1
    for _ in range(steps):
        square = x @ ops.transpose(x)
        x = a * x + (b * square + c * square @ square) @ x
    return ops.transpose(x) if tall else x


@keras.saving.register_keras_serializable(package="muon")
class Muon(keras.optimizers.Optimizer):
    """Muon for the filters of convolutions, SGD with Nesterov momentum for all other weights.

    Before each step a filter bank is scaled to length √filters, so that a rate means the same
    angle from the first step to the last.

    Args:
        learning_rate: of the filters: a number or a schedule.
        momentum: of the filters' gradients, from 0 to 1.
        rest: the rate of all other weights, in multiples of `learning_rate`.
        rest_momentum: their momentum.
        **options: as for every Keras optimizer, `weight_decay` among them. The scaling
            undoes the decay of filters: it acts on the other weights only.
    """

    def __init__(
        self, learning_rate=0.24, momentum=0.6, rest=1.0, rest_momentum=0.85, name="muon", **options
    ):
        super().__init__(learning_rate=learning_rate, name=name, **options)
        self.momentum, self.rest, self.rest_momentum = momentum, rest, rest_momentum

    def build(self, variables):
        if not self.built:
            super().build(variables)
            self.velocities = self.add_optimizer_variables(variables, "velocity")

    def update_step(self, gradient, variable, learning_rate):
        velocity = self.velocities[self._get_variable_index(variable)]
        filters = len(variable.shape) == 4
        momentum = self.momentum if filters else self.rest_momentum
        self.assign(velocity, momentum * velocity + gradient)
        step = gradient + momentum * velocity  # Nesterov: the velocity after the next step
        rate = ops.cast(learning_rate, variable.dtype)
        if not filters:
            self.assign_sub(variable, self.rest * rate * step)
            return
        count = variable.shape[-1]
        step = ops.reshape(orthogonalise(ops.reshape(step, (-1, count))), variable.shape)
        length = ops.sqrt(ops.sum(ops.square(variable)))
        self.assign(variable, variable * (count**0.5 / length) - rate * step)

    def get_config(self):
        own = {"momentum": self.momentum, "rest": self.rest, "rest_momentum": self.rest_momentum}
        return super().get_config() | own
