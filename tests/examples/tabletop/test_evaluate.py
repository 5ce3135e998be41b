"""The parts of the evaluation that have a closed form; the rest needs trained weights."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

from examples.tabletop.classifier import Classifier
from examples.tabletop.evaluate_control import candidate_boxes, colours_of
from examples.tabletop.evaluate_levels import LEVELS, by_level
from examples.tabletop.evaluate_localisation import best_threshold, load_editor, situations
from examples.tabletop.frames import Frame
from examples.tabletop.sampling import Sampling, draw_prompts, sample, sheet
from examples.tabletop.tokenizer import words
from examples.tabletop.vocabulary import COLOURS, NOUNS
from realedit.errors import ObjectNotFoundError
from realedit.models.choice import resolve_model
from realedit.models.loading import load_pipeline

EMBEDDED = Path(__file__).resolve().parents[3] / "realedit" / "assets" / "tabletop"


def test_the_best_threshold_parts_the_words_that_are_there_from_those_that_are_not() -> None:
    clear = best_threshold(np.array([0.5, 0.6, 0.9]), np.array([0.1, 0.2, 0.3]))
    assert clear == {"threshold": 0.5, "present_found": 1, "absent_found": 0}
    mixed = best_threshold(np.array([0.2, 0.6, 0.7, 0.8]), np.array([0.1, 0.3, 0.4, 0.65]))
    assert mixed == {"threshold": 0.6, "present_found": 0.75, "absent_found": 0.25}


@pytest.mark.parametrize(
    ("box", "nouns", "hard"),
    [
        ((100, 160, 100, 160), ("mug", "bowl"), {"alone"}),
        ((100, 160, 141, 200), ("mug", "bowl"), {"touching"}),
        ((100, 160, 197, 256), ("mug", "bowl"), {"border"}),
        ((100, 160, 100, 110), ("mug", "bowl"), {"thin", "small"}),
        ((100, 160, 100, 160), ("mug", "mug"), {"same noun"}),
        ((0, 20, 60, 80), ("mug", "mug"), {"border", "small", "same noun"}),
    ],
)
def test_what_makes_an_object_hard_to_cut_out_is_told_from_its_mask(
    box: tuple[int, int, int, int], nouns: tuple[str, str], hard: set[str]
) -> None:
    instances = np.zeros((256, 256), np.uint8)
    instances[100:160, 201:250] = 2
    top, bottom, left, right = box
    instances[top:bottom, left:right] = 1
    scene = {"objects": [{"noun": noun} for noun in nouns]}
    frame = Frame(np.zeros((256, 256, 3), np.uint8), instances, scene)
    assert situations(frame, nouns[0], instances == 1) == hard


def test_a_folder_without_a_recogniser_is_held_to_the_embedded_models_thresholds(
    tmp_path: Path,
) -> None:
    for part in EMBEDDED.iterdir():
        if part.name != "recogniser":
            (tmp_path / part.name).symlink_to(part)
    editor = load_editor(tmp_path)
    inverted = editor.invert(
        EMBEDDED.parents[2] / "examples" / "photos" / "mug.jpg", "a photo of a quaxle", steps=5
    )
    with pytest.raises(ObjectNotFoundError) as caught:
        editor.locate(inverted, "quaxle")
    assert caught.value.detail.endswith(f"needs {editor.engine.profile.found_spelt}")


def test_candidate_boxes_lie_in_the_picture_and_leave_no_place_out() -> None:
    boxes = candidate_boxes(256)
    assert len(set(boxes)) == len(boxes)
    for left, top, side in boxes:
        assert 0 <= min(left, top)
        assert max(left, top) + side <= 256
    assert (0, 0, 256) in boxes
    for side in {side for _, _, side in boxes}:
        covered = np.zeros((256, 256), bool)
        for left, top, its in boxes:
            if its == side:
                covered[top : top + side, left : left + side] = True
        assert covered.all()
        lefts = sorted({left for left, _, its in boxes if its == side})
        assert all(b - a <= side / 2 for a, b in pairwise(lefts))


def test_a_noun_is_asked_for_in_the_colours_that_scenes_hold() -> None:
    pytest.importorskip("efficientnet_lite_pytorch")
    judge = Classifier.new(("banana", "mug", "sauce", "vase"), ("green", "red", "yellow"))
    things = [("banana", "yellow"), ("mug", "red"), ("mug", "green"), ("sauce", None), ("bear", "red")]
    scenes = [{"objects": [{"noun": noun, "colour": colour}]} for noun, colour in things]
    scenes.append({"objects": [{"noun": "banana", "colour": "green"}, {"noun": "vase", "colour": "pink"}]})
    empty = np.zeros((1, 1), np.uint8)
    frames = [Frame(empty, empty, scene) for scene in scenes]
    assert colours_of(frames, judge) == {"banana": ("green", "yellow"), "mug": ("green", "red")}
    assert colours_of([], judge) == dict.fromkeys(judge.nouns[:-1], judge.colours)


class Mean(nn.Module):
    """Colour means as features, to compare pictures by."""

    num_features = 3

    def forward(self, pictures: Tensor) -> Tensor:
        return pictures.float().mean((2, 3))


@pytest.mark.filterwarnings("ignore::UserWarning")  # torchmetrics': memory, and versions of its own
def test_distances_are_zero_between_halves_of_one_distribution_and_grow_with_the_shift() -> None:
    pytest.importorskip("torchmetrics")
    from examples.tabletop.evaluate_distance import compare

    rng = np.random.default_rng(0)
    means = rng.normal(120, 15, (3, 200, 1, 1, 3)).clip(0, 255)
    pictures = np.broadcast_to(means, (3, 200, 8, 8, 3)).astype(np.uint8)
    same = compare(Mean(), pictures[0], pictures[1], "same")
    shifted = compare(Mean(), (pictures[0] + 20).astype(np.uint8), pictures[1], "shifted")
    assert abs(same["kid"]) < 0.05 * shifted["kid"]
    assert same["fid"] < 30
    # Between Gaussians of one covariance: the squared distance of the means.
    difference = (pictures[0] + 20.0).mean((0, 1, 2)) - pictures[1].mean((0, 1, 2))
    assert shifted["fid"] == pytest.approx((difference**2).sum(), rel=0.05)


# EulerDiscreteScheduler's own.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_a_sample_depends_on_the_seed_and_its_number_alone() -> None:
    prompts = ["a red mug on a table"] * 2
    together, apart = (sample(EMBEDDED, prompts, Sampling(1, 3.0, seed=4, batch=batch)) for batch in (2, 1))
    assert (together.dtype, together.shape) == (np.uint8, (2, 256, 256, 3))
    assert np.abs(together.astype(int) - apart).max() <= 2
    assert np.abs(together[0].astype(int) - together[1]).mean() > 2  # the same prompt, another number
    other = sample(EMBEDDED, prompts[:1], Sampling(1, 3.0, seed=5))
    assert np.abs(together[0].astype(int) - other[0]).mean() > 2


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_a_sampled_window_is_half_a_picture_told_so_by_its_sizes() -> None:
    prompts, noise = (
        ["a red mug on a table"],
        torch.Generator().manual_seed(int(np.random.default_rng((4, 0)).integers(2**62))),
    )
    pipeline = load_pipeline(resolve_model(EMBEDDED), device="cpu", dtype=torch.float32)
    told: Any = {"original_size": (256, 256), "crops_coords_top_left": (64, 64), "target_size": (128, 128)}
    expected = pipeline(
        prompts,
        num_inference_steps=2,
        guidance_scale=3.0,
        height=128,
        width=128,
        output_type="np",
        latents=torch.randn(1, 4, 32, 32, generator=noise),
        return_dict=False,
        **told,
    )[0]
    found = sample(EMBEDDED, prompts, Sampling(2, 3.0, seed=4, window=True))
    assert found.shape == (1, 128, 128, 3)
    assert np.abs(found / 255 - expected).max() <= 1 / 255


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_noise_about_the_mean_of_bright_scenes_becomes_a_brighter_picture(tmp_path: Path) -> None:
    for name, grey in (("bright", 230), ("dark", 30)):
        (tmp_path / name).mkdir()
        np.save(tmp_path / name / "images.npy", np.full((2, 256, 256, 3), grey, np.uint8))
        np.save(tmp_path / name / "instances.npy", np.zeros((2, 256, 256), np.uint8))
        (tmp_path / name / "scenes.jsonl").write_text('{"objects": []}\n' * 2)
    bright, dark = (
        sample(EMBEDDED, ["a mug on a table"], Sampling(4, 1.0, seed=4, about=tmp_path / name))
        for name in ("bright", "dark")
    )
    assert bright.mean() > dark.mean() + 10


@pytest.mark.slow
def test_a_pictures_own_caption_takes_more_of_the_error_away_than_anothers() -> None:
    cases = Path(__file__).resolve().parents[3] / "examples" / "cases"
    lines = (cases / "cases.jsonl").read_text(encoding="utf-8").splitlines()[:12]
    photos = np.stack([np.asarray(Image.open(cases / f"{k:03d}_photo.webp")) for k in range(len(lines))])
    found = by_level(EMBEDDED, photos, [json.loads(line)["prompt"] for line in lines], seed=0)
    errors = [found[str(level)]["untold"] for level in LEVELS]
    assert errors == sorted(errors, reverse=True)  # noise hides more and more of a picture
    assert np.mean([found[str(level)]["gain"] for level in LEVELS]) > 0
    assert np.mean([found[str(level)]["harm"] + found[str(level)]["gain"] for level in LEVELS]) > 0.005


def test_a_sheet_has_its_pictures_in_rows() -> None:
    pictures = [np.full((256, 256, 3), 10 * k, np.uint8) for k in range(5)]
    page = np.asarray(sheet(pictures, ["a"] * 5, 2, 64))
    found = [int(value) for value in np.unique(page[..., 0]) if (page[..., 0] == value).sum() > 0.9 * 64 * 64]
    assert set(range(0, 50, 10)) <= set(found)
    first = {value: np.argwhere((page == value).all(2))[0] for value in (10, 20, 30)}
    assert first[10][0] < first[20][0] == first[30][0]  # two in a row
    assert first[20][1] < first[30][1]


def test_prompts_name_a_few_things_in_the_models_words() -> None:
    prompts = draw_prompts(200, 3, 0)
    assert prompts == draw_prompts(200, 3, 0) != draw_prompts(200, 3, 1)
    counts = [sum(noun in prompt for noun in NOUNS) for prompt in prompts]
    assert min(counts) == 1
    for prompt in prompts:
        assert set(prompt.replace(",", " ,").split()) <= set(words())
        assert sum(word in COLOURS for word in prompt.split()) in (1, 2, 3)
