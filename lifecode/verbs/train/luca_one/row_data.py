"""The rows that LucaOne trains on: a folder that `lifecode rows` made, or one made of sequence files here."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from omegaconf import DictConfig, OmegaConf

from lifecode.app.configs.construct import checked_value, construct
from lifecode.data.batches.steps import BEGINNING
from lifecode.data.reading.read import resolve_inputs
from lifecode.data.splits.regions import SPLITS
from lifecode.datasets.counts_table import table_of_rows
from lifecode.datasets.luca_one.label_names import LabelNames
from lifecode.datasets.luca_one.make import LABELS, RowSettings, make_rows
from lifecode.datasets.luca_one.masking import LetterMasking
from lifecode.datasets.luca_one.records.reading import RowSources
from lifecode.datasets.luca_one.row_files import read_rows
from lifecode.datasets.luca_one.rows import SEVERAL_LABELS, LucaOneRow
from lifecode.datasets.luca_one.stream import RowDataModule, RowStream, TokenShape
from lifecode.datasets.luca_one.table import RowTable, row_table
from lifecode.errors import UserError
from lifecode.host.activity import Activity
from lifecode.host.checksum import digest_of, sha256
from lifecode.host.recorded import read_recorded, write_recorded
from lifecode.models.luca_one.model import LucaOne
from lifecode.models.luca_one.rows import NUM_SPECIAL
from lifecode.training.run.run_folder import config_leaves
from lifecode.verbs.train.seed_of_batches import seed_of_batches

_RELEASED_FOLDERS = {"train": "train", "validation": "dev", "test": "test"}
"""Where files of a split lie, any number of them, in a data set as LucaOne's authors give it."""
_EVALUATED_TOKENS = 8192
"""Of a packed row that is evaluated; only memory depends on it."""
SOURCE_KEYS = tuple(
    f"pretraining.{key}" for key in ("interpro", "interpro_entries", "structures", "orders", "labels")
)
"""What is read beside `input` where rows are made here, as by `lifecode rows`."""
_RECORD = "rows.sha256"
"""What rows a run began with."""


class RowData(NamedTuple):
    """Rows as arrays, by split, and the names of their classes.

    Attributes:
        folder: they come from.
        tables: of `train`, `validation` and `test`.
        names: of the labels.
    """

    folder: Path
    tables: dict[str, RowTable]
    names: LabelNames

    @property
    def counts(self) -> dict[str, Any]:
        """Rows and labelled rows of each split, for metrics.json."""
        return {
            split: {
                "rows": len(table),
                "letters": int(table.offsets[-1]),
                "labelled": {task: n for task in self.tasks if (n := table.num_labelled(task))},
                "labels_unknown_in_training": table.left_out,
            }
            for split, table in self.tables.items()
        }

    @property
    def tasks(self) -> list[str]:
        """The labelled tasks that any training row knows something of."""
        return self.tables["train"].tasks


def require_input(config: DictConfig) -> str | list[str] | None:
    """What rows are made of, which must exist before a run folder is made for them.

    Raises:
        UserError: no input, or files that are not there.
    """
    inputs = checked_value(config, "input", str | list[str] | None)
    has_structures = bool(checked_value(config, "pretraining.structures", str | list[str]))
    if inputs is None and not has_structures:
        raise UserError(
            "input needs a value",
            remedy="Give a folder that lifecode rows made, or sequence files, or try "
            "experiment=lucaone_quickstart",
        )
    if inputs is not None and given_folder(inputs) is None:
        resolve_inputs(inputs)
    return inputs


def prepare_rows(config: DictConfig, run: Path) -> Path:
    """The folder of the rows, made in the run's folder of sequence files where none is given; prints counts.

    Raises:
        UserError: the input cannot be read.
    """
    from rich import print as print_table

    inputs = checked_value(config, "input", str | list[str] | None)
    folder = given_folder(inputs) or run / f"rows-{_digest(config)}"
    seed = checked_value(config, "seed", int)
    if not folder.exists():
        sources = RowSources(
            input=inputs,
            interpro=checked_value(config, "pretraining.interpro", str | list[str]),
            interpro_entries=checked_value(config, "pretraining.interpro_entries", str | None),
            structures=checked_value(config, "pretraining.structures", str | list[str]),
            orders=checked_value(config, "pretraining.orders", str | None),
            labels={str(name): construct(one) for name, one in config.pretraining.labels.items()},
        )
        with Activity() as activity:
            report = make_rows(
                sources,
                folder,
                split=construct(config.data.split),
                settings=construct(config.pretraining.rows),
                reading=construct(config.data.reading, seed=seed),
                seed=seed,
                say=activity.say,
            )
        print_table(table_of_rows(report))
    return folder


def read_row_data(folder: Path, longest: int) -> RowData:
    """The rows of a folder as arrays.

    Args:
        folder: with the CSV file of each split, or as released with a folder of such files for each; and,
            where `lifecode rows` made it, the names of the labels. Else these are the labels of the training
            rows, sorted.
        longest: letters of a row; a longer one is cut.

    Raises:
        UserError: a file that is not there or damaged, or nothing to train on.
    """
    for split in SPLITS:
        if not _files_of(folder, split):
            raise UserError(
                f"there is no {split}.csv here",
                source=folder,
                remedy="Make the rows again with lifecode rows",
            )
    own = folder / LABELS
    try:
        names = LabelNames.read(own) if own.is_file() else LabelNames.of_rows(_rows_of(folder, "train"))
        tables = {split: row_table(_rows_of(folder, split), names, longest) for split in SPLITS}
    except UserError as fault:
        if fault.source is not None:
            raise
        raise UserError(fault.problem, source=folder, record=fault.record, remedy=fault.remedy) from fault
    if not len(tables["train"]):
        raise UserError("has no row to train on", source=_files_of(folder, "train")[0])
    return RowData(folder, tables, names)


def _files_of(folder: Path, split: str) -> list[Path]:
    """The files of a split: one, or as released all in a folder of its own."""
    one = folder / f"{split}.csv"
    found = [one] if one.is_file() else sorted((folder / _RELEASED_FOLDERS[split]).glob("[!.]*.csv*"))
    return [file for file in found if file.is_file()]


def _rows_of(folder: Path, split: str) -> Iterator[LucaOneRow]:
    for file in _files_of(folder, split):
        yield from read_rows(file)


def data_module(config: DictConfig, data: RowData, num_workers: int) -> RowDataModule:
    """The steps of a run."""
    return RowDataModule(
        data.tables,
        shape=construct(config.pretraining.batch),
        masking=construct(config.pretraining.masking),
        num_keywords=_num_keywords(config),
        seed=seed_of_batches(config),
        validation_steps=checked_value(config, "data.validation_steps", int),
        num_workers=num_workers,
    )


def stream_alone(config: DictConfig, data: RowData, split: str) -> RowStream:
    """The rows of a split for this process alone, masked by a seed of their own."""
    shape: TokenShape = construct(config.pretraining.batch)
    masking: LetterMasking = construct(config.pretraining.masking)
    return RowStream(
        data.tables[split],
        shape=TokenShape(max_tokens=max(shape.max_tokens, _EVALUATED_TOKENS), rows=1),
        masking=masking,
        num_keywords=_num_keywords(config),
        seed=0,
        start=BEGINNING,
    )


def longest_row(config: DictConfig, model: LucaOne) -> int:
    """Letters that a row may have: what the model reads at once, a packed row holds, and the user allows."""
    shape: TokenShape = construct(config.pretraining.batch)
    settings: RowSettings = construct(config.pretraining.rows)
    return min(model.max_letters, shape.max_tokens - NUM_SPECIAL, settings.max_letters)


def _num_keywords(config: DictConfig) -> int:
    head = config.model.heads.get(SEVERAL_LABELS)
    return 0 if head is None else int(head.classes)


def given_folder(inputs: str | list[str] | None) -> Path | None:
    """The folder of rows that is the input; None where it names sequence files."""
    if not isinstance(inputs, str):
        return None
    folder = Path(inputs).expanduser()
    return folder if _files_of(folder, "train") else None


def _digest(config: DictConfig) -> str:
    """Of all that says which rows are made, so that those of other settings are never taken for them."""
    keys = (*("input", "seed", "data.split", "data.reading", "pretraining.rows", *SOURCE_KEYS),)
    nodes = {key: config[key] for key in ("input", "seed", "data", "pretraining")}
    resolved: dict[str, Any] = {
        key: OmegaConf.to_container(node, resolve=True) if OmegaConf.is_config(node) else node
        for key, node in nodes.items()
    }
    leaves = config_leaves(resolved)
    return digest_of({key: value for key, value in leaves.items() if key.startswith(keys) and value != {}})[
        :8
    ]


def require_same_rows(folder: Path, run: Path) -> None:
    """Notes what rows a run begins with.

    Raises:
        UserError: the run began with others.
    """
    record = run / _RECORD
    files = [folder / LABELS, *(file for split in SPLITS for file in _files_of(folder, split))]
    sums = [sha256(file) if file.is_file() else "none" for file in files]
    now = hashlib.sha256("".join(sums).encode()).hexdigest()
    before = read_recorded(record, remedy="Delete the run's folder, or bring back a copy of it")
    if before is None:
        write_recorded(record, now)
    elif before != now:
        raise UserError(
            "holds other rows than those that this run began with",
            source=folder,
            remedy="Bring those back, or give the run another name=...",
        )
