"""Pure statistics on arrays: no files, no plan, no images. One module per idea.

`docs/explanation/statistics.md` says which definition each number has.
"""
