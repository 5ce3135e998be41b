"""How well it cuts out real photographs: PixelMan's COCOEE set (COCO photographs, masks).

    python -m examples.cutout.evaluate COCOEE --by point --part first --checkpoint FILE --sheet FOLDER

A point is the mask's deepest place, a box the mask's own with 3 % of margin, a heat the mask at 16 x 16
places, blurred. Without ``--checkpoint`` what ships is measured.
``first`` is the first 25 in sorted order, on which settings may be chosen, ``second`` the others.
"""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import cv2
import cyclopts
import numpy as np
import torch
from PIL import Image

from realedit.cutout.cutout import DOUBTFUL, Answer, CutOut
from realedit.cutout.hints import Hint
from realedit.cutout.network import CutOutNetwork

By = Literal["point", "box", "heat"]
Part = Literal["first", "second", "all"]


def read(folder: Path, part: Part) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Name, photo uint8 ``[H, W, 3]`` and mask bool ``[H, W]`` of each."""
    entries = json.loads((folder / "COCOEE_dataset.json").read_text(encoding="utf-8"))
    names = sorted(entries)
    half = 25
    chosen = {"first": names[:half], "second": names[half:], "all": names}[part]
    for name in chosen:
        entry = entries[name]
        photo = Image.open(folder / "COCOEE_images" / entry["original_image_path"]).convert("RGB")
        mask = Image.open(folder / "COCOEE_masks" / entry["mask_path"]).convert("L")
        mask = mask.resize(photo.size, Image.Resampling.NEAREST)
        yield name, np.asarray(photo), np.asarray(mask) > 127


def hinted(mask: np.ndarray, by: By) -> Hint:
    """The hint that is given at a true mask."""
    height, width = mask.shape
    if by == "point":
        deep = cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5)
        y, x = np.unravel_index(deep.argmax(), deep.shape)
        return Hint(positive=((float(x + 0.5) / width, float(y + 0.5) / height),))
    if by == "heat":
        small = cv2.resize(mask.astype(np.float32), (16, 16), interpolation=cv2.INTER_AREA)
        return Hint(heat=cv2.GaussianBlur(small, (0, 0), 1.0))
    ys, xs = np.nonzero(mask)
    w, h = np.ptp(xs) + 1, np.ptp(ys) + 1
    left, right = xs.min() - 0.03 * w, xs.max() + 1 + 0.03 * w
    top, bottom = ys.min() - 0.03 * h, ys.max() + 1 + 0.03 * h
    return Hint(
        box=(
            max(0.0, left / width),
            max(0.0, top / height),
            min(1.0, right / width),
            min(1.0, bottom / height),
        )
    )


def iou(alpha: np.ndarray, mask: np.ndarray) -> float:
    """Intersection over union of an alpha above one half with a mask."""
    drawn = alpha > 0.5
    return float((drawn & mask).sum() / max((drawn | mask).sum(), 1))


def load(checkpoint: Path | None) -> CutOut:
    """What ships, or the running mean of a training's checkpoint."""
    if checkpoint is None:
        return CutOut.load()
    from examples.cutout.train import load_pyramid

    held = torch.load(checkpoint, map_location="cpu", weights_only=True)
    network = CutOutNetwork()
    network.load_state_dict(held["mean"])
    return CutOut(network, load_pyramid())


def main(
    folder: Path,
    /,
    *,
    by: By = "point",
    part: Part = "first",
    checkpoint: Path | None = None,
    threshold: float = DOUBTFUL,
    mirrored: bool = True,
    sheet: Path | None = None,
) -> None:
    """Print mean IoU, the share above 0.5 and 0.8, and what the confidence is worth."""
    cut = load(checkpoint)
    cut.mirrored = mirrored
    rows: list[tuple[float, float, float, float]] = []
    panels: list[np.ndarray] = []
    for name, photo, mask in read(folder, part):
        start = time.monotonic()
        hint = hinted(mask, by)
        answers = cut.answers(photo, hint)
        seconds = time.monotonic() - start
        ious = [iou(answer.alpha, mask) for answer in answers]
        rows.append((ious[0], max(ious), answers[0].confidence, seconds))
        if sheet:
            panels.append(
                panel(
                    photo,
                    mask,
                    hint,
                    answers,
                    f"{name[6:12]} {ious[0]:.2f} {max(ious):.2f} {answers[0].confidence:.2f}",
                )
            )
    table = np.array(rows)
    first, best, sure, seconds = table.T
    right, wrong = first >= 0.5, first < 0.5
    warned = sure < threshold
    print(
        f"{by} {part}: IoU {first.mean():.3f} (best of its answers {best.mean():.3f})  "
        f">0.5 {right.mean():.2f}  >0.8 {(first > 0.8).mean():.2f}  {np.median(seconds):.2f} s; "
        f"confidence < {threshold}: of the wrong {warned[wrong].sum()}/{wrong.sum()}, "
        f"of the right {warned[right].sum()}/{right.sum()}; correlation {np.corrcoef(first, sure)[0, 1]:.2f}"
    )
    if sheet:
        sheet.mkdir(parents=True, exist_ok=True)
        rows_of = [np.concatenate(panels[k : k + 3], 1) for k in range(0, len(panels) - len(panels) % 3, 3)]
        cv2.imwrite(str(sheet / f"{by}_{part}.png"), np.concatenate(rows_of)[..., ::-1])


def panel(photo: np.ndarray, mask: np.ndarray, hint: Hint, answers: list[Answer], text: str) -> np.ndarray:
    """The photo with the true outline and the hint, and up to three answers."""
    side = 170

    def fitted(x: np.ndarray) -> np.ndarray:
        return cv2.resize(x, (side, side), interpolation=cv2.INTER_AREA)

    shown = photo.copy()
    outlines, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    cv2.drawContours(shown, outlines, -1, (255, 255, 0), max(2, shown.shape[0] // 150))
    for x, y in hint.positive:
        cv2.circle(shown, (int(x * shown.shape[1]), int(y * shown.shape[0])), 7, (0, 255, 0), -1)
    tiles = [fitted(shown)]
    for answer in answers[:3]:
        alpha = answer.alpha[..., None]
        tiles.append(
            fitted((photo * alpha + (photo * 0.15 + np.array([130, 0, 130])) * (1 - alpha)).astype(np.uint8))
        )
    tiles += [np.zeros((side, side, 3), np.uint8)] * (4 - len(tiles))
    row = np.concatenate(tiles[:3], 1)
    cv2.putText(row, text, (3, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (0, 0, 0), 3)
    cv2.putText(row, text, (3, 12), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (255, 255, 255), 1)
    return row


if __name__ == "__main__":
    cyclopts.run(main)
