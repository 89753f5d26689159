"""Labels as people read them: short, different where labels differ, plain where they must be."""

import pytest

from src.runs.labels import encodable, short_label, shortened

SHORT = {
    "ce": "ce",
    "focal(gamma=2, alpha=0.25)": "focal γ2 α.25",
    "focal(gamma=0.5, alpha=[0.25, 0.75])": "focal γ.5 α.25/.75",
    "focal_by_class(gamma=2, alpha=auto)": "focal_by_class γ2 α auto",
    "poly(epsilon=-0.5)": "poly ε-.5",
    "label_smoothing(smoothing=0.1)": "label_smoothing .1",
    "asymmetric(gamma_pos=0, gamma_neg=4, margin=0.05)": "asymmetric pos0 neg4 m.05",
    "ce + smote(k_neighbors=3)": "ce + smote k neighbors 3",
    "random forest, balanced(n_estimators=20)": "random forest, balanced n estimators 20",
    "mine(words, of=3": "mine(words, of=3",
}


@pytest.mark.parametrize("label", SHORT)
def test_a_label_is_read_in_short(label):
    assert short_label(label) == SHORT[label]


def test_labels_in_a_page_are_shortened_and_commands_are_left():
    page = "<td>focal(gamma=2, alpha=[0.2, 0.8])</td> python train.py loss=focal 'seed=range(0,3)'"
    assert shortened(page) == (
        "<td>focal γ2 α.2/.8</td> python train.py loss=focal 'seed=range(0,3)'"
    )


def test_an_encoding_without_greek_letters_gets_plain_ones():
    assert encodable("focal γ2 α.25 ± ·", "latin-1") == "focal g2 a.25 +/- -"
    assert encodable("focal γ2", "utf-8") == encodable("focal γ2", None) == "focal γ2"
