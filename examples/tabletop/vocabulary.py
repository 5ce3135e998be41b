"""The words of the tabletop model: nouns, their synonyms, colours, surfaces, and the sentences they make."""

from collections.abc import Mapping
from typing import Final

SYNONYMS: Final[Mapping[str, tuple[str, ...]]] = {
    "mug": ("cup",),
    "pan": ("skillet",),
    "can": ("tin",),
    "box": ("package",),
    "sauce": ("condiment",),
    "moka pot": ("coffee maker",),
    "glass": ("tumbler",),
    "plant": ("houseplant",),
    "shoe": ("sneaker",),
    "phone": ("smartphone",),
    "pitcher": ("jug",),
    "teddy bear": ("teddy",),
}
"""Other words for a noun, by its canonical one."""

NOUNS: Final[tuple[str, ...]] = (
    "apple",
    "ball",
    "banana",
    "basket",
    "book",
    "bottle",
    "bowl",
    "box",
    "bread",
    "bucket",
    "cake",
    "camera",
    "can",
    "candle",
    "car",
    "carton",
    "cat",
    "clock",
    "dog",
    "donut",
    "egg",
    "flashlight",
    "fork",
    "glass",
    "hamburger",
    "hat",
    "headphones",
    "horse",
    "hot dog",
    "jar",
    "kettle",
    "ketchup",
    "knife",
    "lamp",
    "laptop",
    "lemon",
    "moka pot",
    "mug",
    "pan",
    "paper cup",
    "pear",
    "phone",
    "pitcher",
    "plant",
    "plate",
    "pot",
    "rabbit",
    "radio",
    "sauce",
    "scissors",
    "shoe",
    "spoon",
    "sunglasses",
    "teapot",
    "teddy bear",
    "telephone",
    "toaster",
    "tomato",
    "tray",
    "vase",
    "wine glass",
)
"""Canonical nouns; some are two words."""

COMMON: Final = frozenset(
    {
        "mug",
        "bowl",
        "plate",
        "pan",
        "bottle",
        "book",
        "box",
        "can",
        "carton",
        "basket",
        "ketchup",
        "sauce",
        "moka pot",
        "glass",
        "vase",
    }
)
"""Nouns that scenes hold more often, because people photograph them on tables most."""

COLOURS: Final[Mapping[str, tuple[tuple[float, float, float], ...]]] = {
    "red": ((0.72, 0.06, 0.06), (0.85, 0.12, 0.10), (0.60, 0.03, 0.05)),
    "orange": ((0.93, 0.45, 0.08), (0.95, 0.38, 0.05)),
    "yellow": ((0.95, 0.82, 0.15), (0.92, 0.75, 0.10)),
    "green": ((0.12, 0.50, 0.18), (0.30, 0.62, 0.20), (0.05, 0.33, 0.14)),
    "turquoise": ((0.15, 0.70, 0.68), (0.10, 0.60, 0.62)),
    "blue": ((0.10, 0.22, 0.70), (0.15, 0.40, 0.82), (0.06, 0.12, 0.42)),
    "purple": ((0.42, 0.14, 0.58), (0.52, 0.28, 0.68)),
    "pink": ((0.95, 0.55, 0.68), (0.92, 0.42, 0.60)),
    "brown": ((0.36, 0.20, 0.10), (0.45, 0.27, 0.14), (0.28, 0.15, 0.08)),
    "beige": ((0.86, 0.77, 0.62), (0.80, 0.70, 0.55)),
    "white": ((0.95, 0.95, 0.94), (0.90, 0.90, 0.88)),
    "gray": ((0.48, 0.48, 0.49), (0.60, 0.60, 0.60), (0.36, 0.36, 0.38)),
    "black": ((0.05, 0.05, 0.05), (0.09, 0.09, 0.10)),
    "silver": ((0.75, 0.76, 0.78),),
    "gold": ((0.83, 0.65, 0.25),),
}
"""Colour words and the linear-light-free (display) RGB values they cover; silver and gold are also metal."""

METALS: Final = frozenset({"silver", "gold"})
"""Colours that call for a metal finish."""

SURFACES: Final[tuple[str, ...]] = (
    "wooden",
    "marble",
    "tile",
    "cloth",
    "stone",
    "concrete",
    "metal",
    "plain",
    "checkered",
    "striped",
)
"""Words for what an object stands on."""
