"""What `lifecode track` gives back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from lifecode.tracks.runs import Runs

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Tracks:
    """Values along a genome.

    Attributes:
        runs: by the name of the track (`""` where there is one), the name of each contig and its runs.
        paths: the files written, by the name of the track.
        left_out: coding sequences that were not read, by reason.
        num_codons: that the model was asked about.
        picture: of the region, or None.
        page: `report.html`, or None.
        session: for igv.js, or None; that for IGV lies beside it and ends with `.xml`.
    """

    runs: Mapping[str, Sequence[tuple[str, Runs]]]
    paths: Mapping[str, Path]
    left_out: Mapping[str, int]
    num_codons: int
    picture: Path | None = None
    page: Path | None = None
    session: Path | None = None

    @property
    def frame(self) -> "DataFrame":
        """A row a run: columns track, contig, start (from 0), end (behind the last) and value."""
        import pandas

        tables = [
            pandas.DataFrame(
                {
                    "track": name,
                    "contig": contig,
                    "start": of_contig.starts,
                    "end": of_contig.ends,
                    "value": of_contig.values,
                }
            )
            for name, contigs in self.runs.items()
            for contig, of_contig in contigs
        ]
        return pandas.DataFrame(pandas.concat(tables, ignore_index=True))
