"""Splits, nested cross-validation, metrics with intervals, comparisons, the null study.

Nothing is imported here, so that reading a plan does not load scikit-learn: `validate.splits`, `validate.nested`,
`validate.performance`, `validate.compare`, `validate.null_study`.
"""
