"""How often `locate` refuses, or warns of, the word of what is not in the photo: PixelMan's COCOEE set.

    python -m examples.cutout.evaluate_absent COCOEE --part second

Each photograph is asked for the words of some others of the same part, those with which its own word shares
no class and which its caption does not hold. The captions tell of two or three things each, so that a few of
the words may be in the photo all the same: what is printed is a little too low.
"""

import json
from pathlib import Path

import cyclopts

from examples.cutout.evaluate import Part, read
from realedit import RealEditPipeline
from realedit.errors import ObjectNotFoundError
from realedit.models.words import Words
from realedit.prompts import split


def absent(words: Words, caption: str, own: str, others: list[str], most: int) -> list[str]:
    """Up to ``most`` of the words of other photographs that are not to be seen, each of another meaning."""
    taken: set[int] = set()
    spoken = {words.normalised(word) for word in caption.lower().replace(",", " ").split()}
    found: list[str] = []
    for word in [own, *others]:
        noun = split(words.normalised(word))[1]
        meaning = words.meaning(noun)
        classes = set() if meaning is None else set(meaning.classes)
        new = bool(classes) and not classes & taken
        if new and word is not own and not spoken & set(noun.split()) and len(found) < most:
            found.append(word)
            taken |= classes
        elif word is own:
            taken |= classes
    return found


def main(folder: Path, /, *, part: Part = "second", each: int = 4) -> None:
    """Print a line a word, and how many are refused, warned of, and neither.

    Args:
        folder: COCOEE.
        part: Which half of it.
        each: Words that a photograph is asked for.
    """
    pipe, table = RealEditPipeline.from_pretrained(cache=False), Words.load()
    entries = json.loads((folder / "COCOEE_dataset.json").read_text(encoding="utf-8"))
    photographs = list(read(folder, part))
    spoken = [" ".join(entries[name]["words"]) for name, _, _ in photographs]
    refused = warned = asked = 0
    for number, (name, photo, _) in enumerate(photographs):
        # the next ones first, so that every word is asked for about as often
        others = spoken[number + 1 :] + spoken[:number]
        for word in absent(table, entries[name]["prompt"], spoken[number], others, each):
            asked += 1
            try:
                found = pipe.locate(photo, word, prompt=entries[name]["prompt"])
            except ObjectNotFoundError:
                refused += 1
                print(f"{name} {word}: refused", flush=True)
                continue
            warned += found.warning is not None
            print(f"{name} {word}: {found.confidence:.2f} {'warned' if found.warning else ''}", flush=True)
    print(
        f"absent words {part}: of {asked}, {refused} refused, {warned} found with a warning, "
        f"{asked - refused - warned} without"
    )


if __name__ == "__main__":
    cyclopts.run(main)
