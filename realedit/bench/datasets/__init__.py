"""Data sets: folders of cases, in our own manifest or in a published layout."""

from realedit.bench.datasets.load import LAYOUTS, load_dataset

__all__ = ["LAYOUTS", "load_dataset"]
