"""The measured results, and the command that measures them anew: ``python -m examples.results --help``."""
