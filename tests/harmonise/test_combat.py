"""The step `combat`: what it learns, what it refuses, and what becomes of a patient from elsewhere (rule L9)."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pytest

from isthmus.errors import IsthmusWarning, LeakageError, PlanError, TableError
from isthmus.harmonise.combat import Combat, refuse_outcome
from isthmus.stats.site_effect import site_effect


def table(
    rng: np.random.Generator, *, n: int = 120, p: int = 12, sites: tuple[str, ...] = ("a", "b", "c")
) -> pd.DataFrame:
    """Features with a shift and a stretch of each site; an age that counts, a kernel with a shift of its own."""
    site = np.asarray(sites)[np.arange(n) % len(sites)]
    kernel = np.where(rng.random(n) < 0.5, "soft", "sharp")
    age = rng.normal(60, 10, n)
    codes = np.searchsorted(sites, site)
    values = rng.normal(size=(n, p)) + 0.05 * age[:, None]
    values = values * rng.uniform(0.7, 1.4, (len(sites), p))[codes] + rng.normal(size=(len(sites), p))[codes]
    values += (kernel == "sharp")[:, None] * rng.normal(size=p)
    frame = pd.DataFrame(values, columns=[f"f{i}" for i in range(p)])
    return frame.assign(**{"@centre": site, "@kernel": kernel, "@age": age})


@pytest.fixture
def frame() -> pd.DataFrame:
    return table(np.random.default_rng(3))


def features(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[[column for column in frame.columns if column.startswith("f")]]


def test_the_site_is_gone_from_rows_it_was_not_fitted_on(frame):
    """Fitted on two thirds: on the other third the median effect of the site is what chance gives."""
    held = np.arange(len(frame)) % 5 == 0
    step = Combat().fit(frame[~held])
    after = features(step.transform(frame[held]))
    assert np.median(site_effect(after, frame.loc[held, "@centre"]).cohens_f) < 0.45


def test_a_covariate_is_read_and_kept(frame):
    """The declared covariate makes the context, and one slope for each feature."""
    step = Combat(covariates=["age"]).fit(frame)
    assert (step.context, step.stages_[0]["slopes"].shape) == (("@centre", "@age"), (1, 12))


def test_a_category_as_covariate_takes_a_column_for_each_level_but_the_first(frame):
    """Two kernels: one column."""
    assert Combat(covariates=["kernel"]).fit(frame).stages_[0]["slopes"].shape == (1, 12)


def test_a_missing_covariate_is_an_error(frame):
    """A known site and an unknown age: what must be kept is not known."""
    step = Combat(covariates=["age"]).fit(frame)
    frame.loc[3, "@age"] = np.nan
    with pytest.raises(TableError, match=r"covariates are missing: age \(1 rows\)"):
        step.transform(frame)


def test_a_level_never_seen_is_an_error(frame):
    """A third kernel has no coefficient."""
    step = Combat(covariates=["kernel"]).fit(frame)
    frame.loc[3, "@kernel"] = "medium"
    with pytest.raises(TableError, match="medium in some rows, which no training row has"):
        step.transform(frame)


def test_a_row_without_a_site_is_an_error(frame):
    """Nothing can be taken away from a patient of nowhere."""
    frame.loc[3, "@centre"] = None
    with pytest.raises(TableError, match="do not say their centre"):
        Combat().fit(frame)


def elsewhere(frame: pd.DataFrame, rows: int) -> pd.DataFrame:
    """The first rows, moved to a site nobody knows and shifted."""
    new = frame.head(rows).assign(**{"@centre": "z"})
    new[features(new).columns] += 5
    return new


def test_an_unseen_site_is_refused_by_default(frame):
    """The message names the site, the known ones and the choices."""
    step = Combat().fit(frame)
    with pytest.raises(TableError, match=r"knows nothing of centre z: it was fitted on a, b, c.*'adopt'"):
        step.transform(elsewhere(frame, 1))


def test_an_unseen_site_may_be_left_as_it_is(frame):
    """`reference`: the same values, and a warning."""
    step = Combat(unseen="reference").fit(frame)
    new = elsewhere(frame, 2)
    with pytest.warns(IsthmusWarning, match="left as they are"):
        out = step.transform(new)
    pd.testing.assert_frame_equal(features(out), features(new))


def test_an_unseen_site_may_be_adopted(frame):
    """`adopt`: its shift is estimated from its own rows, and the warning says that this is transductive."""
    step = Combat(unseen="adopt").fit(frame)
    new = elsewhere(frame, 40)
    with pytest.warns(IsthmusWarning, match="adopted from 40 rows without their outcome"):
        out = step.transform(new)
    assert abs(features(out).to_numpy().mean() - features(step.transform(frame)).to_numpy().mean()) < 0.5


def test_too_few_rows_are_not_adopted(frame):
    """19 rows are not a site."""
    step = Combat(unseen="adopt").fit(frame)
    with pytest.raises(TableError, match="19 rows are too few to adopt it"):
        step.transform(elsewhere(frame, 19))


def test_an_unseen_site_may_be_treated_like_the_most_similar_one():
    """`nearest`: a site with the kernel and slice of b gets what b gets."""
    rng = np.random.default_rng(5)
    frame = table(rng)
    frame["@kernel"] = frame["@centre"].map({"a": "soft", "b": "sharp", "c": "soft"})
    frame["@slice"] = frame["@centre"].map({"a": 1.0, "b": 3.0, "c": 5.0}) + 0.01 * rng.normal(size=len(frame))
    step = Combat(unseen="nearest", protocol=["kernel", "slice"]).fit(frame)
    like_b = frame[frame["@centre"] == "b"].head(5)
    with pytest.warns(IsthmusWarning, match="most like theirs"):
        out = step.transform(like_b.assign(**{"@centre": "z"}))
    pd.testing.assert_frame_equal(features(out), features(step.transform(like_b)))


def test_small_sites_are_warned_of(frame):
    """Fewer than ten rows: their estimates are uncertain."""
    frame.loc[frame.index[:4], "@centre"] = "tiny"
    with pytest.warns(IsthmusWarning, match=r"few training rows of centre tiny \(4\)"):
        Combat().fit(frame)


def test_a_site_of_two_has_its_location_adjusted_only(frame):
    """No spread is estimated from two patients."""
    frame.loc[frame.index[:2], "@centre"] = "tiny"
    with pytest.warns(IsthmusWarning):
        stage = Combat().fit(frame).stages_[0]
    assert (stage["delta"][stage["sites"].index("tiny")] == 1).all()


def test_a_feature_with_one_value_at_a_site_is_dropped_with_the_reason(frame):
    """It cannot be standardised there."""
    frame.loc[frame["@centre"] == "b", "f3"] = 7.0
    assert Combat().fit(frame).dropped_ == {"f3": "one value in all 40 training rows of centre 'b'"}


def test_text_and_named_columns_pass(frame):
    """Categories and what `leave` names come out as they went in."""
    frame.insert(1, "sex", np.where(np.arange(len(frame)) % 2, "f", "m"))
    out = Combat(leave=["f1"]).fit(frame).transform(frame)
    pd.testing.assert_frame_equal(out[["sex", "f1"]], frame[["sex", "f1"]])


def test_only_the_named_blocks_are_harmonised(frame):
    """Columns of other blocks pass."""
    named = frame.rename(columns={f"f{i}": ("ct" if i < 6 else "clinical") + f".f{i}" for i in range(12)})
    out = Combat().on_blocks(["ct"]).fit(named).transform(named)
    changed = [column for column in named.columns if not out[column].equals(named[column])]
    assert changed == [f"ct.f{i}" for i in range(6)]


def test_several_batches_are_taken_in_the_order_that_leaves_least():
    """A kernel with a huge shift and a centre with none: both are in the order, and it is learnt, stored and used again."""
    frame = table(np.random.default_rng(6), n=150)
    step = Combat(batch=["centre", "kernel"]).fit(frame)
    again = Combat.from_state(json.loads(json.dumps(step.to_state(), allow_nan=False)))
    assert sorted(step.order_) == ["centre", "kernel"]
    pd.testing.assert_frame_equal(again.transform(frame), step.transform(frame), check_exact=True)


def test_a_given_order_is_kept(frame):
    """`order = "given"` takes the variables as written."""
    assert Combat(batch=["kernel", "centre"], order="given").fit(frame).order_ == ["kernel", "centre"]


def test_the_outcome_is_never_seen_unless_protected(frame):
    """Without `protect_outcome` the step is unsupervised: another outcome, the same fit."""
    y = np.arange(len(frame)) % 2
    assert Combat().fit(frame, y).to_state() == Combat().fit(frame, 1 - y).to_state()


def test_protecting_the_outcome_makes_the_step_supervised():
    """The plan, the canary and the report must know that it learns with the outcome."""
    assert (Combat(protect_outcome="training-only").kind, Combat().kind) == ("supervised", "unsupervised")


def test_a_protected_outcome_is_not_used_to_harmonise(frame):
    """L9: training rows are harmonised without their outcome, so a patient to come (who has none) is treated alike."""
    y = (np.arange(len(frame)) % 2).astype(int)
    step = Combat(protect_outcome="training-only").fit(frame, y)
    assert step.stages_[0]["slopes"].shape == (0, 12)


def test_protecting_keeps_what_goes_with_the_outcome():
    """Planted: site b has more events, which raise every feature. Unprotected ComBat takes part of that away with the site."""
    rng = np.random.default_rng(9)
    n = 400
    site = np.where(np.arange(n) % 2, "a", "b")
    y = (rng.random(n) < np.where(site == "b", 0.8, 0.2)).astype(int)
    values = rng.normal(size=(n, 10)) + 1.5 * y[:, None] + 2.0 * (site == "b")[:, None]
    frame = pd.DataFrame(values, columns=[f"f{i}" for i in range(10)]).assign(**{"@centre": site})
    difference = {}
    for protect in ("never", "training-only"):
        out = features(Combat(protect_outcome=protect).fit_transform(frame, y)).to_numpy()
        difference[protect] = out[y == 1].mean() - out[y == 0].mean()
    assert difference["training-only"] > difference["never"] + 0.3


def test_the_outcome_as_covariate_is_refused():
    """L9 planted: a patient to predict has no outcome."""
    with pytest.raises(LeakageError, match="rule L9"):
        refuse_outcome(["age", "y"], ["y"])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"prior": "flat"}, "prior = 'flat'; expected parametric, nonparametric, none"),
        ({"unseen": "guess"}, "unseen = 'guess'"),
        ({"batch": []}, "expected a name"),
        ({"batch": ["centre", "centre"]}, "stands twice"),
        ({"unseen": "nearest"}, "needs protocol"),
        ({"adopt_least": 5}, "20 or more"),
        ({"mean_only": 1}, "expected true or false"),
    ],
)
def test_settings_that_cannot_be_used(settings, message):
    """Each is an error of the plan with what was expected."""
    with pytest.raises(PlanError, match=message):
        Combat(**settings).check_settings()


def test_refusals_say_why_row_by_row(frame):
    """What `isthmus apply` writes beside a patient it does not predict."""
    step = Combat(covariates=["age"]).fit(frame)
    frame.loc[0, "@centre"], frame.loc[1, "@age"], frame.loc[2, "@centre"] = "z", np.nan, None
    why = step.refusals(frame).head(4).tolist()
    assert [text.split(",")[0] for text in why] == [
        "centre 'z' is not among those the model was harmonised on (a",
        "age is missing",
        "its centre is not stated",
        "",
    ]


def test_treatment_counts_every_site(frame):
    """Known sites with their training rows, and the new one with none."""
    step = Combat(unseen="reference").fit(frame)
    found = step.treatment(pd.concat([frame, elsewhere(frame, 2)]))
    assert found[["site", "rows", "training", "how"]].values.tolist()[-1] == ["z", 2, 0, "left as it is"]


@pytest.mark.parametrize("settings", [{}, {"batch": ["centre", "kernel"]}, {"prior": "nonparametric"}])
def test_one_row_alone_is_that_row_in_a_batch(settings, frame):
    """One patient of a known centre, to the last bit."""
    step = Combat(**settings).fit(frame)
    whole = step.transform(frame)
    alone = pd.concat([step.transform(frame.iloc[[i]]) for i in (0, 17, 63)])
    pd.testing.assert_frame_equal(alone, whole.iloc[[0, 17, 63]], check_exact=True)


def test_no_warning_where_there_is_nothing_to_say(frame):
    """Three sites of forty, all known: silence."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Combat().fit_transform(frame)
