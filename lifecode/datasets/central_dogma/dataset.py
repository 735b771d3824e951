"""Labelled examples as a folder in LucaOne's layout, which its code and `lifecode` read alike.

The CSV files hold LucaOne's columns and nothing else; a name that a spreadsheet would take for a formula has
a `'` in front (`lifecode.names.csv_cell`). Where each example comes from and how it was made
stands beside them, in `origins.csv`; what is in none and why, in `left_out.csv`; the counts in `report.json`.
The folder appears whole or not at all and is never overwritten.
"""

import csv
import json
from collections.abc import Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lifecode.datasets.central_dogma.ranking import SPLITS
from lifecode.host.output_folder import output_folder
from lifecode.names import csv_cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One row.

    Attributes:
        columns: of the CSV file in its order, the label last.
        kind: what sort of positive or negative it is.
        ties: what no two splits may share.
        origin: columns of `origins.csv`, the same for all examples.
    """

    columns: Mapping[str, str | int]
    kind: str
    ties: tuple[Hashable, ...]
    origin: Mapping[str, str | int | float]

    @property
    def name(self) -> str:
        """Its ids, unique in the data set."""
        return " ".join(str(value) for key, value in self.columns.items() if key.startswith("seq_id"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Examples, each with its split, and how they are laid out.

    Attributes:
        folder: such as `gene_protein/binary_class`.
        labels: names, in the order of the labels.
        examples: all of them.
        splits: of each example.
    """

    folder: str
    labels: tuple[str, ...]
    examples: list[Example]
    splits: list[str]


def write_dataset(
    output: Path, dataset: Dataset, left_out: Iterable[tuple[str, str, str]], report: dict[str, Any]
) -> None:
    """Write all files of a data set.

    Raises:
        UserError: `output` cannot be written, or something has come to be there.
    """
    with output_folder(output) as folder:
        task = folder / dataset.folder
        for split in SPLITS:
            chosen = [i for i, of_example in enumerate(dataset.splits) if of_example == split]
            header = list(dataset.examples[0].columns)
            rows = (dataset.examples[i].columns.values() for i in chosen)
            _write_csv(task / split / f"{split}.csv", header, rows)
        (task / "label.txt").write_text("\n".join(["label", *dataset.labels]) + "\n", encoding="utf-8")
        _write_csv(folder / "origins.csv", *_origins(dataset))
        _write_csv(folder / "left_out.csv", ["id", "reason", "detail"], left_out)
        text = json.dumps(report, indent=2, ensure_ascii=False) + "\n"
        (folder / "report.json").write_text(text, encoding="utf-8")


def _origins(dataset: Dataset) -> tuple[list[str], Iterator[list[Any]]]:
    """Header and rows of `origins.csv`: ids, split, label and kind before what the task says."""
    first = dataset.examples[0]
    ids = [column for column in first.columns if column.startswith("seq_id")]
    header = ["split", *ids, "kind", *first.origin]
    rows = (
        [split, *(example.columns[column] for column in ids), example.kind, *example.origin.values()]
        for example, split in zip(dataset.examples, dataset.splits, strict=True)
    )
    return header, rows


def _write_csv(path: Path, header: list[str], rows: Iterable[Iterable[Any]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(map(csv_cell, header))
        writer.writerows(map(csv_cell, row) for row in rows)
