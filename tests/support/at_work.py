"""Looking into a folder while another program writes there."""

import glob
from pathlib import Path


def paths_at_work(folder: Path, pattern: str) -> list[Path]:
    """Paths that match, but hidden ones; a folder moved away during the walk is passed over, no error."""
    return [folder / name for name in glob.glob(pattern, root_dir=folder, recursive=True)]
