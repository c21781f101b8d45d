"""What a model rests on: Shapley values, permutation importance, partial dependence; always on rows it did not learn from.

Everything here describes associations with a model's output, never causes.
"""
