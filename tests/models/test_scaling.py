"""z-scores from training rows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import TableError
from isthmus.models.scaling import Scale


def test_training_rows_have_mean_0_and_sd_1():
    """sd with ddof 0, as the LASSO's standardisation."""
    frame = pd.DataFrame({"a": [1.0, 2.0, 6.0], "b": [10.0, 20.0, 40.0]})
    scaled = Scale().fit_transform(frame)
    np.testing.assert_allclose([*scaled.mean(), *scaled.std(ddof=0)], [0, 0, 1, 1], atol=1e-12)


def test_a_constant_column_becomes_exactly_0():
    """No variance: 0, not a huge number from rounding."""
    frame = pd.DataFrame({"a": [0.1] * 7})
    assert (Scale().fit_transform(frame)["a"] == 0.0).all()


def test_a_gap_is_an_error_that_names_the_column():
    """Scaling does not impute in silence."""
    with pytest.raises(TableError, match="missing or infinite values in b"):
        Scale().fit(pd.DataFrame({"a": [1.0, 2.0], "b": [1.0, np.nan]}))
