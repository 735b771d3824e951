"""What `lifecode score` gives back, and what it needs before it begins."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from lifecode.errors import UserError
from lifecode.host.durable import disk_faults_named, require_writable
from lifecode.host.machine import best_device
from lifecode.models.families import load_masked
from lifecode.variants.journal import forget

if TYPE_CHECKING:
    from pandas import DataFrame

TABLES = (".tsv", ".csv", ".parquet")
VCF = (".vcf", ".vcf.gz")


@dataclass(frozen=True, slots=True)
class Scores:
    """What `score` gives.

    Attributes:
        table: as pyarrow; `frame` is the same for pandas.
        skipped: alleles that were left out, by reason.
        notes: lines about what was decided on the way: names of contigs, CDS left out.
        path: the file written, or None.
    """

    table: pa.Table
    skipped: Counter[str]
    notes: list[str]
    path: Path | None = None

    @property
    def frame(self) -> "DataFrame":
        """One row an ALT and transcript; docs/scores.md says what the columns mean."""
        return self.table.to_pandas()


def require_output(output: Path, suffixes: tuple[str, ...], *, new: bool = True) -> None:
    """Raises a UserError unless the file can be written there and, if it is to be `new`, is not there yet."""
    if not output.name.endswith(suffixes):
        raise UserError(
            f"is none of {', '.join(suffixes)}", source=output, remedy=f"Write output={output}{suffixes[0]}"
        )
    if new and output.exists():
        raise UserError("is there already", source=output, remedy="Choose another output, or delete this one")
    with disk_faults_named(output.parent, remedy="Choose an output where you may write"):
        output.parent.mkdir(parents=True, exist_ok=True)
        require_writable(output.parent)


def require_scores(output: Path, suffixes: tuple[str, ...]) -> None:
    """The same of scores, which are written last: what a kill behind that left is not needed any more."""
    if output.exists():
        forget(output.with_name(f".{output.name}.scores"))
    require_output(output, suffixes)


def journal_of(output: Path | None) -> Path | None:
    """The file beside an output that keeps what a model has said until the output is written."""
    return None if output is None else output.with_name(f".{output.name}.scores")


def on_device(model: Any) -> Any:
    """A model as it is, or by its name or folder, loaded to a GPU if there is one."""
    if not isinstance(model, str | Path):
        return model
    loaded: Any = load_masked(model)
    return loaded.to(best_device())
