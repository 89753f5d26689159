"""The epochs of a training, as callbacks see them, whatever computes them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras

from src.engine.per_class import named

Results = tuple[Mapping[str, Any], Sequence[float]]
"""By name, as Keras's metrics give them, and the F1 of each class."""


def run_epochs(
    model: keras.Model,
    callbacks: Sequence[keras.callbacks.Callback],
    train: Callable[[int], Results],
    validate: Callable[[], Results],
    *,
    steps: int,
    first_epoch: int,
    epochs: int,
) -> None:
    """What ``model.fit`` does with a validation split, but for batch hooks.

    Args:
        model: given to the callbacks.
        callbacks: Keras callbacks.
        train: computes an epoch, counted from 0.
        validate: computes the validation split after it.
        steps: in an epoch, for callbacks that ask.
        first_epoch: counted from 0.
        epochs: where training ends, unless a callback stops it before.
    """
    chain = keras.callbacks.CallbackList(
        list(callbacks), model=model, epochs=epochs, steps=steps, verbose=0
    )
    model.stop_training = False
    chain.on_train_begin()

    def tell(hook: str, *arguments: Any) -> None:
        """Not by ``chain``, which looks at every number again whether it is one."""
        for callback in chain.callbacks:
            getattr(callback, hook)(*arguments)

    logs: dict[str, float] = {}
    for epoch in range(first_epoch, epochs):
        tell("on_epoch_begin", epoch, {})
        results, f1 = train(epoch)
        tell("on_test_begin", {})
        val_results, val_f1 = validate()
        of_validation = _numbers(val_results)
        tell("on_test_end", of_validation)
        prefixed = {f"val_{name}": value for name, value in of_validation.items()}
        logs = _numbers({**results, **prefixed}) | named(f1) | named(val_f1, "val_")
        tell("on_epoch_end", epoch, logs)
        if model.stop_training:
            break
    model.optimizer.finalize_variable_values(model.trainable_weights)
    chain.on_train_end(logs)


def _numbers(results: Mapping[str, Any]) -> dict[str, float]:
    """Results as Keras hands them to callbacks: flat, sorted by name."""
    flat: dict[str, float] = {}
    for name, value in sorted(results.items()):
        flat |= _numbers(value) if isinstance(value, Mapping) else {name: float(value)}
    return flat
