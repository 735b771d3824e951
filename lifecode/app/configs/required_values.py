"""Keys whose value a user has to give, and those that an empty text would point at the current folder."""

from omegaconf import DictConfig, ListConfig, OmegaConf

from lifecode.errors import UserError
from lifecode.training.run.run_folder import config_leaves

_PLACES = ("name", "run_dir", "output", "teacher.cache")
"""Keys that say where a verb writes."""
_FILES = (
    "input",
    "checkpoint",
    "checkpoints",
    "corpus",
    "root",
    "genome",
    "annotation",
    "protein",
    "cds",
    "host",
    "draft",
    "wild_type",
    "init_from",
    "tokenizer_checkpoint",
    "interpro",
    "structures",
    "orders",
    "task.train",
    "task.validation",
    "task.test",
    "task.fasta",
)
"""Keys that say what a verb reads, a file or a list: an empty text would be the current folder."""


def require_values(config: DictConfig, verb: str) -> None:
    """Raises a `UserError` that names the keys whose value a user has to give."""
    leaves = config_leaves(OmegaConf.to_container(config))  # unresolved: others may be made of a missing one
    if missing := sorted(key for key, value in leaves.items() if value == "???"):
        example = " ".join(f"{key}=..." for key in missing)
        raise UserError(f"{', '.join(missing)} needs a value", remedy=f"Give it: lifecode {verb} {example}")
    if isinstance(seed := OmegaConf.select(config, "seed"), int) and seed < 0:
        raise UserError(f"is {seed}, expected 0 or more", source="seed")
    for key in (*_PLACES, *_FILES):
        value = OmegaConf.select(config, key)
        for one in value if isinstance(value, ListConfig) else (value,):
            if isinstance(one, str) and (not one.strip() or (key == "name" and not one.strip("./ "))):
                raise UserError(
                    f"is {one!r}, which names nothing", source=key, remedy="Give it, or leave it out"
                )
