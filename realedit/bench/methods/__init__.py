"""Ways of making an edit, one a file: realedit's own, its peers on the same weights, and classical ones."""

from realedit.bench.methods.method import Method
from realedit.bench.methods.spec import METHODS, MethodSpec, build, expand, parse_method

__all__ = ["METHODS", "Method", "MethodSpec", "build", "expand", "parse_method"]
