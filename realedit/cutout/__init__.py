"""From a hint to what is meant: points, a box, a rough mask or a word's heat to an alpha of the photo.

One small network of ours (`network`) compares every place of a window of the photo with the hint
(`hints`), by the features of EfficientNet-Lite0, which the package holds already (`features`). `cutout` looks
with it at the whole photo once and at a window about what it found once more, and returns several answers,
each with how sure it is.
"""
