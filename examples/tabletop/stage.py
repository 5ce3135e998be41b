"""Scenes rendered by MuJoCo: a picture with soft shadows and lens blur, and the mask of each object.

MuJoCo draws hard shadows and sharp edges. A picture here is the mean of several drawings, between which the
lamp, a second light from a random side of the sky, the lens and the pixel grid are moved a little: soft
shadows, ambient occlusion, depth of field and smooth edges at once. Needs a software or hardware OpenGL that
MuJoCo can use (``MUJOCO_GL`` = osmesa, egl or glfw).
"""

# pyright: reportAttributeAccessIssue=false
# MuJoCo ships no type stubs for its compiled modules.

from collections.abc import Sequence
from types import TracebackType
from typing import Self

import mujoco
import numpy as np

from examples.tabletop.asset import Asset, Part
from examples.tabletop.scene import Light, Placed, Room, Scene
from examples.tabletop.surfaces import Surface
from examples.tabletop.vocabulary import METALS

SIZE = 256
_SHOWN, _HIDDEN = 1, 5  # geom groups
_GLOSS = {  # specular, shininess
    "matte": (0.02, 0.1),
    "satin": (0.15, 0.3),
    "glossy": (0.45, 0.75),
    "metal": (0.8, 0.6),
    "glass": (0.7, 0.9),
}
_ROOM = ("table", "wall", "floor")


class Stage:
    """Assets and surfaces loaded once, scenes of them rendered many times. A context manager."""

    def __init__(self, assets: Sequence[Asset], surfaces: Sequence[Surface], samples: int = 8) -> None:
        """Load everything; ``samples`` drawings make a picture."""
        self.assets, self.surfaces, self.samples = tuple(assets), tuple(surfaces), samples
        self.model = _compile(self.assets, self.surfaces)
        # Without this MuJoCo takes the room's geoms to stay where they were compiled.
        self.model.geom_sameframe[[self.model.geom(name).id for name in _ROOM]] = 0
        self._data = mujoco.MjData(self.model)
        self._renderer = mujoco.Renderer(self.model, SIZE, SIZE)
        self._options = mujoco.MjvOption()
        self._options.geomgroup[:] = 0
        self._options.geomgroup[_SHOWN] = 1
        self._body = [self.model.body(f"asset{i}").id for i in range(len(self.assets))]
        self._owner = np.array([_number(self.model.geom(g).name) for g in range(self.model.ngeom)])

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the OpenGL context back."""
        self._renderer.close()

    def render(self, scene: Scene) -> tuple[np.ndarray, np.ndarray]:
        """The picture, uint8 [256, 256, 3], and its instance mask, uint8 [256, 256]: k, the k-th object."""
        self._set(scene)
        instances = self._instances(scene)
        rng = np.random.default_rng(scene.seed)
        total = np.zeros((SIZE, SIZE, 3))
        for u, v, a, b in _spread(self.samples, rng):
            self._light(scene.light, a, b, rng)
            self._look(scene, scene.camera.aperture * _disk(a, b), (u - 0.5, v - 0.5))
            total += self._renderer.render()
        return (total / self.samples + 0.5).astype(np.uint8), instances

    def instances(self, scene: Scene) -> np.ndarray:
        """The instance mask alone, for a tenth of a picture's time."""
        self._set(scene)
        return self._instances(scene)

    def _set(self, scene: Scene) -> None:
        model = self.model
        model.geom_group[self._owner >= 0] = _HIDDEN
        for thing in scene.objects:
            body = self._body[thing.asset]
            model.geom_group[self._owner == thing.asset] = _SHOWN
            turn = np.radians(thing.yaw) / 2
            self._data.mocap_pos[model.body_mocapid[body]] = (*thing.xy, 0)
            self._data.mocap_quat[model.body_mocapid[body]] = (np.cos(turn), 0, 0, np.sin(turn))
            self._paint(thing)
        self._furnish(scene.room)
        model.vis.global_.fovy = scene.camera.field_of_view
        model.vis.headlight.ambient[:] = scene.light.ambient
        mujoco.mj_forward(model, self._data)

    def _paint(self, thing: Placed) -> None:
        for k, part in enumerate(self.assets[thing.asset].parts):
            if not part.paint:
                continue
            material = self.model.material(f"asset{thing.asset}_{k}")
            material.rgba[:3] = thing.rgb
            specular, shininess = _GLOSS["metal" if thing.colour in METALS else part.finish]
            material.specular[:], material.shininess[:] = specular, shininess

    def _furnish(self, room: Room) -> None:
        model = self.model
        turn = np.radians(room.turn) / 2
        table, wall, floor = (model.geom(name) for name in _ROOM)
        table.pos[:] = (*room.centre, -0.02)
        table.size[:] = (*room.half, 0.02)
        table.quat[:] = (np.cos(turn), 0, 0, np.sin(turn))
        # At an azimuth of 180 degrees the camera looks towards -x.
        wall.pos[:] = (-room.wall_at, 0, 1.5)
        floor.pos[:] = (0, 0, -0.7)
        for geom, index, tint in zip(
            (table, wall, floor), (room.table, room.wall, room.floor), room.tints, strict=True
        ):
            geom.matid[:] = model.material(f"{geom.name}{index}").id
            model.mat_rgba[geom.matid[0], :3] = tint
        model.mat_reflectance[table.matid[0]] = room.mirror

    def _light(self, light: Light, a: float, b: float, rng: np.random.Generator) -> None:
        key, dome = self.model.light("key"), self.model.light("dome")
        toward = -np.array(light.position) / np.linalg.norm(light.position)
        side, up = _across(toward)
        x, y = light.radius * _disk(b, a)
        key.pos[:] = np.array(light.position) + x * side + y * up
        key.dir[:] = -key.pos / np.linalg.norm(key.pos)
        key.diffuse[:] = key.specular[:] = light.key
        height, around = np.sqrt(rng.uniform(0.08, 1)), rng.uniform(0, 2 * np.pi)
        flat = np.sqrt(1 - height**2)
        dome.pos[:] = 1.6 * np.array([flat * np.cos(around), flat * np.sin(around), height])
        dome.dir[:] = -dome.pos / 1.6
        dome.diffuse[:] = light.dome
        dome.specular[:] = 0.3 * np.array(light.dome)
        mujoco.mj_forward(self.model, self._data)

    def _look(self, scene: Scene, lens: np.ndarray, pixel: tuple[float, float]) -> None:
        camera = mujoco.MjvCamera()
        camera.lookat[:], camera.distance = scene.camera.look, scene.camera.distance
        camera.azimuth, camera.elevation = scene.camera.azimuth, scene.camera.elevation
        self._renderer.update_scene(self._data, camera, self._options)
        for eye in self._renderer.scene.camera:
            forward, up = np.array(eye.forward), np.array(eye.up)
            right = np.cross(forward, up)
            eye.pos[:] = eye.pos + lens[0] * right + lens[1] * up
            # Shifting the image plane against the lens keeps the plane in focus where it was.
            step = (eye.frustum_top - eye.frustum_bottom) / SIZE
            shift = -lens * eye.frustum_near / scene.camera.distance + np.array(pixel) * step
            eye.frustum_center += shift[0]
            eye.frustum_bottom += shift[1]
            eye.frustum_top += shift[1]

    def _instances(self, scene: Scene) -> np.ndarray:
        self._renderer.enable_segmentation_rendering()
        try:
            self._look(scene, np.zeros(2), (0.0, 0.0))
            drawn = self._renderer.render()
        finally:
            self._renderer.disable_segmentation_rendering()
        geom = (drawn[..., 0] >= 0) & (drawn[..., 1] == int(mujoco.mjtObj.mjOBJ_GEOM))
        owner = np.where(geom, self._owner[np.clip(drawn[..., 0], 0, None)], -1)
        instances = np.zeros((SIZE, SIZE), np.uint8)
        for k, thing in enumerate(scene.objects):
            instances[owner == thing.asset] = k + 1
        return instances


def _compile(assets: Sequence[Asset], surfaces: Sequence[Surface]) -> mujoco.MjModel:
    spec = mujoco.MjSpec()
    # Frames are drawn at the size they are wanted in: the mean over samples smooths the edges.
    spec.visual.global_.offwidth = spec.visual.global_.offheight = SIZE
    spec.visual.quality.shadowsize = 512
    spec.visual.quality.offsamples = 0
    spec.visual.headlight.diffuse = spec.visual.headlight.specular = [0.0] * 3
    spec.visual.map.znear, spec.visual.map.zfar = 0.02, 20
    spec.visual.map.shadowclip, spec.visual.map.shadowscale = 0.6, 0.4
    spec.stat.extent, spec.stat.center, spec.stat.meansize = 1.0, [0, 0, 0.1], 0.1
    _add_room(spec, surfaces)
    for i, asset in enumerate(assets):
        body = spec.worldbody.add_body(name=f"asset{i}", mocap=True)
        for k, part in enumerate(asset.parts):
            _add_part(spec, body, f"asset{i}_{k}", part)
    return spec.compile()


def _add_room(spec: mujoco.MjSpec, surfaces: Sequence[Surface]) -> None:
    for i, surface in enumerate(surfaces):
        _add_texture(spec, f"surface{i}", surface.texture)
        for use in _ROOM:
            # MuJoCo counts a box's repeats over its half size.
            material = spec.add_material(
                name=f"{use}{i}", texuniform=True, texrepeat=[2 / surface.metres] * 2
            )
            material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = f"surface{i}"
            material.specular, material.shininess = 0.4 * surface.gloss, 0.2 + 0.6 * surface.gloss
    box = mujoco.mjtGeom.mjGEOM_BOX
    shared = {"type": box, "group": _SHOWN, "contype": 0, "conaffinity": 0}
    spec.worldbody.add_geom(name="table", size=[2, 2, 0.02], material="table0", **shared)
    spec.worldbody.add_geom(name="wall", size=[0.02, 6, 3], material="wall0", **shared)
    spec.worldbody.add_geom(name="floor", size=[8, 8, 0.01], material="floor0", **shared)
    for name in ("key", "dome"):
        spec.worldbody.add_light(
            name=name,
            type=mujoco.mjtLightType.mjLIGHT_SPOT,
            pos=[0, 0, 1.5],
            dir=[0, 0, -1],
            cutoff=60,
            exponent=0,
            castshadow=True,
        )


def _add_part(spec: mujoco.MjSpec, body: mujoco.MjsBody, name: str, part: Part) -> None:
    mesh = spec.add_mesh(
        name=name,
        uservert=part.vertices.astype(np.float32).ravel(),
        userface=part.faces.astype(np.int32).ravel(),
        inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,
        smoothnormal=part.smooth,
    )
    specular, shininess = _GLOSS[part.finish]
    opacity = 0.35 if part.finish == "glass" else 1.0
    material = spec.add_material(name=name, rgba=[*part.rgb, opacity], specular=specular, shininess=shininess)
    if part.texture is not None and part.uv is not None:
        # MuJoCo counts v downwards.
        mesh.usertexcoord = (part.uv * (1, -1) + (0, 1)).astype(np.float32).ravel()
        _add_texture(spec, name, part.texture)
        material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = name
    body.add_geom(
        name=name,
        type=mujoco.mjtGeom.mjGEOM_MESH,
        meshname=name,
        material=name,
        group=_HIDDEN,
        contype=0,
        conaffinity=0,
    )


def _add_texture(spec: mujoco.MjSpec, name: str, pixels: np.ndarray) -> None:
    height, width = pixels.shape[:2]
    texture = spec.add_texture(
        name=name, type=mujoco.mjtTexture.mjTEXTURE_2D, width=width, height=height, nchannel=3
    )
    texture.data = np.ascontiguousarray(pixels).tobytes()


def _number(name: str) -> int:
    return int(name.removeprefix("asset").split("_")[0]) if name.startswith("asset") else -1


def _spread(count: int, rng: np.random.Generator) -> np.ndarray:
    """[count, 4] points spread evenly over the unit cube (Kronecker sequence of the plastic constants)."""
    step = np.array([0.8566748838545029, 0.733891856627126, 0.6287067210378087, 0.5385972572236101])
    return (rng.random(4) + np.arange(count)[:, None] * step) % 1


def _disk(a: float, b: float) -> np.ndarray:
    """A point of the unit disk from one of the unit square."""
    return np.sqrt(a) * np.array([np.cos(2 * np.pi * b), np.sin(2 * np.pi * b)])


def _across(forward: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    side = np.cross(forward, [0.0, 0.0, 1.0])
    side /= np.linalg.norm(side) + 1e-9
    return side, np.cross(side, forward)
