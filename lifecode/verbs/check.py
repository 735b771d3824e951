"""`lifecode check`: the checksums of a corpus, then what its splits share."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from omegaconf import DictConfig
from rich import print as print_table
from rich.table import Table

from lifecode.app.configs.construct import checked_value
from lifecode.arguments import arguments_checked
from lifecode.data.corpus.corpus import Corpus
from lifecode.data.statistics.leaks import Leaks, find_leaks
from lifecode.errors import UserError
from lifecode.names import display_name

if TYPE_CHECKING:
    from pandas import DataFrame

_LONGEST = 200


@dataclass(frozen=True, slots=True)
class Check:
    """What was checked of a corpus.

    Attributes:
        corpus: whose files all have the checksums of its manifest.
        leaks: what every two splits share, for each kind of rows.
    """

    corpus: Corpus
    leaks: list[Leaks]

    @property
    def table(self) -> "DataFrame":
        """A row per kind and two splits: how much they share, and the most similar pair (NaN without one)."""
        from pandas import DataFrame

        return DataFrame(
            {
                "rows": leak.kind,
                "split": leak.splits[0],
                "other_split": leak.splits[1],
                "duplicates": leak.duplicates,
                "reverse_complements": leak.reverse_complements,
                "highest_similarity": None if leak.closest is None else leak.closest.similarity,
                "closest": None if leak.closest is None else leak.closest.one,
                "closest_other": None if leak.closest is None else leak.closest.other,
            }
            for leak in self.leaks
        )

    def require_no_leaks(self) -> None:
        """Raises a UserError that names the first two records of different splits that are the same."""
        for leak in self.leaks:
            if leak.first is not None:
                one, other = (display_name(name, _LONGEST) for name in leak.first[:2])
                raise UserError(
                    f"{one} and {other} are the same sequence or reverse complements",
                    source=self.corpus.folder,
                    remedy="Prepare the corpus again",
                )


@arguments_checked
def check(corpus: Corpus | str | Path) -> Check:
    """Compare every file of a corpus with its checksum, then look for what its splits share.

    Args:
        corpus: its folder, or as opened.

    Raises:
        UserError: no corpus there, or a file that was changed. A leak is no error here: see
            `Check.require_no_leaks`.
    """
    corpus = corpus if isinstance(corpus, Corpus) else Corpus.open(corpus)
    corpus.check_files()
    return Check(corpus, list(find_leaks(corpus)))


def run(config: DictConfig) -> Check:
    """Print what was checked; a changed file or a leak is a `UserError`."""
    checked = check(checked_value(config, "corpus", str))
    print(f"{len(checked.corpus.manifest['files'])} files have the checksums of manifest.json\n")
    print_table(_table(checked.leaks))
    for leak in checked.leaks:
        if leak.closest is not None:
            one, other, similarity = leak.closest
            print(f"{similarity:.2f}  {display_name(one, _LONGEST)}  {display_name(other, _LONGEST)}")
    checked.require_no_leaks()
    return checked


def _table(leaks: list[Leaks]) -> Table:
    """One line per kind and two splits."""
    table = Table("rows", "splits", box=None, padding=(0, 2, 0, 0), pad_edge=False)
    for heading in ("duplicates", "reverse complements", "highest similarity"):
        table.add_column(heading, justify="right")
    for leak in leaks:
        closest = leak.closest
        table.add_row(
            leak.kind,
            " / ".join(leak.splits),
            f"{leak.duplicates:,}",
            f"{leak.reverse_complements:,}",
            "" if closest is None else f"{closest.similarity:.2f}",
        )
    return table
