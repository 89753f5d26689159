"""Lets go of the graphs of a training that is over, so that a long sweep does not grow."""


def release_graphs() -> None:
    """Forgets the gradients that TensorFlow registered while it traced.

    Each operation with a gradient of its own, Keras's among them, adds a function to a registry of
    the process when it is traced, and nothing takes it out again: it holds the whole graph of the
    training step, 2.4 MiB for a small MLP. Nothing asks for them once the model's step is not
    traced any more. The registry is no public interface: without it nothing is done.
    """
    from tensorflow.python.framework import ops

    registry = getattr(getattr(ops, "gradient_registry", None), "_registry", None)
    if isinstance(registry, dict):
        for name in [name for name in registry if name.startswith("CustomGradient-")]:
            del registry[name]
