"""Figures of an edit, each from a library of the field or a short equation; what cannot be had is missing."""
