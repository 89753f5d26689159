"""A mistake in the config gives one message: the key, and what is legal there."""

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from src.config.check import check
from src.config.register import register
from src.entry import message
from src.errors import UserError
from src.sweeps.composer import Composer
from tests.conftest import ROOT

MISTAKES = [
    # a key that is not there
    ("loss.gama=2", "loss.gama", "alpha, fn. Did you mean 'gamma'?"),
    ("data.spilt=kfold", "data.spilt", "Did you mean 'split'?"),
    ("optimizer=adam", "optimizer", "training"),
    ("model.filters=[3]", "model.filters", "hidden"),
    ("data=table data.path=a.csv data.n_samples=5", "data.n_samples", "label"),
    # a value of the wrong type
    ("training.batch_size=x", "training.batch_size=x", "must be a valid integer, or auto"),
    ("training.epochs=2.5", "training.epochs=2.5", "must be a valid integer, or auto"),
    ("training.epochs=null", "training.epochs=None", "must be a valid integer, or auto"),
    ("seed=1.5", "seed=1.5", "integer"),
    ("tracking.enabled=maybe", "tracking.enabled", "bool"),
    ("training.optimizer=null", "training.optimizer", "not Optional"),
    ("metric.metrics=null", "metric.metrics", "not Optional"),
    # a value out of range
    ("loss.gamma=-1", "loss.gamma=-1", "greater than or equal to 0"),
    ("loss.gamma=nan", "loss.gamma=nan", "finite"),
    ("loss.gamma=inf", "loss.gamma=inf", "finite"),
    ("loss.alpha=-1", "loss.alpha=-1", "one positive number per class"),
    ("loss.alpha=0", "loss.alpha=0", "one positive number per class"),
    ("loss.alpha=abc", "loss.alpha=abc", "one positive number per class"),
    ("loss.alpha=[0.2,-1]", "loss.alpha=[0.2, -1]", "one positive number per class"),
    ("loss.alpha=[]", "loss.alpha=[]", "one positive number per class"),
    ("loss=class_balanced_focal loss.beta=1", "loss.beta=1.0", "less than 1"),
    ("loss=logit_adjusted loss.tau=-1", "loss.tau=-1", "greater than or equal to 0"),
    ("loss=ldam loss.max_margin=0", "loss.max_margin=0", "greater than 0"),
    ("loss=asymmetric loss.margin=1", "loss.margin=1", "less than 1"),
    ("loss=ldam_drw loss.defer=1", "loss.defer=1", "less than 1"),
    ("loss=gce loss.q=0", "loss.q=0", "greater than 0"),
    ("loss=poly loss.epsilon=-2", "loss.epsilon=-2", "greater than or equal to -1"),
    ("loss=focal loss.alpha=automatic", "loss.alpha=automatic", "auto (by inverse frequency)"),
    ("training.epochs=0", "training.epochs=0", "greater than or equal to 1"),
    ("training.patience=0", "training.patience=0", "greater than or equal to 1"),
    ("training.threads=0", "training.threads=0", "greater than or equal to 1, or auto"),
    ("training.onednn=maybe", "training.onednn", "bool"),
    ("training.replicas=0", "training.replicas=0", "greater than or equal to 1"),
    ("training.learning_rate=0", "training.learning_rate=0", "greater than 0"),
    ("training.epochs=true", "training.epochs=true:", "valid integer, or auto"),
    ("training.learning_rate=inf", "training.learning_rate=inf", "finite"),
    ("model.dropout=1", "model.dropout=1", "less than 1"),
    ("model.clip_norm=0", "model.clip_norm", "greater than 0"),
    ("model.hidden=[0]", "model.hidden=[0]: [0] must be", "greater than or equal to 1, or auto"),
    ("model=cosine model.scale=0", "model.scale=0", "greater than 0"),
    ("model=cnn model.augmentation.shift=2", "model.augmentation.shift=2.0", "less than 1"),
    ("model=resnet model.augmentation.flop=1", "model.augmentation.flop", "flip, shift, contrast"),
    ("model=resnet model.depth=21", "model.depth=21", "6n + 2"),
    ("model=pretrained model.resize=[9]", "model.resize=[9]", "[height, width]"),
    ("model=cnn model.filters=[8,0]", "model.filters.1=0", "greater than or equal to 1"),
    ("data.minority_fraction=2", "data.minority_fraction=2", "less than 1"),
    ("data.n_classes=1", "data.n_classes=1", "greater than or equal to 2"),
    ("data.hard_fraction=1.1", "data.hard_fraction=1.1", "less than 1"),
    ("data.hard_fraction=0", "data.hard_fraction=0.0", "greater than 0"),
    ("data=classification data.class_sep=0", "data.class_sep=0", "greater than 0"),
    ("data=classification data.problem=-1", "data.problem=-1", "greater than or equal to 0"),
    ("data=digits data.seeds_per_split=0", "data.seeds_per_split=0", "greater than or equal to 1"),
    ("data=table data.path=t.csv data.duplicates=merge", "data.duplicates=merge", "group, drop"),
    ("data=classification data.flip_y=1.1", "data.flip_y=1.1", "less than or equal to 1"),
    ("data=digits data.imbalance_ratio=0.5", "data.imbalance_ratio=0.5", "equal to 1"),
    ("data=fashion_mnist data.max_train=0", "data.max_train", "greater than or equal to 1"),
    ("seed=-1", "seed=-1", "from 0 to 4294967295"),
    ("seed=4294967296", "seed=4294967296", "from 0 to 4294967295"),
    ("training.seed=-1", "training.seed=-1", "greater than or equal to 0"),
    # a value beyond all sense
    ("training.threads=1000000000", "training.threads", "less than or equal to 1024"),
    ("training.replicas=1000000000", "training.replicas", "less than or equal to 1024"),
    ("training.epochs=1000000000000", "training.epochs", "less than or equal to 1000000, or auto"),
    ("training.batch_size=1e18", "training.batch_size", "valid integer, or auto"),
    ("training.batch_size=10000000000", "training.batch_size", "less than or equal to 1000000"),
    ("training.steps_per_execution=99999999999999999999", "training.steps_per_execution", "less"),
    ("model.hidden=[1000000000]", "model.hidden", "[0] must be less than or equal to 16384"),
    ("model=cnn model.dense=1000000000", "model.dense", "less than or equal to 16384"),
    ("model=cnn model.filters=[16,99999]", "model.filters.1=99999", "less than or equal to 16384"),
    ("data.n_samples=10000000000", "data.n_samples", "less than or equal to 100000000"),
    ("data.n_samples=100000000 data.n_features=99", "data.n_features=99", "at most 500000000"),
    ("data.n_classes=1000000", "data.n_classes", "less than or equal to 10000"),
    ("tracking=none compare=true", "compare=true:", "leave out tracking=none"),
    # a word that is none of the choices
    ("training.precision=float8", "training.precision=float8", "float32, mixed_float16"),
    ("training.distribute=multi_worker", "training.distribute=multi_worker", "none, mirrored"),
    ("training.stack=10", "training.stack", "not in"),
    ("training.mode=best", "training.mode=best", "max, min"),
    ("data=table data.path=a data.missing=drop", "data.missing=drop", "impute, refuse"),
    ("data=digits data.profile=steps", "data.profile=steps", "none, step, longtail"),
    # a choice that the group does not have
    ("loss=focl", "loss/focl", "focal"),
    ("metric=f1", "metric/f1", "f1_macro"),
    ("model=mpl", "model/mpl", "mlp"),
    ("data=simulate", "data/simulate", "simulated"),
    ("training.tensorboard=yess", "training.tensorboard", "bool"),
    ("compare=maybe", "compare=maybe", "true, false or auto"),
    ("tracking=mlfow", "tracking/mlfow", "mlflow"),
    ("+experiment=homwork", "experiment/homwork", "homework"),
    # an estimator
    ("estimator=forest", "estimator/forest", "random_forest"),
    ("estimator=majority estimator.class_weight=balanced", "class_weight", "name"),
    ("estimator=random_forest estimator.class_weight=heavy", "class_weight=heavy", "or balanced"),
    ("estimator=random_forest estimator.n_jobs=2", "estimator.n_jobs", "min_samples_leaf"),
    ("estimator=logistic_regression estimator.C=0", "estimator.C=0", "greater than 0"),
    ("estimator=rus_boost data=digits", "data=digits are images", "random_forest"),
    ("references=tabel", "references/tabel", "image"),
    # something that is missing
    ("data=table data.path=''", "data.path", "must name a file"),
    ("data=table data.path=a data.label=''", "data.label", "name or its index"),
    ("loss.fn._target_=focal", "loss.fn", "_target_"),
    ("training.optimizer._target_=null", "training.optimizer", "_target_"),
    ("metric.metrics.f1_macro=3", "metric.metrics.f1_macro=3", "_target_"),
    ("metric.metrics.f1_macro._target_=''", "metric.metrics.f1_macro", "_target_"),
    ("~metric.metrics.f1_macro", "metric.metrics", "at least one metric"),
    ("data=table data.path=t.csv data.drop=id", "data.drop", "a list, such as 'data.drop=[id]'"),
    # words that are no override at all
    ("loss", "loss", "missing EQUAL"),
    ("training.epochs=${trainin.epochs}", "training.epochs", "trainin"),
]


@pytest.fixture(scope="module")
def check_job():
    """Checks the job of some words as a sweep does, which composes in a tenth of Hydra's time."""
    register()
    with initialize_config_dir(version_base="1.3", config_dir=str(ROOT / "conf")):
        master = compose("config", ["hydra.job.config_name=config"], return_hydra_config=True)
        jobs = Composer(GlobalHydra.instance().config_loader(), master)
    return lambda words: jobs.checked(jobs.job(0, words))


@pytest.mark.parametrize(("words", "key", "legal"), MISTAKES, ids=[words for words, *_ in MISTAKES])
def test_a_mistake_names_the_key_and_what_is_legal(check_job, words, key, legal):
    with pytest.raises((UserError, HydraException, OmegaConfBaseException)) as caught:
        check_job(words.split())
    said = message(caught.value)
    assert key in said
    assert legal in said
    assert "Traceback" not in said


def test_every_mistake_in_a_config_is_named_at_once(composer):
    with pytest.raises(UserError) as caught:
        check(composer("loss.gamma=-1", "training.epochs=0", "model.dropout=1"))
    lines = message(caught.value).splitlines()
    assert len(lines) == 3
    for key in ("loss.gamma", "training.epochs", "model.dropout"):
        assert any(line.startswith(key) for line in lines)


WHOLE = {
    "model.hidden=[0,-1]": "model.hidden=[0, -1]: [0] must be greater than or equal to 1, or auto",
    "model=cnn model.filters=[0,8,-1]": "model.filters.0=0: must be greater than or equal to 1\n"
    "model.filters.2=-1: must be greater than or equal to 1",
    "training.learning_rate=-inf": "training.learning_rate=-inf: must be a finite number",
    "training.mode=best": "training.mode=best: must be one of max, min",
    "model.dropout='0.5'": "model.dropout=0.5: must be a valid number, or auto",
    "seed=-1": "seed=-1: must be an integer from 0 to 4294967295",
    "seed=auto": "seed=auto: must be an integer from 0 to 4294967295; "
    "auto is for sweeps, behind -m",
    "~loss": "loss: is missing; type loss=VALUE",
    "data=table": "data.path: is missing; type data.path=VALUE, which must name a file: CSV, TSV, "
    "Parquet or NPZ",
    "data=image_arrays": "data.path: is missing; type data.path=VALUE, which must name a file: "
    "NPZ, with the arrays x and y, or x_train, y_train, ...",
    "data=image_folder": "data.root: is missing; type data.root=VALUE, which must name a folder of "
    "pictures, with a folder for each class",
    "data=keel": "data.name: is missing; type data.name=VALUE, which must name a set: "
    "python -m src.fetch keel --list shows them",
    "~compare ~force": "force: is missing\ncompare: is missing",
}


@pytest.mark.parametrize("words", WHOLE)
def test_the_whole_message(composer, words):
    with pytest.raises(UserError) as caught:
        check(composer(*words.split()))
    assert message(caught.value) == WHOLE[words]


def test_a_good_config_comes_back_resolved_with_hydras_node_or_without(composer):
    words = ("loss=focal", "model=cnn", "seed=3")
    plain = OmegaConf.to_container(composer(*words), resolve=True)
    assert check(composer(*words)) == plain
    assert check(composer(*words, return_hydra_config=True)) == plain


@pytest.mark.parametrize("word", ["loss.alpha=[0.2,0.8]", "loss.alpha=1", "loss.alpha=null"])
def test_alpha_is_one_number_a_number_a_class_or_none(check_job, word):
    check_job(["loss=focal", word])
