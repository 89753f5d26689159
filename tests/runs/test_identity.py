"""What makes an experiment another one, and what does not."""

import copy

import pytest

from src.engine.build import load_dataset
from src.runs.identity import config_identity, run_identity, setting_identity
from src.runs.labels import short_label
from src.runs.metadata import describe_run

FOCAL = ("loss=focal", "model=cosine", "metric=imbalance", "model.clip_norm=1")
SMALL = ("data.n_samples=200", "data.minority_fraction=0.3")
NO_MATTER = {
    "force",
    "resume",
    "loss.name",
    "model.name",
    "metric.name",
    "sampling.name",
    "training.progress",
    "training.tensorboard",
    "compare",
}
"""Keys that change no number, as all of ``tracking``, ``tuning``, ``references``, ``report``."""


@pytest.fixture(scope="module")
def dataset(resolved):
    return load_dataset(resolved(*SMALL)["data"])


def leaves(node, path=()):
    """Every key of a config, as the path to its value."""
    for key, value in node.items():
        if isinstance(value, dict):
            yield from leaves(value, (*path, key))
        else:
            yield (*path, key)


def other(value):
    """Another value of the same kind."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, list):
        return [*value, 1]
    return 1 if value is None else f"{value}x"


def changed(config, path):
    config = copy.deepcopy(config)
    node = config
    for key in path[:-1]:
        node = node[key]
    node[path[-1]] = other(node[path[-1]])
    return config


def test_every_key_that_the_training_uses_makes_another_experiment(resolved, dataset):
    """Walks through the resolved config; what interpolates stands in the place that uses it."""
    config = resolved(*FOCAL, *SMALL)
    behind = {"loss.gamma", "loss.alpha", "seed", "training.learning_rate"}
    seen = set()
    for path in leaves(config):
        key = ".".join(path)
        seen.add(key)
        same = config_identity(changed(config, path)) == config_identity(config)
        if path[0] != "data":
            of_run = run_identity(changed(config, path), dataset) == run_identity(config, dataset)
            assert of_run == same, key
        beside = path[0] in {"tracking", "tuning", "references", "report"}
        assert same == (beside or key in NO_MATTER | behind), key
    assert seen >= NO_MATTER | behind | {"loss.fn.gamma", "training.epochs", "model.hidden"}


@pytest.mark.parametrize(
    "words", ["loss.gamma=1", "loss.alpha=0.5", "seed=1", "training.learning_rate=0.1"]
)
def test_a_knob_that_is_used_makes_another_experiment(resolved, words):
    assert config_identity(resolved(*FOCAL, words)) != config_identity(resolved(*FOCAL))


@pytest.mark.parametrize(
    "words",
    [
        ("loss.gamma=2",),
        ("loss.alpha=0.5",),
        ("tracking.root=elsewhere", "tracking.experiment=other", "tracking.plots=false"),
        ("tracking=none",),
        ("force=true",),
        ("training.progress=false",),
        ("loss.name=baseline",),
    ],
    ids=" ".join,
)
def test_what_cross_entropy_does_not_use_makes_no_other_experiment(resolved, dataset, words):
    before, after = resolved("loss=ce"), resolved("loss=ce", *words)
    assert config_identity(after) == config_identity(before)
    assert run_identity(after, dataset) == run_identity(before, dataset)


SAMPLINGS = ("random_over", "random_under", "smote", "smotenc", "balanced_batches")


def test_each_sampling_is_another_experiment_that_is_compared_with_none(resolved, dataset):
    plain = resolved("sampling=none")
    assert plain["sampling"] == {"name": "none"}
    words = [f"sampling={name}" for name in SAMPLINGS]
    words += [
        "sampling=smote sampling.k_neighbors=3",
        "sampling=smote sampling.sampling_strategy=1",
    ]
    configs = [plain, *(resolved(*one.split()) for one in words)]
    assert len({run_identity(config, dataset) for config in configs}) == len(configs)
    assert {setting_identity(config) for config in configs} == {setting_identity(plain)}
    before = {key: value for key, value in plain.items() if key != "sampling"}
    assert run_identity(before, dataset) == run_identity(plain, dataset)


@pytest.mark.parametrize(
    ("words", "label"),
    [
        ("loss=ce loss.gamma=2 sampling=none", "ce"),
        ("loss=focal loss.gamma=2 loss.alpha=[0.2,0.8]", "focal(gamma=2, alpha=[0.2, 0.8])"),
        ("loss=ce sampling=smote", "ce + smote"),
        ("loss=focal sampling=balanced_batches", "focal(gamma=2, alpha=0.25) + balanced_batches"),
        ("sampling=smotenc sampling.k_neighbors=3", "ce + smotenc(k_neighbors=3)"),
        (
            "sampling=random_over sampling.sampling_strategy=0.5",
            "ce + random_over(sampling_strategy=0.5)",
        ),
        ("estimator=random_forest sampling=smote", "random forest + smote"),
    ],
)
def test_the_label_names_the_knobs_in_use_what_was_sampled_and_what_is_not_as_usual(
    resolved, dataset, words, label
):
    config = resolved(*words.split(), "seed=3")
    metadata = describe_run(config, dataset)
    assert metadata.tags["loss.label"] == label
    assert metadata.name.startswith(f"{short_label(label)} · ")
    assert " + " not in metadata.tags["loss"]
    assert metadata.params["sampling.name"] == config["sampling"]["name"]
    of_samplers = {"version.imbalanced-learn", "version.scikit-learn"}
    drawn = "_target_" in config["sampling"]
    assert (of_samplers <= set(metadata.tags)) == (drawn or "estimator" in words)
    assert metadata.tags["data.fingerprint"] == dataset.fingerprint
    assert metadata.dataset["class_counts"] == list(dataset.class_counts)


def test_whole_numbers_are_the_same_with_and_without_a_point(resolved):
    config = resolved("loss=focal")
    whole, point = copy.deepcopy(config), copy.deepcopy(config)
    whole["loss"]["fn"]["gamma"], point["loss"]["fn"]["gamma"] = 2, 2.0
    assert config_identity(whole) == config_identity(point)


def test_other_data_are_another_experiment(resolved, dataset):
    more = load_dataset(resolved("data.n_samples=210", "data.minority_fraction=0.3")["data"])
    config = resolved(*FOCAL)
    assert run_identity(config, more) != run_identity(config, dataset)


def test_runs_may_be_compared_where_only_loss_and_seeds_differ(resolved):
    of_ce = setting_identity(resolved("loss=ce"))
    assert setting_identity(resolved("loss=focal", "seed=3", "data.seed=4")) == of_ce
    for words in ("training.epochs=3", "model.hidden=[8]", "data.n_samples=900"):
        assert setting_identity(resolved("loss=ce", words)) != of_ce
