"""How well `locate` cuts out what a word names in real photographs: PixelMan's COCOEE set, by caption.

    python -m examples.cutout.evaluate_words COCOEE --part second

Each photograph's words are asked for as the benchmark reads them ("stop sign"), with its caption as the
prompt, through the public interface: attention, names and the cut-out network as they are by default. A
refusal counts as 0.
"""

import json
from pathlib import Path

import cyclopts
import numpy as np

from examples.cutout.evaluate import Part, iou, read
from realedit import RealEditPipeline
from realedit.errors import ObjectNotFoundError


def main(folder: Path, /, *, part: Part = "second") -> None:
    """Print a line a photograph, mean IoU, and how many wrong and right cut-outs are refused or warned of."""
    pipe = RealEditPipeline.from_pretrained(cache=False)
    entries = json.loads((folder / "COCOEE_dataset.json").read_text(encoding="utf-8"))
    ious: list[float] = []
    doubted: list[bool] = []
    for name, photo, mask in read(folder, part):
        word = " ".join(entries[name]["words"])
        try:
            found = pipe.locate(photo, word, prompt=entries[name]["prompt"])
        except ObjectNotFoundError as error:
            ious.append(0.0)
            doubted.append(True)
            print(f"{name} {word}: refused ({error.message})", flush=True)
            continue
        ious.append(iou(found.mask, mask))
        doubted.append(found.warning is not None)
        print(f"{name} {word}: {ious[-1]:.2f} ({found.confidence:.2f}) {found.warning or ''}", flush=True)
    values, told = np.array(ious), np.array(doubted)
    wrong = values < 0.5
    print(
        f"by caption {part}: IoU {values.mean():.3f}  >0.5 {np.mean(values > 0.5):.2f}  of {len(values)}; "
        f"refused or warned: of the wrong {told[wrong].sum()}/{wrong.sum()}, "
        f"of the right {told[~wrong].sum()}/{(~wrong).sum()}"
    )


if __name__ == "__main__":
    cyclopts.run(main)
