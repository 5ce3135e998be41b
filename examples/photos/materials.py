"""Procedural Cycles materials for the sample photos: glaze, wood, tiles, glass and grainy matt surfaces.

Lengths are metres; colours are linear RGB in [0, 1]. Needs Blender's module, see ``render.py``.
"""

import math
from typing import Any

import bpy  # pyright: ignore[reportMissingImports]

RGB = tuple[float, float, float]
Node = Any  # a node, a socket or a value for one: Blender has no types for them


class Material:
    """A Principled material under construction; its methods add nodes and return their output sockets."""

    def __init__(self, name: str, **principled: Node) -> None:
        """Start a material; keywords set inputs of its shader (``base_color``, ``coat_weight``...)."""
        self.data = bpy.data.materials.new(name)
        self.tree = self.data.node_tree
        self.shader = self.tree.nodes["Principled BSDF"]
        self.set(self.shader, **principled)

    def set(self, node: Node, **inputs: Node) -> None:
        """Set a node's inputs, each to a value, a colour or another node's output socket."""
        for key, value in inputs.items():
            socket = next(s for s in node.inputs if s.name.lower().replace(" ", "_") == key and s.enabled)
            if isinstance(value, bpy.types.NodeSocket):
                self.tree.links.new(value, socket)
            elif socket.type == "RGBA" and len(value) == 3:
                socket.default_value = (*value, 1.0)
            else:
                socket.default_value = value

    def add(
        self, kind: str, output: str | int = 0, props: dict[str, Node] | None = None, **inputs: Node
    ) -> Node:
        """Add a node of type ``ShaderNode<kind>`` and return one of its outputs."""
        node = self.tree.nodes.new("ShaderNode" + kind)
        for key, value in (props or {}).items():
            setattr(node, key, value)
        self.set(node, **inputs)
        return node.outputs[output]

    def ramp(self, value: Node, *stops: tuple[float, RGB | float]) -> Node:
        """Map a number to a colour (or grey level) through the given stops."""
        socket = self.add("ValToRGB", factor=value)
        elements = socket.node.color_ramp.elements
        for index, (position, colour) in enumerate(stops):
            element = elements[index] if index < 2 else elements.new(position)
            element.position = position
            element.color = (*colour, 1.0) if isinstance(colour, tuple) else (colour, colour, colour, 1.0)
        return socket

    def mix(self, mode: str, factor: Node, first: Node, second: Node) -> Node:
        """Blend two colours as image editors do (``MIX``, ``MULTIPLY``...)."""
        return self.add("MixRGB", props={"blend_type": mode}, factor=factor, color1=first, color2=second)

    def coordinates(self, scale: RGB = (1, 1, 1), turn: float = 0.0) -> Node:
        """Return object coordinates, turned about z and scaled."""
        source = self.add("TexCoord", "Object")
        return self.add("Mapping", vector=source, scale=scale, rotation=(0, 0, math.radians(turn)))

    def bump(self, height: Node, depth: float, **more: Node) -> Node:
        """Return normals displaced by a height in [0, 1] that spans ``depth`` metres."""
        return self.add("Bump", height=height, distance=depth, strength=1.0, **more)


def glaze(
    name: str, colour: RGB, inside: RGB | None = None, rim: RGB | None = None, speckle: float = 0.0
) -> Material:
    """Glazed ceramic; ``inside`` and ``rim`` colour the zones of `mark_zones`, ``speckle`` adds spots."""
    mat = Material(name, roughness=0.2, coat_weight=0.8, coat_roughness=0.04)
    base: Node = mat.mix("MIX", 0.0, (*colour, 1), (*colour, 1))
    cloud = mat.add("TexNoise", vector=mat.coordinates(), scale=28.0, detail=4.0)
    base = mat.mix("MULTIPLY", 0.35, base, mat.ramp(cloud, (0.3, 0.72), (0.7, 1.0)))
    if inside:
        base = mat.mix(
            "MIX", mat.add("Attribute", "Factor", {"attribute_name": "inside"}), base, (*inside, 1)
        )
    if rim:
        base = mat.mix("MIX", mat.add("Attribute", "Factor", {"attribute_name": "rim"}), base, (*rim, 1))
    if speckle:
        spots = mat.add("TexNoise", vector=mat.coordinates(), scale=900.0, detail=1.0)
        base = mat.mix("MIX", mat.ramp(spots, (0.68, 0.0), (0.74, speckle)), base, (0.10, 0.06, 0.04, 1))
    wobble = mat.add("TexNoise", vector=mat.coordinates((14, 14, 40)), scale=1.5, detail=2.0)
    mat.set(mat.shader, base_color=base, normal=mat.bump(wobble, 0.0006))
    return mat


def wood(name: str, dark: RGB, mid: RGB, light: RGB, turn: float = 0.0, width: float = 0.13) -> Material:
    """Oiled planks ``width`` wide that run along x (turned by ``turn``), each with its own grain and tone."""
    mat = Material(name, coat_weight=0.08, coat_roughness=0.35)
    at = mat.coordinates(turn=turn)
    black, white = (0, 0, 0, 1), (1, 1, 1, 1)
    tone = mat.add(
        "TexBrick",
        0,
        {"offset": 0.37},
        vector=at,
        color1=black,
        color2=white,
        mortar=black,
        scale=1.0,
        mortar_size=0.0007,
        mortar_smooth=0.3,
        brick_width=1.1,
        row_height=width,
    )
    seam = tone.node.outputs["Factor"]
    plank = mat.add("VectorMath", props={"operation": "MULTIPLY_ADD"}, vector=tone)
    plank.node.inputs[1].default_value = (7.1, 3.3, 9.7)
    mat.tree.links.new(at, plank.node.inputs[2])
    long = mat.add("Mapping", vector=plank, scale=(1.0, 9.0, 1.0))
    figure = mat.add("TexNoise", vector=long, scale=2.2, detail=5.0, roughness=0.6, distortion=0.6)
    rings = mat.add(
        "TexWave",
        "Factor",
        {"bands_direction": "Y"},
        vector=mat.add("Mapping", vector=plank, scale=(0.18, 1, 1)),
        scale=9.0,
        distortion=7.0,
        detail=2.0,
        detail_scale=0.8,
    )
    pores = mat.add(
        "TexNoise", vector=mat.add("Mapping", vector=plank, scale=(9.0, 320.0, 1)), scale=1.0, detail=2.0
    )
    colour = mat.ramp(mat.mix("MIX", 0.2, figure, rings), (0.28, dark), (0.5, mid), (0.74, light))
    colour = mat.mix("MULTIPLY", 0.55, colour, mat.ramp(pores, (0.36, 0.35), (0.52, 1.0)))
    colour = mat.mix("MULTIPLY", 0.5, colour, mat.ramp(tone, (0.0, 0.55), (1.0, 1.0)))
    colour = mat.mix("MIX", seam, colour, (0.012, 0.007, 0.004, 1))
    groove = mat.bump(mat.mix("SUBTRACT", seam, pores, white), 0.0005)
    mat.set(
        mat.shader, base_color=colour, roughness=mat.ramp(figure, (0.3, 0.34), (0.7, 0.52)), normal=groove
    )
    return mat


def tiles(name: str, colour: RGB, side: float = 0.17, turn: float = 0.0) -> Material:
    """Stone tiles ``side`` wide with pale joints."""
    mat = Material(name)
    at = mat.coordinates(turn=turn)
    tone = mat.add(
        "TexBrick",
        0,
        {"offset": 0.0},
        vector=at,
        color1=(0.8, 0.8, 0.8, 1),
        color2=(1, 1, 1, 1),
        mortar=(0.85, 0.85, 0.85, 1),
        scale=1.0,
        mortar_size=0.0018,
        mortar_smooth=0.35,
        brick_width=side,
        row_height=side,
    )
    cloud = mat.add("TexNoise", vector=at, scale=9.0, detail=6.0, roughness=0.62, distortion=0.9)
    shades = [
        (0.25, tuple(0.62 * c for c in colour)),
        (0.5, colour),
        (0.8, tuple(min(1.0, 1.3 * c) for c in colour)),
    ]
    stone = mat.mix("MULTIPLY", 0.8, mat.ramp(cloud, *shades), tone)
    joint = tone.node.outputs["Factor"]
    stone = mat.mix("MIX", joint, stone, (0.42, 0.40, 0.37, 1))
    mat.set(
        mat.shader,
        base_color=stone,
        roughness=mat.ramp(cloud, (0.3, 0.28), (0.7, 0.45)),
        normal=mat.bump(mat.mix("SUBTRACT", 1.0, mat.ramp(cloud, (0, 0.9), (1, 1.0)), joint), 0.0008),
    )
    return mat


def rough(
    name: str, colour: RGB, grain: float, depth: float, tint: float = 0.2, stretch: RGB = (1, 1, 1)
) -> Material:
    """A matt surface with grain: plaster, cloth, paper or cork, by how coarse and how deep it is."""
    mat = Material(name, roughness=0.75, specular_ior_level=0.3)
    fine = mat.add("TexNoise", vector=mat.coordinates(stretch), scale=grain, detail=4.0, roughness=0.6)
    broad = mat.add("TexNoise", vector=mat.coordinates(), scale=3.0, detail=3.0)
    base = mat.mix("MULTIPLY", tint, (*colour, 1), mat.ramp(broad, (0.3, 0.6), (0.7, 1.0)))
    base = mat.mix("MULTIPLY", tint, base, mat.ramp(fine, (0.35, 0.45), (0.6, 1.0)))
    mat.set(mat.shader, base_color=base, normal=mat.bump(fine, depth))
    return mat


def glass(name: str, colour: RGB) -> Material:
    """Dark bottle glass with something dark in it: opaque but for a tinted sheen under a polished surface."""
    mat = Material(name, roughness=0.04, ior=1.52, coat_weight=1.0, coat_roughness=0.02)
    facing = mat.add("LayerWeight", "Facing", blend=0.35)
    red, green, blue = colour
    bright = (3.5 * red, 3.5 * green, 3.5 * blue)
    mat.set(mat.shader, base_color=mat.ramp(facing, (0.25, colour), (0.95, bright)))
    return mat
