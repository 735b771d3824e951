"""Keys that a user gives and that a run of LucaOne does not read: an error, not a setting that is lost."""

from collections.abc import Iterator, Sequence

from hydra.core.override_parser.overrides_parser import OverridesParser
from omegaconf import DictConfig

from lifecode.app.configs.construct import checked_value
from lifecode.errors import UserError
from lifecode.verbs.train.luca_one.row_data import SOURCE_KEYS, given_folder

_OF_LIFE_CODE = {
    "data.batch": "Give pretraining.batch.max_tokens, rows or rows_at_once",
    "data.tokenizer_batch": "Leave it out: there is no tokenizer to train",
    "data.mixture": "Leave it out: rows are read as they stand",
    "data.reverse_complement": "Give pretraining.rows.reverse_strand",
    "data.max_unknown_fraction": "Give pretraining.rows.max_unknown_share",
    "heldout": "Leave it out: pretraining.max_test_rows says how many rows are evaluated",
    "objective.masking": "Give pretraining.masking.fraction, masked or random",
    "objective.freeze_tokenizer": "Leave it out: there is no tokenizer",
    "objective.freeze_readout": "Leave it out: all heads learn",
    "objective.joint": "Give pretraining.joint.weights",
    "optim.tokenizer": "Leave it out: there is no tokenizer to train",
    "teacher.targets": "Leave it out: there is no teacher",
    "kd": "Leave it out: there is no teacher",
    "engine": "Leave it out: rows are made by this process",
}
"""What to do instead, by key; the keys below them are meant too."""
_OF_MAKING_ROWS = (
    "data.split",
    "data.reading",
    *SOURCE_KEYS,
    *(f"pretraining.rows.{key}" for key in ("reverse_strand", "pseudogenes", "max_unknown_share", "sites")),
)


def require_effect(config: DictConfig, overrides: Sequence[str]) -> None:
    """Refuses a key that a run of LucaOne does not read.

    Args:
        config: of the run.
        overrides: of the command line; what an experiment or a group says is not looked at.

    Raises:
        UserError: for the first such key, which it names.
    """
    has_rows = given_folder(checked_value(config, "input", str | list[str] | None)) is not None
    for key in _keys(overrides):
        for known, remedy in _OF_LIFE_CODE.items():
            if _is_below(key, known):
                raise UserError("has no effect on a model of family luca_one", source=key, remedy=remedy)
        if has_rows and any(_is_below(key, known) for known in _OF_MAKING_ROWS):
            raise UserError(
                "has no effect where input is a folder of rows",
                source=key,
                remedy="Leave it out, or give it to lifecode rows",
            )


def _keys(overrides: Sequence[str]) -> Iterator[str]:
    """In dots, those of groups too."""
    for override in OverridesParser.create().parse_overrides(list(overrides)):
        yield override.key_or_group.replace("/", ".")


def _is_below(key: str, known: str) -> bool:
    return key == known or key.startswith(f"{known}.")
