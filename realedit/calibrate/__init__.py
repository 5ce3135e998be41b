"""Measures on cases whose truth is known which defaults suit a model, and writes them as its profile."""
