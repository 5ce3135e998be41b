"""The benchmark: edits measured against the truth and against other ways of making them.

`datasets` reads cases, `methods` edits them, `metrics` measures, `runner` does it for many, resumably, and
`results` writes what came of it. Importing this package loads neither torch nor a model.
"""
