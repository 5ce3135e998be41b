"""Move objects whose true new picture is known, and measure how near each way of doing it comes.

    python examples/evaluate_move.py FOLDER [--json FILE] [--first N] [--limit N] [--bare]

FOLDER holds ``cases.jsonl`` (id, prompt, object, dx, dy) and, for each id, ``ID_photo.png``, ``ID_mask.png``,
``ID_moved.png`` and ``ID_moved_mask.png``. Needs ``pip install "realedit[bench]"``.

Figures: ST-LPIPS (alex; Ghildyal & Liu 2022; 0 is equal, lower is better) of the picture to the truth,
with the 95 % interval of the paired difference to the default; mask IoU of the object found by its word;
share of objects whose centroid, by the edit's own matte, lies within 0.02 of the truth's, in widths.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import math
import sys
import time
import warnings
from pathlib import Path

import cv2
import numpy as np
import torch
from PIL import Image

from realedit import Location, Move, RealEditError, RealEditPipeline, Settings

WAYS = {
    "realedit": Settings(),
    "realedit, self-guidance off": Settings(self_guidance=0),
    "realedit, no resampling (pixels alone)": Settings(resample=0),
    "realedit, model's pixels unsmoothed": Settings(smooth=0),
    "realedit, unsmoothed, self-guidance off": Settings(smooth=0, self_guidance=0),
}


def perceptual_distance():  # noqa: ANN201
    """ST-LPIPS as a function of two uint8 pictures ``[H, W, 3]``."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from stlpips_pytorch import stlpips

        model = stlpips.LPIPS(net="alex", variant="shift_tolerant", verbose=False).eval()

    def as_tensor(rgb: np.ndarray) -> torch.Tensor:
        return torch.from_numpy(rgb.copy()).permute(2, 0, 1)[None].float() / 127.5 - 1

    @torch.no_grad()
    def distance(a: np.ndarray, b: np.ndarray) -> float:
        return model(as_tensor(a), as_tensor(b)).item()

    return distance


def paste(photo: np.ndarray, mask: np.ndarray, dx: float, dy: float) -> np.ndarray:
    """The classical baseline, with the true mask: Telea's inpainting behind, the object pasted in front."""
    h, w = mask.shape
    behind = cv2.inpaint(
        photo, cv2.dilate(mask.astype(np.uint8), np.ones((9, 9), np.uint8)), 5, cv2.INPAINT_TELEA
    )
    shift = np.array([[1, 0, dx * w], [0, 1, dy * h]], np.float32)
    soft = cv2.GaussianBlur(mask.astype(np.float32), (3, 3), 0)
    alpha = cv2.warpAffine(soft, shift, (w, h)).clip(0, 1)[..., None]
    front = cv2.warpAffine(photo, shift, (w, h), flags=cv2.INTER_CUBIC)
    return (behind * (1 - alpha) + front * alpha).clip(0, 255).round().astype(np.uint8)


def evaluate(folder: Path, first: int, limit: int | None, bare: bool) -> list[dict]:
    """One record a case."""
    distance = perceptual_distance()
    pipeline = RealEditPipeline.from_pretrained(cache=False)
    cases = [json.loads(line) for line in (folder / "cases.jsonl").read_text().splitlines() if line][first:][
        :limit
    ]
    records = []
    for case in cases:

        def picture(kind: str, mode: str = "RGB", name: str = case["id"]) -> np.ndarray:
            return np.asarray(Image.open(folder / f"{name}_{kind}.png").convert(mode))

        photo, truth = picture("photo"), picture("moved")
        mask, moved = picture("mask", "L") > 127, picture("moved_mask", "L") > 127
        record = {"id": case["id"], "no edit": distance(photo, truth)}
        record["paste + Telea, true mask"] = distance(paste(photo, mask, case["dx"], case["dy"]), truth)
        prompt = f"a photo of a {case['object']}" if bare else case["prompt"]
        try:
            began = time.perf_counter()
            inverted = pipeline.invert(photo, prompt)
            record["invert s"] = time.perf_counter() - began
            for way, settings in WAYS.items():
                began = time.perf_counter()
                result = pipeline.edit(
                    inverted, Move(case["object"], case["dx"], case["dy"]), settings=settings, allow_crop=True
                )
                record.setdefault("edit s", time.perf_counter() - began)
                record[way] = distance(result.photo.rgb, truth)
                if way == "realedit":
                    found = result.location.hard
                    record["iou"] = float((found & mask).sum() / (found | mask).sum())
                    record["centroid error"] = centroid_error(result.mask_after, moved)
                    record["changed outside"] = result.metrics["changed_outside_region"]
        except RealEditError as error:
            print(f"{case['id']}: {error}", file=sys.stderr)
            record |= dict.fromkeys(WAYS, record["no edit"]) | {"iou": 0.0, "centroid error": 1.0}
        records.append(record)
        print(f"{case['id']}  {record['realedit']:.4f}  iou {record['iou']:.2f}", file=sys.stderr)
    return records


def centroid_error(matte: np.ndarray, truth: np.ndarray) -> float:
    """Distance between two masks' centroids, as a fraction of the width."""
    h, w = truth.shape
    ends = [Location(None, m.astype(np.float32), m, 1.0, "mask").centroid for m in (matte, truth)]
    (x0, y0), (x1, y1) = ends
    return math.hypot(x1 - x0, (y1 - y0) * h / w)


def table(records: list[dict]) -> str:
    """Markdown."""
    own = np.array([record["realedit"] for record in records])
    rows = [
        "| way | ST-LPIPS to the truth, mean | median | difference to realedit (95 %) |",
        "|---|---|---|---|",
    ]
    for way in ("no edit", "paste + Telea, true mask", *WAYS):
        values = np.array([record[way] for record in records])
        difference = values - own
        spread = 1.96 * difference.std(ddof=1) / math.sqrt(len(difference))
        delta = "" if way == "realedit" else f"{difference.mean():+.4f} +- {spread:.4f}"
        rows.append(f"| {way} | {values.mean():.4f} | {np.median(values):.4f} | {delta} |")

    def mean(name: str) -> float:
        return float(np.mean([record[name] for record in records if name in record]))

    near = np.mean([record["centroid error"] <= 0.02 for record in records])
    rows += [
        "",
        f"{len(records)} cases; mask IoU {mean('iou'):.3f}; centroid within 0.02 of the width: {near:.1%}; "
        f"pixels changed outside the region: {mean('changed outside'):.0f}; "
        f"invert {mean('invert s'):.1f} s, edit {mean('edit s'):.1f} s.",
    ]
    return "\n".join(rows)


def main() -> None:
    """Parse, evaluate, print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--json", type=Path, help="write one record a case here")
    parser.add_argument("--first", type=int, default=0, help="leave out so many cases")
    parser.add_argument("--limit", type=int, help="the first so many cases")
    parser.add_argument(
        "--bare", action="store_true", help="prompt 'a photo of a WORD' instead of the case's own"
    )
    parser.add_argument("--merge", type=Path, nargs="+", help="only print the table of these --json files")
    given = parser.parse_args()
    if given.merge:
        print(table([record for file in given.merge for record in json.loads(file.read_text())]))
        return
    records = evaluate(given.folder, given.first, given.limit, given.bare)
    if given.json:
        given.json.write_text(json.dumps(records, indent=1))
    print(table(records))


if __name__ == "__main__":
    main()
