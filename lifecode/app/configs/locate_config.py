"""Where the YAML files of `conf/` are: inside the package in a wheel, beside it in an editable install."""

from pathlib import Path

import lifecode


def config_folder() -> Path:
    """Return the absolute folder of the Hydra configs."""
    package = Path(lifecode.__file__).resolve().parent
    for folder in (package / "conf", package.parent / "conf"):
        if folder.is_dir():
            return folder
    raise FileNotFoundError(f"no conf/ in {package} or beside it: the installation is incomplete")
