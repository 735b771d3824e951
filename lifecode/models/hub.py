"""Models by name: a name becomes a local folder, a local folder becomes a commit on the Hugging Face hub.

Only the two ends of huggingface_hub are used. Its `ModelHubMixin` would be a base class of the model, so that
nothing could be loaded without the package; it also deletes and writes config.json itself and reads a
`pytorch_model.bin`. Here the hub moves the files of `lifecode.models.pretrained`, which alone writes and
verifies them. Other files of a repository are never fetched.
"""

import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lifecode.errors import UserError
from lifecode.models.pretrained import FILES, GENES
from lifecode.models.shipped import shipped_models

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
MODEL_FILES = (*FILES, GENES, "model-*.safetensors", "model.safetensors.index.json")
"""Names and patterns of what a repository may hold of a model: a folder of ours, or weights in parts."""
TUNED_FILES = ("head.json", "head.safetensors", "encoder/*", "adapter/*")
"""Likewise of a model that was fine-tuned on a task: what a run of `lifecode finetune` holds of it."""
_INSTALL = "To load from the Hugging Face hub: pip install 'lifecode[hf]'"


def model_folder(
    name_or_folder: str | Path,
    *,
    revision: str | None = None,
    files: Sequence[str] = MODEL_FILES,
    made_by: str = "A model folder is what `lifecode train` leaves as <run_dir>/model; lifecode-mini ships",
    **download: Any,
) -> Path:
    """The local folder of a model: the folder itself, a shipped one, or the downloaded copy of a repository.

    Args:
        name_or_folder: a folder, a model that ships with the package (`lifecode-mini`), or `user/name` on
            the hub. A folder that exists goes first; a `Path` is never taken for a name.
        revision: branch, tag or commit on the hub.
        files: names or patterns of the files that are downloaded.
        made_by: tells a user who gave neither a folder nor a name where such folders come from.
        download: further options of `huggingface_hub.snapshot_download`, such as `token` and `cache_dir`.

    Raises:
        UserError: neither a folder nor a name, a hub that cannot be used or reached or does not have it, or
            a revision of a local folder.
    """
    shipped = shipped_models()
    folder = Path(name_or_folder).expanduser()
    if isinstance(name_or_folder, str) and name_or_folder in shipped and not folder.is_dir():
        folder = shipped[name_or_folder]
    is_name = isinstance(name_or_folder, str) and HUB_ID.fullmatch(name_or_folder) is not None
    if folder.is_dir():
        if revision is not None:
            raise UserError("a local folder has no revision", source=folder, remedy="Leave revision out")
        return folder
    if not is_name:
        raise UserError(
            "there is no such model folder, and it is no name on the Hugging Face hub (user/name)",
            source=name_or_folder,
            remedy=made_by,
        )
    hub = _hub(str(name_or_folder), "there is no such model folder")
    return Path(
        _asked(
            hub.snapshot_download, name_or_folder, revision=revision, allow_patterns=list(files), **download
        )
    )


def upload(
    save: Callable[[Path], None], name: str, *, revision: str | None, private: bool | None, message: str
) -> str:
    """Saves a model in a temporary folder and uploads it in one commit; returns the commit's address.

    Raises:
        UserError: `name` is not of the form user/name, or the hub cannot be used or reached or refuses.
    """
    if HUB_ID.fullmatch(name) is None:
        raise UserError("is no name on the Hugging Face hub", source=name, remedy="Write it as user/name")
    api = _hub(name, "cannot upload").HfApi()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "model"
        save(folder)
        _asked(api.create_repo, name, private=private, exist_ok=True)
        commit = _asked(
            api.upload_folder, name, folder_path=folder, revision=revision, commit_message=message
        )
    return str(commit)


def _hub(name: str, problem: str) -> Any:
    try:
        import huggingface_hub
    except ImportError as error:
        raise UserError(
            f"{problem}, and huggingface_hub is not installed", source=name, remedy=_INSTALL
        ) from error
    return huggingface_hub


def _asked(request: Callable[..., Any], name: str | Path, **options: Any) -> Any:
    """What the hub answers; its refusals and a broken connection are the user's to mend."""
    from huggingface_hub.errors import HfHubHTTPError

    # The base class belongs to the HTTP library, which differs between versions of huggingface_hub.
    failures: Any = (OSError, ValueError, *HfHubHTTPError.__bases__)
    try:
        return request(repo_id=str(name), **options)
    except failures as error:
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise UserError(
            f"the Hugging Face hub did not serve this ({type(error).__name__}: {lines[0] if lines else ''})",
            source=name,
            remedy="Check the name, the connection and, for a private model, `hf auth login`",
        ) from error
