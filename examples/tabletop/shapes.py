"""The generated categories: each maker draws a new member of its noun, wide in shape, print and finish."""

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from examples.tabletop import (
    shapes_bakery,
    shapes_baskets,
    shapes_books,
    shapes_bottles,
    shapes_boxes,
    shapes_cans,
    shapes_crockery,
    shapes_cutlery,
    shapes_fruit,
    shapes_home,
    shapes_kitchen,
    shapes_plants,
    shapes_sauces,
    shapes_things,
    shapes_vessels,
    shapes_worn,
)
from examples.tabletop.asset import Asset

MAKERS: Final[Mapping[str, Callable[[np.random.Generator], Asset]]] = {
    "apple": shapes_fruit.apple,
    "ball": shapes_things.toy_ball,
    "banana": shapes_fruit.banana,
    "basket": shapes_baskets.basket,
    "book": shapes_books.book,
    "bottle": shapes_bottles.bottle,
    "bowl": shapes_crockery.bowl,
    "box": shapes_boxes.box,
    "bread": shapes_bakery.bread,
    "bucket": shapes_kitchen.bucket,
    "cake": shapes_bakery.cake,
    "can": shapes_cans.can,
    "candle": shapes_home.candle,
    "carton": shapes_boxes.carton,
    "clock": shapes_home.clock,
    "donut": shapes_bakery.donut,
    "egg": shapes_fruit.egg,
    "fork": shapes_cutlery.fork,
    "glass": shapes_vessels.glass,
    "hat": shapes_worn.hat,
    "headphones": shapes_worn.headphones,
    "jar": shapes_bottles.jar,
    "ketchup": shapes_sauces.ketchup,
    "knife": shapes_cutlery.knife,
    "lamp": shapes_home.lamp,
    "lemon": shapes_fruit.lemon,
    "moka pot": shapes_kitchen.moka_pot,
    "mug": shapes_crockery.mug,
    "pan": shapes_kitchen.pan,
    "pear": shapes_fruit.pear,
    "phone": shapes_things.phone,
    "pitcher": shapes_vessels.pitcher,
    "plant": shapes_plants.plant,
    "plate": shapes_crockery.plate,
    "pot": shapes_kitchen.pot,
    "sauce": shapes_sauces.sauce,
    "scissors": shapes_things.scissors,
    "spoon": shapes_cutlery.spoon,
    "teapot": shapes_vessels.teapot,
    "tomato": shapes_fruit.tomato,
    "tray": shapes_baskets.tray,
    "vase": shapes_vessels.vase,
    "wine glass": shapes_vessels.wine_glass,
}
"""Makers by noun."""


def make(noun: str, rng: np.random.Generator) -> Asset:
    """Make a new member of a noun's category.

    Raises:
        KeyError: If the noun is not generated, see `MAKERS`.
    """
    return MAKERS[noun](rng)
