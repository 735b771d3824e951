"""`lifecode dogma`: annotated genomes to labelled examples of the central dogma."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig
from rich import print as print_table

from lifecode.app.configs.construct import checked_value, construct
from lifecode.arguments import arguments_checked
from lifecode.data.reading.inputs import Inputs
from lifecode.data.reading.read import ReadingSettings, read_records
from lifecode.data.records import Contig
from lifecode.datasets.central_dogma import make
from lifecode.datasets.counts_table import table_of_dogma
from lifecode.host.activity import Say, told

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, slots=True)
class LabelledDataset:
    """A data set that was made; tables are pandas frames.

    Attributes:
        folder: in LucaOne's layout, with `origins.csv` and `left_out.csv` beside it.
        counts: what was found, made and left out, as in `report.json`.
    """

    folder: Path
    counts: dict[str, Any]

    @property
    def examples(self) -> "DataFrame":
        """How many examples of each kind (rows) are in each split (columns)."""
        from pandas import DataFrame

        return DataFrame.from_dict(self.counts["examples"], orient="index")

    @property
    def origins(self) -> "DataFrame":
        """Where each example comes from and how it was made, as in `origins.csv`."""
        from pandas import read_csv

        return read_csv(self.folder / "origins.csv")

    @property
    def left_out(self) -> "DataFrame":
        """What is in no example, and why, as in `left_out.csv`."""
        from pandas import read_csv

        return read_csv(self.folder / "left_out.csv")


@arguments_checked
def make_dataset(
    input: Inputs,
    output: str | Path,
    maker: make.Maker,
    *,
    seed: int = 0,
    reading: ReadingSettings | None = None,
    progress: bool = True,
) -> LabelledDataset:
    """Make labelled examples of the central dogma from annotated genomes.

    Args:
        input: as for `lifecode.read_records`.
        output: folder to write; must not exist or be empty.
        maker: `Pairs`, `Homologs`, `SpliceWindows`, `PreMrnas` or `CodingWindows` of
            `lifecode.datasets.central_dogma`, or one of your own.
        seed: of every draw and of the split.
        reading: what the files do not say, a `ReadingSettings` of `lifecode.data`.
        progress: show on stderr what is being done.

    Raises:
        UserError: an input that cannot be read, two contigs of one name, no example, or an output that exists
            or cannot be written.
    """
    wanted = getattr(maker, "features", ())
    contigs = read_records(input, features=wanted, **asdict(reading or ReadingSettings()))
    with told(progress) as say:
        counts = make.make_dataset(_shown(contigs, say), output, maker, seed)
    return LabelledDataset(Path(output).expanduser(), counts)


def run(config: DictConfig) -> LabelledDataset:
    """Make the data set and print its counts."""
    maker, output = construct(config.dataset), checked_value(config, "output", str)
    seed = checked_value(config, "seed", int)
    dataset = make_dataset(
        checked_value(config, "input", str | list[str]),
        output,
        maker,
        seed=seed,
        reading=construct(config.data.reading, seed=seed),
    )
    print_table(table_of_dogma(dataset.counts))
    print(f"\nThe data set is in {output} (origins.csv says where each row comes from)")
    return dataset


def _shown(contigs: Iterable[Contig], say: Say) -> Iterator[Contig]:
    """The contigs as they come, each shown as it is read."""
    for number, contig in enumerate(contigs, start=1):
        say(f"{number:,} contigs read, the last {contig.name}")
        yield contig
    say("making the examples")
