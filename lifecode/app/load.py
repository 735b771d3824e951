"""`lifecode.load`: a model by the folder or name it has, tuned to a task or not."""

from pathlib import Path
from typing import Any

from lifecode.arguments import arguments_checked
from lifecode.models.families import load as load_encoder
from lifecode.models.hub import HUB_ID, MODEL_FILES, TUNED_FILES, model_folder

_TUNED = "head.json"
"""What the run of a `lifecode finetune` has, and the folder of an encoder has not."""


@arguments_checked
def load(name_or_folder: str | Path, *, revision: str | None = None) -> Any:
    """The saved model, in evaluation mode.

    Args:
        name_or_folder: as for `lifecode.models.load`; or the run_dir of a `lifecode finetune`, or its name on
            the hub, whose model has `predict`, and in `told` what it was tuned on.
        revision: branch, tag or commit on the hub.

    Raises:
        UserError: no model there, a checksum that does not match, or an unknown family.
    """
    folder = Path(name_or_folder).expanduser()
    if not folder.exists() and isinstance(name_or_folder, str) and HUB_ID.fullmatch(name_or_folder):
        files = (*MODEL_FILES, *TUNED_FILES)
        folder = name_or_folder = model_folder(name_or_folder, revision=revision, files=files)
        revision = None
    if (folder / _TUNED).is_file():
        from lifecode.tasks.tuned_model import load_tuned  # waits for scikit-learn

        return load_tuned(folder)
    return load_encoder(name_or_folder, revision=revision)
