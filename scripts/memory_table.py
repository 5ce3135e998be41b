"""Counts SDXL's memory at some sizes: for the choice of a setting at run time, and as a table for the docs.

    python scripts/memory_table.py          # writes assets/sdxl/memory.json and the table in docs/sdxl.md
    python scripts/memory_table.py --check  # fails if they are not what is counted now

No weights and no card are needed: see ``realedit/inverted/account.py``.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import torch

from realedit.inverted.account import GIB, Account, account
from realedit.inverted.fitting import TABLE
from realedit.models.folder import NETWORKS, read_json
from realedit.models.frugality import SETTINGS
from realedit.models.profile import named
from realedit.models.single_file import CONFIGS

SIZES = ((512, 512), (768, 768), (1024, 1024), (832, 1216))
"""(height, width) in pixels."""
PAGE = Path(__file__).parents[1] / "docs" / "sdxl.md"
BEGIN, END = "<!-- memory: made by scripts/memory_table.py -->", "<!-- end of memory -->"
NAMES = (
    "everything on the card",
    "computed twice, kept on the host",
    "and the VAE in tiles",
    "--offload model",
    "--offload sequential",
)


def counted() -> dict[tuple[int, int], Account]:
    """SDXL's account in half precision with the VAE in float32, by size."""
    configs = {part: read_json(CONFIGS / part / "config.json", part) for part in NETWORKS}
    return {size: account(configs, size, torch.float16, torch.float32, named("sdxl")) for size in SIZES}


def as_json(accounts: dict[tuple[int, int], Account]) -> str:
    """The file that is read at run time."""
    rows = [
        {"pixels": h * w, "level": one.level, "stages": dict(sorted(one.stages.items()))}
        for (h, w), one in accounts.items()
        if h == w
    ]
    weights = next(iter(accounts.values())).weights
    return json.dumps({"weights": weights, "sizes": rows}, indent=2) + "\n"


def as_table(accounts: dict[tuple[int, int], Account]) -> str:
    """The table of the docs: GiB at each stage's peak, by size and setting."""
    stages = list(next(iter(accounts.values())).peaks(SETTINGS[0]))
    lines = [f"| size | setting | {' | '.join(stages)} | peak |", f"|---|---|{'---:|' * (len(stages) + 1)}"]
    for (h, w), one in accounts.items():
        for name, setting in zip(NAMES, SETTINGS, strict=True):
            peaks = one.peaks(setting)
            figures = " | ".join(f"{peaks[stage] / GIB:.1f}" for stage in stages)
            lines.append(f"| {w} x {h} | {name} | {figures} | **{one.peak(setting) / GIB:.1f}** |")
    return "\n".join(lines)


def main() -> int:
    """Write both, or compare them."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--check", action="store_true", help="write nothing, fail on a difference")
    check = parser.parse_args().check
    accounts = counted()
    page = PAGE.read_text(encoding="utf-8")
    head, tail = page.split(BEGIN)[0], page.split(END)[1]
    texts = {TABLE: as_json(accounts), PAGE: f"{head}{BEGIN}\n\n{as_table(accounts)}\n\n{END}{tail}"}
    stale = [
        path for path, text in texts.items() if not path.is_file() or path.read_text(encoding="utf-8") != text
    ]
    for path in stale:
        print(f"{path.name} is {'not what is counted now' if check else 'written'}")
        if not check:
            path.write_text(texts[path], encoding="utf-8")
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
