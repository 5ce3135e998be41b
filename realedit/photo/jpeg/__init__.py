"""JPEG files by their blocks: what an edit does not touch keeps its coefficients, to the bit.

A JPEG file holds quantised cosine coefficients of blocks of 8 x 8 samples of each component (ITU-T T.81).
:mod:`~realedit.photo.jpeg.marker_segments` reads the file's structure,
:mod:`~realedit.photo.jpeg.coefficients` the coefficients, :mod:`~realedit.photo.jpeg.blocks` makes those of
the blocks that an edit touches, :mod:`~realedit.photo.jpeg.scans` codes all of them again, and
:mod:`~realedit.photo.jpeg.kept_blocks` does the whole.
"""
