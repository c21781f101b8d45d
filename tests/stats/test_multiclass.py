"""Three classes or more: laws and hand-made cases (R's numbers: tests/reference)."""

from __future__ import annotations

import numpy as np
import pytest

from isthmus.errors import TableError
from isthmus.stats import classification, multiclass, roc

MATRIX = np.array([[5.0, 1, 0], [2, 6, 2], [0, 1, 3]])


def test_two_classes_give_the_auc() -> None:
    """With two classes Hand and Till's M is the AUC."""
    y = np.array([0, 1, 0, 1, 1, 0])
    p = np.array([0.2, 0.7, 0.6, 0.5, 0.9, 0.1])
    assert multiclass.hand_till(y, np.column_stack([1 - p, p])) == pytest.approx(roc.auc(y, p))


def test_ordinal_c_of_two_classes_is_the_auc() -> None:
    """With two classes the ordinal C-index is the AUC."""
    y = np.array([0, 1, 0, 1, 1, 0])
    p = np.array([0.2, 0.7, 0.6, 0.5, 0.9, 0.1])
    assert multiclass.ordinal_c(y, p)[0] == pytest.approx(roc.auc(y, p))


def test_mcc_of_two_classes_is_matthews() -> None:
    """With two classes the K-class formula is the usual one."""
    c = classification.Counts(tp=7.0, fp=2.0, tn=8.0, fn=3.0)
    found = multiclass.SUMMARIES["mcc"](np.array([[8.0, 2], [3, 7]]))
    assert float(found) == pytest.approx(float(classification.mcc(c)))


@pytest.mark.parametrize(
    ("name", "value"), [("accuracy", 14 / 20), ("balanced_accuracy", (5 / 6 + 6 / 10 + 3 / 4) / 3)]
)
def test_shares_by_hand(name: str, value: float) -> None:
    """Accuracy and balanced accuracy of a matrix counted by hand."""
    assert float(multiclass.SUMMARIES[name](MATRIX)) == pytest.approx(value)


def test_macro_f1_by_hand() -> None:
    """Mean of 2 x right / (true + called)."""
    wanted = np.mean([10 / 13, 12 / 18, 6 / 9])
    assert float(multiclass.SUMMARIES["macro_f1"](MATRIX)) == pytest.approx(wanted)


def test_row_percents_add_up_to_100() -> None:
    """Each true class is shared out completely."""
    table = multiclass.confusion_table(MATRIX, ["a", "b", "c"])
    assert table.groupby("true")["row_percent"].sum().tolist() == pytest.approx([100, 100, 100])


def test_probabilities_that_do_not_add_up_are_refused() -> None:
    """A row that adds up to 0.9 is not three probabilities."""
    with pytest.raises(TableError, match="add up"):
        multiclass.hand_till([0, 1, 2], [[0.2, 0.3, 0.4]] * 3)
