"""Tiny detectors and segmenters, built once where they are asked for."""

from external_fixtures import folder_of, loaded_of

__all__ = ["folder_of", "loaded_of"]
