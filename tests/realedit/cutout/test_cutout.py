"""What the shipped network cuts out: scenes whose truth is known, large photos, hints of every kind."""

from __future__ import annotations

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import Image

from realedit.cutout.cutout import FOLDER, CutOut
from realedit.cutout.features import load_features
from realedit.cutout.hints import Hint
from realedit.cutout.network import CutOutNetwork, Pyramid
from realedit.errors import ModelUnavailableError, NumericalError, PhotoError, UsageError

CASES = Path(__file__).parents[3] / "examples" / "cases"
SOME = ("000", "004", "008", "012", "016", "020")


@pytest.fixture(scope="module")
def cut() -> CutOut:
    return CutOut.load()


def case(name: str) -> tuple[np.ndarray, np.ndarray]:
    photo = Image.open(CASES / f"{name}_photo.webp").convert("RGB")
    mask = Image.open(CASES / f"{name}_mask.webp").convert("L").resize(photo.size)
    return np.asarray(photo), np.asarray(mask) > 127


def iou(alpha: np.ndarray, mask: np.ndarray) -> float:
    drawn = alpha > 0.5
    return float((drawn & mask).sum() / (drawn | mask).sum())


def deepest(mask: np.ndarray) -> tuple[float, float]:
    depth = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    return (float(x + 0.5) / mask.shape[1], float(y + 0.5) / mask.shape[0])


def around(mask: np.ndarray) -> tuple[float, float, float, float]:
    ys, xs = np.nonzero(mask)
    height, width = mask.shape
    return (
        float(xs.min() / width),
        float(ys.min() / height),
        float((xs.max() + 1) / width),
        float((ys.max() + 1) / height),
    )


def two_balls(height: int, width: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Two lit balls on a grained board, a photo's light and noise over all, and their masks."""
    rng = np.random.default_rng(0)
    ys, xs = np.mgrid[:height, :width]
    grain = cv2.GaussianBlur(rng.normal(size=(height, width)), (0, 0), sigmaX=width / 25, sigmaY=1.5)
    board = np.array([150, 120, 85]) + 260 * grain[..., None] * np.array([1, 0.9, 0.7])
    masks: list[np.ndarray] = []
    radius = 0.19 * height
    for x, colour in ((0.32, (190, 50, 40)), (0.68, (40, 80, 170))):
        u, v = (xs - x * width) / radius, (ys - 0.5 * height) / radius
        inside = u**2 + v**2 < 1
        light = 0.35 + 0.8 * np.clip(-0.5 * u - 0.6 * v + 0.6 * np.sqrt(np.clip(1 - u**2 - v**2, 0, 1)), 0, 1)
        shade = np.exp(-((u - 0.5) ** 2 / 1.5 + (v - 0.9) ** 2 / 0.3))
        board = board * (1 - 0.4 * shade[..., None])
        board = np.where(inside[..., None], np.array(colour) * light[..., None], board)
        masks.append(inside)
    board = cv2.GaussianBlur(board, (0, 0), 0.7) + rng.normal(0, 3, board.shape)
    return np.clip(board, 0, 255).astype(np.uint8), masks[0], masks[1]


@pytest.mark.parametrize(("by", "floor"), [("point", 0.75), ("box", 0.85), ("mask", 0.85), ("heat", 0.8)])
def test_rendered_scenes_are_cut_out(cut: CutOut, by: str, floor: float) -> None:
    found: list[float] = []
    for name in SOME:
        photo, mask = case(name)
        small = cv2.GaussianBlur(cv2.resize(mask.astype(np.float32), (16, 16)), (0, 0), 0.8)
        rough = cv2.dilate(mask.astype(np.uint8), np.ones((9, 9), np.uint8)).astype(np.float32)
        hint = {
            "point": Hint((deepest(mask),)),
            "box": Hint(box=around(mask)),
            "mask": Hint(mask=rough),
            "heat": Hint(heat=small),
        }[by]
        found.append(iou(cut.answers(photo, hint, most=1)[0].alpha, mask))
    assert np.mean(found) > floor, found


def test_answers_are_alphas_of_the_photo(cut: CutOut) -> None:
    photo, mask = case("000")
    answers = cut.answers(photo, Hint((deepest(mask),)))
    assert 1 <= len(answers) <= 3
    for answer in answers:
        assert answer.alpha.shape == mask.shape
        assert answer.alpha.dtype == np.float32
        assert 0 <= answer.alpha.min() <= answer.alpha.max() <= 1
        assert 0 <= answer.confidence <= 1


def test_each_of_two_things_is_its_own(cut: CutOut) -> None:
    photo, left, right = two_balls(288, 432)
    for mask in (left, right):
        (answer,) = cut.answers(photo, Hint((deepest(mask),)), most=1)
        assert iou(answer.alpha, mask) > 0.9


def test_a_point_that_is_ruled_out_is_left_out(cut: CutOut) -> None:
    photo, left, right = two_balls(288, 432)
    both = around(left | right)
    without = cut.answers(photo, Hint((deepest(left),), (deepest(right),), box=both), most=1)[0].alpha
    assert without[left].mean() > 0.8
    assert without[right].mean() < 0.2


def test_a_large_photo_keeps_sharp_edges(cut: CutOut) -> None:
    photo, left, _ = two_balls(2000, 3000)
    alpha = cut.answers(photo, Hint(box=around(left)), most=1)[0].alpha
    assert alpha.shape == left.shape
    assert iou(alpha, left) > 0.95
    # Two thirds of the outline within 8 of 3000 pixels
    wrong = ((alpha > 0.5) != left).sum() / (2 * np.pi * 0.19 * 2000)
    assert wrong < 12


def test_a_mirrored_photo_has_the_mirrored_answer(cut: CutOut) -> None:
    photo, mask = case("004")
    x, y = deepest(mask)
    plain = cut.answers(photo, Hint(((x, y),)), most=1)[0].alpha
    turned = cut.answers(np.ascontiguousarray(photo[:, ::-1]), Hint(((1 - x, y),)), most=1)[0].alpha
    assert iou(turned[:, ::-1], plain > 0.5) > 0.9


@pytest.mark.parametrize("shape", [(1, 1), (16, 16), (7, 300), (500, 40)])
def test_photos_of_any_shape_have_an_answer(cut: CutOut, shape: tuple[int, int]) -> None:
    photo = np.full((*shape, 3), 128, np.uint8)
    (answer,) = cut.answers(photo, Hint(((0.5, 0.5),)), most=1)
    assert answer.alpha.shape == shape
    assert np.isfinite(answer.alpha).all()


def test_the_same_question_has_the_same_answer(cut: CutOut) -> None:
    photo, mask = case("008")
    one, other = (cut.answers(photo, Hint(box=around(mask)), most=1)[0] for _ in range(2))
    np.testing.assert_array_equal(one.alpha, other.alpha)
    assert one.confidence == other.confidence


def test_what_is_no_photo_is_refused(cut: CutOut) -> None:
    with pytest.raises(PhotoError, match="the photo is float32"):
        cut.answers(np.zeros((8, 8, 3), np.float32), Hint(((0.5, 0.5),)))
    with pytest.raises(UsageError, match="nothing says"):
        cut.answers(np.zeros((8, 8, 3), np.uint8), Hint())


def test_weights_that_went_wrong_are_told() -> None:
    network = CutOutNetwork()
    with torch.no_grad():
        network.finest.weight.fill_(float("nan"))
    broken = CutOut(network, Pyramid(load_features()))
    with pytest.raises(NumericalError, match="not a number"):
        broken.answers(np.zeros((32, 32, 3), np.uint8), Hint(((0.5, 0.5),)))


def test_what_is_saved_is_loaded_again(cut: CutOut, tmp_path: Path) -> None:
    cut.save(tmp_path)
    again = CutOut.load(tmp_path).network.state_dict()
    for name, value in cut.network.state_dict().items():
        torch.testing.assert_close(again[name], value)
    assert (tmp_path / "model.safetensors").stat().st_size < 8e6


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_damaged_file_is_told_in_one_line(tmp_path: Path, name: str) -> None:
    shutil.copytree(FOLDER, tmp_path / "cutout")
    (tmp_path / "cutout" / name).write_bytes(b"{}")
    with pytest.raises(ModelUnavailableError, match=r"the cut-out network in .* cannot be read"):
        CutOut.load(tmp_path / "cutout")


def test_a_folder_without_features_is_told(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailableError, match="holds no recogniser"):
        CutOut.load(features=tmp_path)
