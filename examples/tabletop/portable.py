"""Model folders that tell nothing of the machine that wrote them."""

import json
from pathlib import Path

_ORIGINS = ("_name_or_path", "name_or_path")


def forget_origins(folder: Path) -> None:
    """Take the folders that parts were loaded from out of a model folder's configurations."""
    for file in folder.rglob("*.json"):
        config = json.loads(file.read_text(encoding="utf-8"))
        if isinstance(config, dict) and any(key in config for key in _ORIGINS):
            kept = {key: value for key, value in config.items() if key not in _ORIGINS}
            file.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n", encoding="utf-8")
