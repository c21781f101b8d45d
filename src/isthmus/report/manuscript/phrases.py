"""What each step, estimator and filter of a plan does, in the words of a Methods section, with its reference.

A phrase is made from `s`, which gives a setting as it was used: `s("threshold")` as it is printed, with its source, `s.raw("rule")` as the
plan knows it. Every step and estimator that a plan can name has one; a test looks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Protocol

from isthmus.report.manuscript.draft import cite, listed, name

__all__ = ["ADJUSTMENTS", "ESTIMATORS", "FILTERS", "STEPS", "Settings"]


class Settings(Protocol):
    """The settings of one step or estimator."""

    def __call__(self, key: str) -> str:
        """As it is printed, traced."""
        ...

    def raw(self, key: str) -> Any:
        """As the plan or the default has it."""
        ...


Phrase = Callable[[Settings], str]


# ---------------------------------------------------------------------- steps


def _ited(s: Settings) -> str:
    whose = f" of {name(s.raw('block'))}" if s.raw("block") else ""
    if s.raw("variant") == "compat":
        how = "each feature over a lesion's supervoxels was modelled by a mixture of normal distributions"
    else:
        how = (
            "each feature of the supervoxels was transformed towards normality and scaled over the cohort"
            f"{cite('yeo2000')} and modelled over a lesion by a mixture of normal distributions weighted by size"
        )
    return (
        f"from the supervoxels{whose} the intratumoural dispersion (iTED) was computed: {how}, of up to {s('components')} components "
        f"chosen by the Bayesian information criterion, and the dispersion of their means taken{cite('schwarz1978')}"
    )


def _habitat(s: Settings) -> str:
    whose = f" of {name(s.raw('block'))}" if s.raw("block") else ""
    if s.raw("clusters") is not None:
        count = f"{s('clusters')} habitats"
    else:
        count = f"the most habitats up to {s('most')} with a prediction strength of {s('strength')} or more{cite('tibshirani2005')}"
    return (
        f"the supervoxels{whose} of all training lesions were pooled, reduced to the principal components that explain a share of "
        f"{s('explained')} of the variance and clustered by k-means into {count}; of every lesion the fraction and number of pieces of "
        f"each habitat, their diversity and their spatial interaction were taken{cite('hill1973')}"
    )


def _network(s: Settings) -> str:
    encoder = s.raw("encoder") or {}
    trained = (
        f"{name(encoder.get('network', 'a network'))} was trained anew on the training patients of every fold{_on_crops(s)}, until the "
        f"loss on training patients held out by class did not fall any more{cite('lecun2015')}"
    )
    if s.raw("makes") == "score":
        return (
            f"{trained}, and its log odds taken, of training patients from networks trained without them in {s('folds')} inner "
            f"folds{cite('wolpert1992')}"
        )
    return f"{trained}, and the features of its layer {name(encoder.get('layer', 'before the classifier'))} taken"


def _joint(s: Settings) -> str:
    encoder = s.raw("encoder") or {}
    what = (
        f"its log odds, of training patients from networks trained without them in {s('folds')} inner folds{cite('wolpert1992')},"
        if s.raw("makes") == "score"
        else f"the features of its layer {name(encoder.get('layer', 'before the classifier'))}"
    )
    return (
        f"{name(encoder.get('network', 'a network'))}, at whose head the columns stood beside its pooled features, was trained anew on the "
        f"training patients of every fold{_on_crops(s)}{cite('lecun2015')}, and {what} put in the place of these columns"
    )


def _autoencoder(s: Settings) -> str:
    encoder = s.raw("encoder") or {}
    return (
        f"{name(encoder.get('network', 'an autoencoder'))} was trained anew, without the outcome, on the training patients of every "
        f"fold{_on_crops(s)}{cite('hinton2006')}, and the features of its layer {name(encoder.get('layer', 'code'))} taken"
    )


def _on_crops(s: Settings) -> str:
    return f", on the crops of {name(s.raw('block'))}" if s.raw("block") else ", on their crops"


def _reliability(s: Settings) -> str:
    side = "the lower confidence limit of the" if s.raw("on") == "lower" else "the"
    also = (
        ""
        if s.raw("cosine_at_least") is None
        else f" and the mean cosine similarity of the centred measurements at least {s('cosine_at_least')}"
    )
    return (
        f"features were kept if {side} intraclass correlation coefficient, ICC({name(s.raw('form'))}), over "
        f"repeated measurements was at "
        f"least {s('at_least')}{cite('shrout1979', 'mcgraw1996')}{also}"
    )


def _winsorise(s: Settings) -> str:
    if s.raw("iqr") is not None:
        return (
            f"values further than {s('iqr')} interquartile ranges outside the quartiles were set to that "
            f"limit{cite('tukey1962')}"
        )
    return (
        f"values beyond the quantiles {s('lower')} and {s('upper')} were set to these quantiles "
        f"(winsorised){cite('tukey1962')}"
    )


def _impute(s: Settings) -> str:
    marked = ", with an indicator of missingness for each incomplete column" if s.raw("indicators") else ""
    if s.raw("method") == "median":
        return (
            f"missing values were replaced by the median (categories: the most frequent one){marked}{cite('kuhn2013')}"
        )
    return (
        f"missing values were imputed once by chained ridge regressions ({s('rounds')} rounds), without looking "
        f"at the outcome{marked}"
        f"{cite('vanbuuren2011')}"
    )


def _combat(s: Settings) -> str:
    batch = s.raw("batch")
    batches = [batch] if isinstance(batch, str) else list(batch)
    nested = f", one after the other (nested){cite('horng2022')}" if len(batches) > 1 else ""
    kept = s.raw("covariates")
    covariates = f", keeping differences due to {listed([name(one) for one in kept])}" if kept else ""
    outcome = (
        "; differences due to the outcome were kept in training patients"
        if s.raw("protect_outcome") != "never"
        else "; the outcome was not used"
    )
    prior = {"parametric": "parametric", "nonparametric": "non-parametric", "none": "no"}[s.raw("prior")]
    means = ", of means only" if s.raw("mean_only") else ""
    unseen = {
        "refuse": "patients of an unknown batch were not predicted",
        "reference": "patients of an unknown batch were left as they were, as if measured in the reference",
        "adopt": "a batch unknown in training was adopted from its own unlabelled patients",
        "nearest": "patients of an unknown batch were treated as those of the most similar known one",
    }[s.raw("unseen")]
    return (
        f"features were harmonised by ComBat over {listed([name(one) for one in batches])}, with {prior} "
        f"empirical Bayes "
        f"{'priors' if prior != 'no' else 'shrinkage'}{means}{nested}{covariates}{outcome}; "
        f"{unseen}{cite('johnson2007', 'fortin2018')}"
    )


def _correlation(s: Settings) -> str:
    how = "Spearman" if s.raw("method") == "spearman" else "Pearson"
    which = "with the larger mean absolute correlation" if s.raw("rule") == "drop_mean" else "listed later"
    return (
        f"of each pair of columns with an absolute {how} correlation above {s('threshold')}, the one {which} was "
        f"removed"
        f"{cite('kuhn2008')}"
    )


def _relevance(s: Settings) -> str:
    how = "Spearman" if s.raw("method") == "spearman" else "Pearson"
    return (
        f"of each pair of columns with an absolute {how} correlation above {s('threshold')}, the one less "
        f"related to the outcome "
        f"({_TESTS[s.raw('test')]}) was removed{cite('kuhn2008')}"
    )


_TESTS = {
    "anova": "analysis of variance",
    "welch_t": "Welch's t-test",
    "student_t": "Student's t-test",
    "mann_whitney": "Mann-Whitney test",
    "auc": "area under the ROC curve",
    "kruskal": "Kruskal-Wallis test",
    "chi_square": "chi-square test",
}


def _univariate(s: Settings) -> str:
    test = _TESTS.get(s.raw("test"), str(s.raw("test")))
    if s.raw("p_at_most") is not None:
        return (
            f"columns with an adjusted p-value of at most {s('p_at_most')} in univariable screening ({test}; "
            f"{_adjusted(s.raw('adjust'))}) "
            f"were kept{cite(*ADJUSTMENTS.get(s.raw('adjust'), ('', 'benjamini1995'))[1:])}"
        )
    return (
        f"the {s('k')} columns most strongly related to the outcome in univariable screening ({test}) were "
        f"kept{cite('hastie2009')}"
    )


def _univariate_cox(s: Settings) -> str:
    test = f"score test of a Cox model with one column{cite('cox1972')}"
    if s.raw("p_at_most") is None:
        return f"the {s('k')} columns most strongly related to the time to the event ({test}) were kept"
    return f"columns with a p-value of at most {s('p_at_most')} ({test}; {_adjusted(s.raw('adjust'))}) were kept"


ADJUSTMENTS = {
    "holm": ("Holm's correction", "holm1979"),
    "hommel": ("Hommel's correction", "hommel1988"),
    "bonferroni": ("Bonferroni's correction", "dunn1961"),
    "benjamini-hochberg": ("Benjamini and Hochberg's false discovery rate", "benjamini1995"),
    "benjamini-yekutieli": ("Benjamini and Yekutieli's false discovery rate", "benjamini2001"),
}


def _adjusted(method: str) -> str:
    return ADJUSTMENTS.get(method, (f"correction: {method}",))[0]


def _mrmr(s: Settings) -> str:
    measure = {
        "fcq": "F statistic over mean absolute correlation",
        "mutual_information": "mutual information",
        "correlation": "correlation",
    }[s.raw("measure")]
    return (
        f"{s('k')} columns were chosen by minimum redundancy and maximum relevance "
        f"({measure}){cite('peng2005', 'ding2005')}"
    )


def _representatives(s: Settings) -> str:
    how = (
        f"the first principal component{cite('jolliffe2002')}"
        if s.raw("method") == "pca"
        else f"a one-dimensional UMAP{cite('mcinnes2018')}"
    )
    return f"the columns of each feature category were replaced by one representative, {how}"


def _pca(s: Settings) -> str:
    if s.raw("variance") is not None:
        return (
            f"the columns were replaced by the principal components that explain {s('variance')} of their "
            f"variance{cite('jolliffe2002')}"
        )
    return f"the columns were replaced by their first {s('components')} principal components{cite('jolliffe2002')}"


def _penalised(s: Settings, what: str, keys: tuple[str, ...]) -> str:
    if s.raw("k") is not None:
        return f"the first {s('k')} columns to enter the path of {what} were kept{cite(*keys)}"
    rule = (
        "smallest deviance"
        if s.raw("rule") == "min"
        else "sparsest model within one standard error of the smallest deviance"
    )
    return (
        f"columns with a coefficient other than zero in {what} were kept, the penalty chosen by "
        f"{s('folds')}-fold inner "
        f"cross-validation ({rule}){cite(*keys)}"
    )


_BASES = {
    "svm": "a linear support vector machine",
    "logistic": "a logistic regression",
    "random_forest": "a random forest",
}


def _stability(s: Settings) -> str:
    return (
        f"columns chosen in at least a share of {s('threshold')} of {s('samples')} half-samples of the training "
        f"patients were kept "
        f"(stability selection){cite('meinshausen2010')}"
    )


def _sampled(text: str, *keys: str) -> Phrase:
    return lambda _: f"{text}; validation patients were never resampled{cite(*keys, 'lemaitre2017')}"


def _balance(s: Settings) -> str:
    said = {"none": "the classes were left as they were", "weights": "the classes weighed alike while fitting"}
    method = s.raw("method")
    return f"for the rarer class, {said.get(method, f'training rows were resampled by {name(method)}')}{cite('lemaitre2017')}"


STEPS: Mapping[str, Phrase] = MappingProxyType(
    {
        "balance": _balance,
        "reliability": _reliability,
        "ited": _ited,
        "network": _network,
        "autoencoder": _autoencoder,
        "joint_network": _joint,
        "habitat": _habitat,
        "volume_correlation": lambda s: (
            f"features whose rank correlation with the volume of the lesion was {s('below')} or more were removed{cite('hastie2009')}"
        ),
        "volume_adjust": lambda s: (
            "what a polynomial of degree "
            f"{s('degree')} in the logarithm of the lesion's volume predicted of a feature was subtracted from it{cite('hastie2009')}"
        ),
        "drop_missing": lambda s: (
            f"columns with more than a share of {s('share')} missing were removed{cite('kuhn2013')}"
        ),
        "log": lambda _: f"values were transformed by the signed logarithm log(1 + |x|){cite('kuhn2013')}",
        "winsorise": _winsorise,
        "impute": _impute,
        "combat": _combat,
        "encode": lambda s: (
            "categories were coded as indicator columns"
            f"{', without one for the reference level' if s.raw('drop_first') or s.raw('reference') else ''}{cite('hastie2009')}"
        ),
        "scale": lambda _: f"columns were standardised to mean 0 and standard deviation 1{cite('hastie2009')}",
        "variance": lambda s: (
            f"columns with a variance of at most {s('at_least')} were removed{cite('kuhn2013')}"
            if s.raw("at_least")
            else f"constant columns were removed{cite('kuhn2013')}"
        ),
        "near_zero_variance": lambda s: (
            f"columns dominated by one value (frequency ratio above {s('frequency_ratio')} and a share of "
            f"distinct values of at most "
            f"{s('distinct_share')}) were removed{cite('kuhn2008')}"
        ),
        "correlation": _correlation,
        "vif": lambda s: (
            f"columns were removed one at a time until no variance inflation factor exceeded "
            f"{s('threshold')}{cite('fox1992')}"
        ),
        "pca": _pca,
        "representatives": _representatives,
        "correlation_relevance": _relevance,
        "univariate": _univariate,
        "univariate_cox": _univariate_cox,
        "mutual_information": lambda s: (
            f"the {s('k')} columns with the largest mutual information with the outcome were kept "
            f"({s('neighbours')} nearest neighbours)"
            f"{cite('ross2014')}"
        ),
        "mrmr": _mrmr,
        "boruta": lambda s: (
            f"columns that were more important than shuffled copies in random forests over {s('rounds')} rounds "
            f"were kept (Boruta)"
            f"{cite('kursa2010')}"
        ),
        "rfe": lambda s: (
            f"columns were removed recursively, the least important first in {_BASES[s.raw('base')]}, until "
            f"{s('k')} were left"
            f"{cite('guyon2002')}"
        ),
        "rfecv": lambda s: (
            f"columns were removed recursively, the least important first in {_BASES[s.raw('base')]}, down to "
            f"the number with the best AUC "
            f"in {s('folds')}-fold inner cross-validation{cite('guyon2002')}"
        ),
        "lasso": lambda s: _penalised(s, "a LASSO logistic regression", ("tibshirani1996", "friedman2010")),
        "elastic_net": lambda s: _penalised(s, "an elastic net", ("zou2005", "friedman2010")),
        "l21": lambda s: (
            f"{s('k')} columns were chosen by jointly sparse regression with the L2,1 norm{cite('nie2010')}"
        ),
        "stability": _stability,
        "smote": _sampled(
            "synthetic patients of the rarer class were added to the training rows (SMOTE)", "chawla2002"
        ),
        "smote_nc": _sampled(
            "synthetic patients of the rarer class were added to the training rows (SMOTE-NC)", "chawla2002"
        ),
        "borderline_smote": _sampled(
            "synthetic patients of the rarer class were added near the border of the classes (borderline SMOTE)",
            "han2005",
        ),
        "svm_smote": _sampled(
            "synthetic patients were added around the support vectors of the rarer class (SVM-SMOTE)", "nguyen2011"
        ),
        "adasyn": _sampled(
            "synthetic patients of the rarer class were added, more where it is hard to tell from the other (ADASYN)",
            "he2008",
        ),
        "smote_enn": _sampled(
            "synthetic patients of the rarer class were added and rows at odds with their neighbours removed "
            "(SMOTE-ENN)",
            "batista2004",
        ),
        "smote_tomek": _sampled(
            "synthetic patients of the rarer class were added and Tomek links removed (SMOTE-Tomek)", "batista2003"
        ),
        "over_sample": _sampled(
            "training rows of the rarer classes were repeated at random until the classes were equally frequent"
        ),
        "under_sample": _sampled(
            "training rows of the commoner classes were left out at random until the classes were equally frequent"
        ),
    }
)
"""Name of a step -> what it did, as a clause."""


# ---------------------------------------------------------------------- estimators


def _rule(s: Settings) -> str:
    if s.raw("penalty") is not None:
        return f"with a fixed penalty of {s('penalty')}"
    rule = "the smallest cross-validated loss" if s.raw("rule") == "min" else "the one-standard-error rule"
    return f"with the penalty chosen inside the training patients by {rule}"


def _trees(s: Settings, what: str, *keys: str) -> str:
    return f"{what} of {s('trees')} trees with at least {s('min_leaf')} patients in a leaf{cite(*keys)}"


def _boosted(s: Settings, what: str, key: str) -> str:
    return f"{what} of {s('rounds')} trees with a learning rate of {s('learning_rate')}{cite(key)}"


def _quantile(s: Settings) -> str:
    balanced = ", each tree grown on as many patients of either class" if s.raw("balanced") else ""
    return (
        f"a random forest quantile classifier of {s('trees')} trees{balanced}, whose decision threshold is the "
        f"prevalence in training"
        f"{cite('obrien2019', 'breiman2001')}"
    )


def _members(s: Settings) -> str:
    members = s.raw("members")
    words = [one if isinstance(one, str) else one.get("label", one["name"]) for one in members]
    return listed([name(str(word).replace("_", " ")) for word in words])


def _logistic(s: Settings) -> str:
    if s.raw("C") is None:
        return f"a logistic regression without penalty{cite('cox1958')}"
    return f"a logistic regression with a ridge penalty (C = {s('C')}){cite('cox1958', 'hoerl1970')}"


ESTIMATORS: Mapping[str, Phrase] = MappingProxyType(
    {
        "lasso": lambda s: f"a LASSO logistic regression {_rule(s)}{cite('tibshirani1996', 'friedman2010')}",
        "elastic_net": lambda s: (
            f"an elastic net logistic regression (share of the L1 penalty {s('alpha')}) "
            f"{_rule(s)}{cite('zou2005', 'friedman2010')}"
        ),
        "logistic": _logistic,
        "firth": lambda _: (
            f"a logistic regression with Firth's penalty and corrected intercept "
            f"(FLIC){cite('firth1993', 'heinze2002', 'puhr2017')}"
        ),
        "decision_tree": lambda s: f"a decision tree of depth {s('depth')} at most{cite('breiman1984')}",
        "random_forest": lambda s: _trees(s, "a random forest", "breiman2001"),
        "quantile_forest": _quantile,
        "extra_trees": lambda s: (
            f"a forest of {s('trees')} extremely randomised trees with at least {s('min_leaf')} patients in a "
            f"leaf{cite('geurts2006')}"
        ),
        "lightgbm": lambda s: _boosted(s, "gradient boosting (LightGBM)", "ke2017"),
        "xgboost": lambda s: _boosted(s, "gradient boosting (XGBoost)", "chen2016"),
        "catboost": lambda s: _boosted(s, "gradient boosting (CatBoost)", "prokhorenkova2018"),
        "svm": lambda s: (
            f"a support vector machine with a {'radial' if s.raw('kernel') == 'rbf' else 'linear'} kernel (C = "
            f"{s('C')}), its risks by "
            f"Platt's scaling on {s('folds')} inner folds{cite('cortes1995', 'platt1999')}"
        ),
        "knn": lambda s: f"the {s('neighbours')} nearest neighbours{cite('cover1967')}",
        "mlp": lambda s: f"a neural network with one hidden layer of {s('units')} units{cite('rumelhart1986')}",
        "naive_bayes": lambda _: f"a Gaussian naive Bayes classifier{cite('hand2001')}",
        "voting": lambda s: (
            f"the {'weighted mean' if s.raw('weights') else 'mean'} of the risks of {_members(s)} (soft "
            f"voting){cite('kittler1998')}"
        ),
        "mean_risk": lambda _: f"the mean of the risks of other models, nothing learned{cite('kittler1998')}",
        "stacking": lambda s: (
            f"a stack of {_members(s)}, weighted by a logistic regression of their risks on {s('folds')} inner "
            f"folds{cite('wolpert1992')}"
        ),
        "best_of": lambda s: (
            f"the best of {_members(s)} by the {'mean less the standard deviation' if s.raw('rule') == 'mean_less_sd' else 'mean'} of "
            f"the AUCs of {s('folds')} inner folds{cite('varma2006')}"
        ),
        "multinomial": lambda s: (
            f"a multinomial logistic regression with a ridge penalty (C = {s('C')}){cite('agresti2013', 'hoerl1970')}"
        ),
        "proportional_odds": lambda s: (
            f"a proportional odds model with a ridge penalty of {s('ridge')}{cite('mccullagh1980', 'hoerl1970')}"
        ),
        "cox": lambda _: f"a Cox proportional hazards model, ties by Efron's method{cite('cox1972', 'efron1977')}",
        "lasso_cox": lambda s: f"a LASSO Cox model {_rule(s)}{cite('tibshirani1996', 'simon2011', 'verweij1993')}",
        "random_survival_forest": lambda s: _trees(s, "a random survival forest", "ishwaran2008", "polsterl2020"),
    }
)
"""Name of an estimator -> what it is, as a noun phrase."""

FILTERS: Mapping[str, str] = MappingProxyType(
    {
        "none": "the unfiltered image",
        "mean": "mean filters",
        "log": "Laplacian-of-Gaussian filters",
        "recursive_log": "Laplacian-of-Gaussian filters",
        "laws": "Laws kernels",
        "gabor": "Gabor filters",
        "wavelet": "separable wavelets",
        "stationary_wavelet": "stationary wavelets",
        "simoncelli": "Simoncelli wavelets",
        "riesz_log": "Riesz-transformed Laplacian-of-Gaussian filters",
        "riesz_simoncelli": "Riesz-transformed Simoncelli wavelets",
        "square": "the square",
        "square_root": "the square root",
        "logarithm": "the logarithm",
        "exponential": "the exponential",
        "gradient": "the gradient magnitude",
        "lbp2d": "two-dimensional local binary patterns",
        "lbp3d": "three-dimensional local binary patterns",
    }
)
"""Name of a filter -> what was measured on."""
