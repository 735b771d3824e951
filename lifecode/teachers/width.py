"""How wide a teacher's features are, told from its configuration: no weights are loaded or downloaded."""

import json
import re
from pathlib import Path
from typing import Any

from lifecode.errors import UserError

_NEAR = 256
_ESM2 = {"8M": 320, "35M": 480, "150M": 640, "650M": 1280, "3B": 2560, "15B": 5120}
"""Hidden size by the size in the name of a checkpoint, as in esm2_t33_650M_UR50D (Lin et al. 2023)."""


def stated_width(teacher: str, checkpoint: str | None = None) -> int | None:
    """D' of a teacher, or None where its configuration does not tell.

    Args:
        teacher: dotted name of its class.
        checkpoint: its folder, or its name on the Hugging Face hub.

    Raises:
        UserError: the folder's config.json is damaged.
    """
    if teacher.endswith(".NearTeacher"):
        return _NEAR
    if checkpoint is None:
        return None
    config = Path(checkpoint).expanduser() / "config.json"
    if config.is_file():
        try:
            settings: dict[str, Any] = json.loads(config.read_text(encoding="utf-8"))
            return settings.get("hidden_size")
        except (ValueError, AttributeError) as error:
            raise UserError(
                f"is no configuration of a model ({error})", source=config, remedy="Download it again"
            ) from error
    size = re.search(r"esm2_t\d+_(\d+[MB])_", checkpoint)
    return _ESM2.get(size[1]) if size else None
