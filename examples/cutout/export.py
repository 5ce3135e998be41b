"""Write what ships: a checkpoint's running mean of the weights, in float16.

python -m examples.cutout.export CHECKPOINT realedit/assets/cutout
"""

from pathlib import Path

import cyclopts

from examples.cutout.evaluate import load


def main(checkpoint: Path, output: Path, /) -> None:
    """Export CHECKPOINT into the folder OUTPUT."""
    load(checkpoint).save(output)


if __name__ == "__main__":
    cyclopts.run(main)
