"""`lifecode.load`: a model by the folder or name it has, tuned to a task or not."""

from pathlib import Path
from typing import Any

from lifecode.models.families import load as load_encoder

_TUNED = "head.json"
"""What the run of a `lifecode finetune` has, and the folder of an encoder has not."""


def load(name_or_folder: str | Path, *, revision: str | None = None) -> Any:
    """The saved model, in evaluation mode.

    Args:
        name_or_folder: as for `lifecode.models.load`; or the run_dir of a `lifecode finetune`, whose model
            has `predict`, and in `told` what it was tuned on.
        revision: branch, tag or commit on the hub.

    Raises:
        UserError: no model there, a checksum that does not match, or an unknown family.
    """
    folder = Path(name_or_folder).expanduser()
    if (folder / _TUNED).is_file():
        from lifecode.tasks.tuned_model import load_tuned  # waits for scikit-learn

        return load_tuned(folder)
    return load_encoder(name_or_folder, revision=revision)
