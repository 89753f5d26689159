"""Builds the estimators by name and keys: those of scikit-learn and imbalanced-learn, no others.

A library is imported when an estimator of it is built, and TensorFlow never.

====================== ===========================================================================
majority               the frequencies of the classes in the training split
logistic_regression    multinomial, L2 penalty (Cox 1958)
random_forest          Breiman 2001, "Random forests"
hist_gradient_boosting Friedman 2001, "Greedy function approximation", on bins as in Ke et al. 2017
balanced_random_forest Chen, Liaw and Breiman 2004, "Using random forest to learn imbalanced data"
easy_ensemble          Liu, Wu and Zhou 2009, "Exploratory undersampling for class-imbalance
                       learning"
rus_boost              Seiffert et al. 2010, "RUSBoost: a hybrid approach to alleviating class
                       imbalance"
====================== ===========================================================================
"""

from collections.abc import Callable, Mapping
from typing import Any

from src.config.estimator_schema import FOR_PIXELS, not_for_pixels
from src.data.dataset import Dataset
from src.errors import UserError

MOST_ITERATIONS = 10_000
"""Of logistic regression; it ends long before, once its gradient is flat."""

Keys = Mapping[str, Any]


def build_estimator(node: Keys, seed: int, class_counts: tuple[int, ...]) -> Any:
    """The estimator that a resolved ``estimator`` node names, not fitted yet.

    Args:
        node: its name, and keys that it takes under the same names.
        seed: of all that is drawn at random.
        class_counts: training rows of each class.

    Returns:
        An estimator with ``fit`` and ``predict_proba``, which computes in one thread.
    """
    keys = {key: value for key, value in node.items() if key != "name"}
    return BUILDERS[node["name"]](keys, seed, min(class_counts))


def check_estimator(node: Keys, dataset: Dataset) -> None:
    """Holds an estimator against the data.

    Args:
        node: the resolved ``estimator`` node, not ``none``.
        dataset: what it would be fitted on.

    Raises:
        UserError: for images, where it makes no sense of pixels.
    """
    if len(dataset.input_shape) > 1 and node["name"] not in FOR_PIXELS:
        raise UserError(not_for_pixels(node["name"], dataset.name))


def _majority(keys: Keys, seed: int, rarest: int) -> Any:
    from sklearn.dummy import DummyClassifier

    return DummyClassifier(strategy="prior", random_state=seed, **keys)


def _logistic_regression(keys: Keys, seed: int, rarest: int) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(max_iter=MOST_ITERATIONS, random_state=seed, **keys)


def _random_forest(keys: Keys, seed: int, rarest: int) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(random_state=seed, n_jobs=1, **keys)


def _hist_gradient_boosting(keys: Keys, seed: int, rarest: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    # What it stops early by is a stratified share of the training rows, with two of each class.
    early = "auto" if rarest > 1 else False
    return HistGradientBoostingClassifier(random_state=seed, early_stopping=early, **keys)


def _balanced_random_forest(keys: Keys, seed: int, rarest: int) -> Any:
    from imblearn.ensemble import BalancedRandomForestClassifier

    return BalancedRandomForestClassifier(random_state=seed, n_jobs=1, **keys)


def _easy_ensemble(keys: Keys, seed: int, rarest: int) -> Any:
    from imblearn.ensemble import EasyEnsembleClassifier
    from sklearn.ensemble import AdaBoostClassifier

    boosted = AdaBoostClassifier(learning_rate=keys["learning_rate"])
    bags = keys["n_estimators"]
    return EasyEnsembleClassifier(bags, boosted, random_state=seed, n_jobs=1)


def _rus_boost(keys: Keys, seed: int, rarest: int) -> Any:
    from imblearn.ensemble import RUSBoostClassifier
    from sklearn.tree import DecisionTreeClassifier

    own = {key: value for key, value in keys.items() if key != "max_depth"}
    tree = DecisionTreeClassifier(max_depth=keys["max_depth"])
    return RUSBoostClassifier(tree, random_state=seed, **own)


BUILDERS: dict[str, Callable[[Keys, int, int], Any]] = {
    "majority": _majority,
    "logistic_regression": _logistic_regression,
    "random_forest": _random_forest,
    "hist_gradient_boosting": _hist_gradient_boosting,
    "balanced_random_forest": _balanced_random_forest,
    "easy_ensemble": _easy_ensemble,
    "rus_boost": _rus_boost,
}
