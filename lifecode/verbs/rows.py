"""`lifecode rows`: genomes, proteins and structures to rows of LucaOne's pre-training."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig
from rich import print as print_table

from lifecode.app.configs.construct import checked_value, construct
from lifecode.arguments import arguments_checked
from lifecode.data.reading.inputs import Inputs
from lifecode.data.reading.read import ReadingSettings
from lifecode.data.splits.split import Split
from lifecode.datasets.counts_table import table_of_rows
from lifecode.datasets.luca_one import make
from lifecode.datasets.luca_one.make import RowSettings
from lifecode.datasets.luca_one.records.label_source import LabelSource
from lifecode.datasets.luca_one.records.reading import RowSources
from lifecode.host.activity import told

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, slots=True)
class RowFolder:
    """Rows that were made; tables are pandas frames.

    Attributes:
        folder: with the CSV file of each split, `labels.json`, `labels.csv` and `left_out.csv`.
        counts: what was found, made and left out, as in `report.json`.
    """

    folder: Path
    counts: dict[str, Any]

    @property
    def tasks(self) -> "DataFrame":
        """By task its classes, and in how many rows of each split it has a label."""
        from pandas import DataFrame

        return DataFrame.from_dict(self.counts["tasks"], orient="index")

    @property
    def labels(self) -> "DataFrame":
        """Every label with its task and class, and in how many rows it is, as in `labels.csv`."""
        from pandas import read_csv

        return read_csv(self.folder / "labels.csv", keep_default_na=False)

    @property
    def left_out(self) -> "DataFrame":
        """What is in no row, and why, as in `left_out.csv`."""
        from pandas import read_csv

        return read_csv(self.folder / "left_out.csv", keep_default_na=False)


@arguments_checked
def make_rows(
    input: Inputs | None,
    output: str | Path,
    *,
    interpro: Inputs = (),
    interpro_entries: str | Path | None = None,
    structures: Inputs = (),
    orders: str | Path | None = None,
    labels: Mapping[str, LabelSource] | None = None,
    settings: RowSettings | None = None,
    split: Split | None = None,
    seed: int = 0,
    reading: ReadingSettings | None = None,
    progress: bool = True,
) -> RowFolder:
    """Make rows of LucaOne's pre-training and write them, divided, with the names of their labels.

    Args:
        input: as for `lifecode.read_records`; None where there are structures alone.
        output: folder to write; must not exist or be empty.
        interpro: `protein2ipr.dat` or TSV of InterProScan, about proteins of the input.
        interpro_entries: `entry.list` of InterPro.
        structures: mmCIF and PDB files; of two of one sequence the first counts.
        orders: names of taxonomic orders, or the folder of the NCBI's taxonomy.
        labels: further sources of labels, `LabelSource` of `lifecode.datasets.luca_one`, by names of yours.
        settings: how records become rows, a `RowSettings` of `lifecode.datasets.luca_one`.
        split: a `BlockSplit`, `ContigSplit` or `TaxonSplit` of `lifecode.data`; by default blocks, with
            similar proteins together.
        seed: of the split.
        reading: what the files do not say, a `ReadingSettings` of `lifecode.data`.
        progress: show on stderr what is being done.

    Raises:
        UserError: a file that cannot be read, too little to divide, or an output that exists or cannot be
            written.
    """
    sources = RowSources(
        input=input,
        interpro=interpro,
        interpro_entries=interpro_entries,
        structures=structures,
        orders=orders,
        labels=labels or {},
    )
    with told(progress) as say:
        counts = make.make_rows(
            sources, output, split=split, settings=settings, reading=reading, seed=seed, say=say
        )
    return RowFolder(Path(output).expanduser(), counts)


def run(config: DictConfig) -> RowFolder:
    """Make the rows and print their counts."""
    seed, output = checked_value(config, "seed", int), checked_value(config, "output", str)
    made = make_rows(
        checked_value(config, "input", str | list[str] | None),
        output,
        interpro=checked_value(config, "interpro", str | list[str]),
        interpro_entries=checked_value(config, "interpro_entries", str | None),
        structures=checked_value(config, "structures", str | list[str]),
        orders=checked_value(config, "orders", str | None),
        labels={str(name): construct(one) for name, one in config.labels.items()},
        settings=construct(config.rows),
        split=construct(config.data.split),
        seed=seed,
        reading=construct(config.data.reading, seed=seed),
    )
    print_table(table_of_rows(made.counts))
    print(f"\nThe rows are in {output} (labels.csv has their classes, left_out.csv what is in none)")
    return made
