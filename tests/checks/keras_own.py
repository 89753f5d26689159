"""Keras's own losses, metrics and layers: how each is made, and which check it fails and why."""

import inspect
import re
import sys
from pathlib import Path

import keras

_LAYERS = keras.layers
IMAGE = (8, 8, 3)

LOSSES = {"Dice": {"axis": -1}, "Tversky": {"axis": -1}}
METRICS = {
    "F1Score": {"average": "macro"},
    "FBetaScore": {"average": "macro"},
    "IoU": {"num_classes": 2, "target_class_ids": [0]},
    "MeanIoU": {"num_classes": 2},
    "OneHotIoU": {"num_classes": 3, "target_class_ids": [0]},
    "PrecisionAtRecall": {"recall": 0.5},
    "RecallAtPrecision": {"precision": 0.5},
    "SensitivityAtSpecificity": {"specificity": 0.5},
    "SpecificityAtSensitivity": {"sensitivity": 0.5},
    "SparseTopKCategoricalAccuracy": {"k": 2},
    "TopKCategoricalAccuracy": {"k": 2},
}
_CONV = {"filters": 2, "kernel_size": 2}
_FACTOR = {"factor": 0.3}
_SIZE = {"height": 4, "width": 4}
# Arguments other than those that the checks guess.
LAYERS = {
    "Activation": {"activation": "relu"},
    **{
        f"Adaptive{how}Pooling{d}D": {"output_size": 2}
        for how in ("Average", "Max")
        for d in (1, 2, 3)
    },
    **{f"AveragePooling{d}D": {"pool_size": 2} for d in (1, 2, 3)},
    **dict.fromkeys((f"{name}{d}D" for name in ("Conv", "ConvLSTM") for d in (1, 2, 3)), _CONV),
    **dict.fromkeys((f"Conv{d}DTranspose" for d in (1, 2, 3)), _CONV),
    **dict.fromkeys(("SeparableConv1D", "SeparableConv2D"), _CONV),
    **{key: {"kernel_size": 2} for key in ("DepthwiseConv1D", "DepthwiseConv2D")},
    **{key: {"units": 2} for key in ("GRU", "LSTM", "SimpleRNN")},
    **dict.fromkeys(("CenterCrop", "RandomCrop", "Resizing"), _SIZE),
    **dict.fromkeys(
        (
            *("RandomBrightness", "RandomColorDegeneration", "RandomContrast", "RandomHue"),
            *("RandomRotation", "RandomSaturation", "RandomSharpness"),
        ),
        _FACTOR,
    ),
    "Bidirectional": lambda: _LAYERS.Bidirectional(_LAYERS.SimpleRNN(2)),
    "CategoryEncoding": {"num_tokens": 4},
    "Discretization": {"bin_boundaries": [0.3, 0.6]},
    "Dot": {"axes": 1},
    "EinsumDense": {"equation": "ab,bc->ac", "output_shape": 4},
    "Embedding": {"input_dim": 5, "output_dim": 3},
    "GaussianNoise": {"stddev": 0.3},
    "GroupNormalization": {"groups": 3},
    "GroupQueryAttention": {"head_dim": 4, "num_query_heads": 2, "num_key_value_heads": 2},
    "Hashing": {"num_bins": 5},
    "IntegerLookup": {"vocabulary": [0, 1, 2, 3]},
    "MelSpectrogram": {"fft_length": 32, "num_mel_bins": 4, "sampling_rate": 64, "max_freq": 32},
    "MultiHeadAttention": {"num_heads": 2, "key_dim": 3},
    "Normalization": {"mean": 0.5, "variance": 0.1},
    "Permute": {"dims": (1,)},
    "Pipeline": lambda: _LAYERS.Pipeline([_LAYERS.Rescaling(0.5)]),
    "RNN": lambda: _LAYERS.RNN(_LAYERS.SimpleRNNCell(2)),
    "RandomPosterization": {"factor": 4},
    "RandomTranslation": {"height_factor": 0.3, "width_factor": 0.3},
    "RandomZoom": {"height_factor": 0.3},
    "RepeatVector": {"n": 2},
    "Rescaling": {"scale": 0.5},
    "Reshape": {"target_shape": (3, 2)},
    "ReversibleEmbedding": {"input_dim": 5, "output_dim": 3},
    "STFTSpectrogram": {"frame_length": 16, "fft_length": 16},
    "SpectralNormalization": lambda: _LAYERS.SpectralNormalization(_LAYERS.Dense(3)),
    "StringLookup": {"vocabulary": ["one", "two"]},
    "TextVectorization": {"vocabulary": ["one", "two"]},
    "TimeDistributed": lambda: _LAYERS.TimeDistributed(_LAYERS.Dense(3)),
}
_ON_IMAGES = (
    *("AugMix", "AutoContrast", "CenterCrop", "ContrastLimitedAdaptiveHistogramEqualization"),
    *("CutMix", "Equalization", "MixUp", "RandAugment", "Resizing", "Solarization"),
    *("AdaptiveAveragePooling2D", "AdaptiveMaxPooling2D"),
)
SHAPES = {
    **dict.fromkeys(_ON_IMAGES, IMAGE),
    **dict.fromkeys(("AdaptiveAveragePooling3D", "AdaptiveMaxPooling3D"), (4, 4, 4, 2)),
    **dict.fromkeys(("GRU", "LSTM", "SimpleRNN", "Bidirectional", "RNN"), (3, 2)),
    **dict.fromkeys(("MelSpectrogram",), (128,)),
    **dict.fromkeys(("STFTSpectrogram",), (64, 1)),
    "ConvLSTM1D": (2, 4, 2),
    "ConvLSTM2D": (2, 4, 4, 2),
    "ConvLSTM3D": (2, 3, 3, 3, 2),
}
# What is no component by itself, or needs what is not here.
NOT_APPLICABLE = {
    "Layer": "the base class",
    "Loss": "the base class",
    "Metric": "the base class",
    "MeanMetricWrapper": "a base class: needs a function",
    "Wrapper": "a base class: its call raises NotImplementedError",
    "GRUCell": "takes a state beside its input: RNN(GRUCell(2)) is the layer",
    "LSTMCell": "takes a state beside its input",
    "SimpleRNNCell": "takes a state beside its input",
    "StackedRNNCells": "takes a state beside its input",
    "CTC": "takes sequences of labels and of frames",
    "Lambda": "needs a function, and refuses to load one",
    "HashedCrossing": "takes two columns of integers or texts",
    "MaxNumBoundingBoxes": "takes bounding boxes",
    "InputLayer": "is called by nobody",
    "TFSMLayer": "needs a SavedModel",
    "TorchModuleWrapper": "needs torch",
    "FlaxLayer": "needs flax",
    "JaxLayer": "needs jax",
    "FeatureSpace": "is adapted to a table",
}
"""Reasons by name."""


KINDS = {
    "loss": (keras.losses, keras.losses.Loss, LOSSES),
    "metric": (keras.metrics, keras.metrics.Metric, METRICS),
    "layer": (keras.layers, keras.layers.Layer, LAYERS),
}
"""The module of each kind, its base class, and the arguments of its classes."""


def classes(module, base, _arguments=None):
    """Each class of a module once, by its first name."""
    found = {}
    for name in dir(module):
        value = getattr(module, name)
        if inspect.isclass(value) and issubclass(value, base) and value not in found.values():
            found[name] = value
    return found


def own(kind):
    """Those of a kind to which the checks apply: name, what to check, arguments, input shape."""
    *where, table = KINDS[kind]
    for name, value in classes(*where).items():
        if name not in NOT_APPLICABLE:
            given = table.get(name, {})
            shape = IMAGE if name.startswith("Random") else SHAPES.get(name)
            yield name, given if callable(given) else value, {} if callable(given) else given, shape


# Which checks Keras's own components fail, by kind; the reason stands above them.
EXCEPTIONS: dict[str, dict[str, set[str]]] = {
    "loss": {
        # The derivative of p^q at p = 0 is infinite, and it does not clip p.
        "CategoricalGeneralizedCrossEntropy": {"finite_when_saturated"},
        # It compares the embeddings of a batch with each other, and takes no predictions.
        "Circle": {"right_predictions_cost_less", "batch_does_not_change_a_sample"},
        # Keras 3.15 leaves axis, or delta, out of get_config: a copy has the default.
        "CosineSimilarity": {"config_round_trips"},
        "SparseCategoricalCrossentropy": {"config_round_trips"},
        "Huber": {"config_round_trips"},
        # They divide by labels of 0, or by an epsilon of 1e-7: beyond float16.
        "KLDivergence": {"works_in_float16"},
        "MeanAbsolutePercentageError": {"works_in_float16"},
    },
    "metric": {
        # Keras 3.15 leaves axis out of get_config: a copy has the default.
        "CosineSimilarity": {"config_round_trips"},
        # It divides by labels of 0, or by its epsilon: beyond float16.
        "MeanAbsolutePercentageError": {"takes_float16_predictions"},
        # TensorFlow's in_top_k takes no float16.
        "SparseTopKCategoricalAccuracy": {"takes_float16_predictions"},
        "TopKCategoricalAccuracy": {"takes_float16_predictions"},
    },
    "layer": {
        # A blank image has no contrast to stretch: the gradient of that is 0/0.
        "AugMix": {"no_nan_at_the_edge"},
        "AutoContrast": {"no_nan_at_the_edge"},
        "RandAugment": {"no_nan_at_the_edge"},
        # TensorFlow has no float16 kernel for them on a CPU.
        "AdaptiveAveragePooling3D": {"follows_the_dtype_policy"},
        "AdaptiveMaxPooling3D": {"follows_the_dtype_policy"},
        "AveragePooling3D": {"follows_the_dtype_policy"},
        "MaxPool3D": {"follows_the_dtype_policy"},
        # Keras 3.15 leaves sparse out of get_config: a copy has the default.
        "CategoryEncoding": {"config_round_trips"},
        # It returns its very input at inference: Keras 3.15 cannot put it into a model.
        "Equalization": {
            "takes_any_batch_size",
            "saves_and_loads",
            "loads_without_custom_objects",
        },
        # It mixes a float32 constant with float64.
        "MelSpectrogram": {"follows_the_dtype_policy"},
        # XLA has no random gamma.
        "MixUp": {"runs_under_jit_compile"},
        # Keras 3.15 leaves images uncropped at inference, against its documentation.
        "RandomCrop": {"compute_output_shape_is_right"},
        # get_config gives a range that the constructor refuses where it has one end.
        "RandomShear": {"config_round_trips"},
        # Its mask has the shape of the input, not that of the steps.
        "Softmax": {"masks_are_handed_on"},
    },
}


def failures(kind, one_per_parent=False):
    """Names of the checks that Keras's own fail, by component; those that pass are left out.

    Of classes that share a parent, such as the poolings, `one_per_parent` takes the first and each
    that has a reason to fail; of the sizes of one layer (1D, 2D, 3D) the first likewise.
    """
    from src.checks import check_component

    found, seen = {}, set()
    module, base, _ = KINDS[kind]
    for name, value, arguments, shape in own(kind):
        parent = getattr(module, name).__base__
        family = re.sub(r"[123]D", "", name) if parent is base else parent
        if one_per_parent and family in seen and name not in EXCEPTIONS[kind]:
            continue
        seen.add(family)
        failed = check_component(value, kind, arguments, input_shape=shape).failed
        if failed:
            found[name] = set(failed)
    return found


def main():
    """Checks all of Keras's own; exit status 1 where other checks fail than are explained."""
    right = True
    for kind in KINDS:
        found, explained = failures(kind), EXCEPTIONS[kind]
        total = len(list(own(kind)))
        print(f"{kind}: {total - len(found)} of {total} pass")
        for name in found.keys() | explained.keys():
            if found.get(name) != explained.get(name):
                print(f"  {name} fails {found.get(name)}, explained are {explained.get(name)}")
                right = False
    return 0 if right else 1


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
    raise SystemExit(main())
