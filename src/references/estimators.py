"""Builds the estimators by name and keys: those of scikit-learn and imbalanced-learn, no others.

A library is imported when an estimator of it is built, and TensorFlow never.
`docs/references.md` has the paper of each.
"""

from collections.abc import Mapping
from typing import Any

from hydra.utils import get_class

from src.config.estimator_schema import FOR_PIXELS, not_for_pixels
from src.data.dataset import Dataset
from src.errors import UserError

MOST_ITERATIONS = 10_000
"""Logistic regression ends long before, once its gradient is flat."""

ESTIMATORS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "majority": ("sklearn.dummy.DummyClassifier", {"strategy": "prior"}),
    "logistic_regression": (
        "sklearn.linear_model.LogisticRegression",
        {"max_iter": MOST_ITERATIONS},
    ),
    "random_forest": ("sklearn.ensemble.RandomForestClassifier", {"n_jobs": 1}),
    "hist_gradient_boosting": ("sklearn.ensemble.HistGradientBoostingClassifier", {}),
    "balanced_random_forest": ("imblearn.ensemble.BalancedRandomForestClassifier", {"n_jobs": 1}),
    "easy_ensemble": ("imblearn.ensemble.EasyEnsembleClassifier", {"n_jobs": 1}),
    "rus_boost": ("imblearn.ensemble.RUSBoostClassifier", {}),
}
"""The class of each, and what it is always given."""
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
    name, keys = node["name"], {key: value for key, value in node.items() if key != "name"}
    kind, fixed = ESTIMATORS[name]
    if name == "easy_ensemble":
        from sklearn.ensemble import AdaBoostClassifier

        keys["estimator"] = AdaBoostClassifier(learning_rate=keys.pop("learning_rate"))
    if name == "rus_boost":
        from sklearn.tree import DecisionTreeClassifier

        keys["estimator"] = DecisionTreeClassifier(max_depth=keys.pop("max_depth"))
    if name == "hist_gradient_boosting" and min(class_counts) == 1:
        keys["early_stopping"] = False  # which takes a stratified share, two rows of each class
    return get_class(kind)(random_state=seed, **fixed, **keys)


def check_estimator(node: Keys, dataset: Dataset) -> None:
    """Raises `UserError` for images, of whose pixels the estimator makes no sense."""
    if len(dataset.input_shape) > 1 and node["name"] not in FOR_PIXELS:
        raise UserError(not_for_pixels(node["name"], dataset.name))
