"""The benchmark: edits measured against the truth and against other ways of making them.

`datasets` reads cases, `methods` edits them, `metrics` measures, `run` does it for many, resumably, in
processes that `worker` runs in, and `results` writes tables, plots and a page. Importing this package loads
neither torch nor a model.
"""
