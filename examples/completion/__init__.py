"""Measures fillings of holes whose truth is known."""
