"""`lifecode check`: the checksums of a corpus, then what its splits share."""

from omegaconf import DictConfig
from rich import print as print_table
from rich.table import Table

from lifecode.app.configs.construct import checked_value
from lifecode.data.corpus.corpus import Corpus
from lifecode.data.statistics.leaks import Leaks, find_leaks
from lifecode.errors import UserError
from lifecode.names import display_name

_LONGEST = 200


def run(config: DictConfig) -> None:
    """Print what was checked; a changed file or a leak is a `UserError`."""
    corpus = Corpus.open(checked_value(config, "corpus", str))
    corpus.check_files()
    print(f"{len(corpus.manifest['files'])} files have the checksums of manifest.json\n")
    leaks = list(find_leaks(corpus))
    print_table(_table(leaks))
    for leak in leaks:
        if leak.closest is not None:
            one, other, similarity = leak.closest
            print(f"{similarity:.2f}  {display_name(one, _LONGEST)}  {display_name(other, _LONGEST)}")
    for leak in leaks:
        if leak.first is not None:
            one, other = (display_name(name, _LONGEST) for name in leak.first[:2])
            raise UserError(
                f"{one} and {other} are the same sequence or reverse complements",
                source=corpus.folder,
                remedy="Prepare the corpus again",
            )


def _table(leaks: list[Leaks]) -> Table:
    """One line for every kind and two splits."""
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
