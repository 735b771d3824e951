"""From files to rows: as an iterable, or split and written as CSV with the names of their labels.

Everything is a pure function of the files, the settings and the seed.
"""

import csv
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lifecode.data.reading.inputs import Inputs
from lifecode.data.reading.read import ReadingSettings
from lifecode.data.splits.regions import SPLITS
from lifecode.data.splits.split import BlockSplit, Split
from lifecode.datasets.luca_one.label_counts import LabelCounts
from lifecode.datasets.luca_one.label_names import LabelNames
from lifecode.datasets.luca_one.records.gene_rows import Window, gene_rows
from lifecode.datasets.luca_one.records.protein_rows import LabelledProtein, Sites
from lifecode.datasets.luca_one.records.reading import Records, RowSources, Say, read_sources
from lifecode.datasets.luca_one.row_files import write_rows
from lifecode.datasets.luca_one.row_splits import Division, divide, undivided
from lifecode.datasets.luca_one.rows import LucaOneRow
from lifecode.errors import UserError
from lifecode.host.output_folder import output_folder, require_absent
from lifecode.names import csv_cell

LONGEST = 1278
"""Letters that LucaOne reads at most: 1,280 with `[CLS]` and `[SEP]`."""
LABELS = "labels.json"
"""The names of each task's labels, in the order of their numbers, beside the CSV files."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RowSettings:
    """How records become rows.

    Args:
        max_letters: of a row, 1,278 at most: contigs are cut into windows, of proteins the first ones stay.
        reverse_strand: DNA gives a row for either strand, each with the annotation of its own.
        pseudogenes: features marked as pseudogenes count as what their key says.
        max_unknown_share: windows with more letters that are no A, C, G or T are left out.
        sites: labels of `prot_site`: entries of InterPro, as in the paper, features of Swiss-Prot, or both.

    Raises:
        UserError: a number out of its range.
    """

    max_letters: int = LONGEST
    reverse_strand: bool = True
    pseudogenes: bool = True
    max_unknown_share: float = 0.5
    sites: Sites = "both"

    def __post_init__(self) -> None:
        if not 1 <= self.max_letters <= LONGEST:
            raise UserError(f"is {self.max_letters}, expected 1 to {LONGEST:,}", source="max_letters")
        if not 0 <= self.max_unknown_share <= 1:
            raise UserError(f"is {self.max_unknown_share}, expected 0 to 1", source="max_unknown_share")


def rows_of(
    sources: RowSources | Inputs,
    settings: RowSettings | None = None,
    *,
    reading: ReadingSettings | None = None,
    say: Say = lambda _: None,
) -> Iterator[LucaOneRow]:
    """Yield the rows of some files, undivided: windows of contigs, then proteins.

    Args:
        sources: the files, or sequences alone as for `lifecode.read_records`.
        settings: how records become rows.
        reading: what the files do not say.
        say: is told what is being done.

    Raises:
        UserError: at the first row, where a file cannot be read.
    """
    sources = sources if isinstance(sources, RowSources) else RowSources(input=sources)
    settings = settings or RowSettings()
    records = read_sources(sources, reading or ReadingSettings(), pseudogenes=settings.pseudogenes, say=say)
    limits = {"max_letters": settings.max_letters, "max_unknown_share": settings.max_unknown_share}
    yield from _rows(records, undivided(records, **limits), records.proteins, settings)


def make_rows(
    sources: RowSources,
    output: str | Path,
    *,
    split: Split | None = None,
    settings: RowSettings | None = None,
    reading: ReadingSettings | None = None,
    seed: int = 0,
    say: Say = lambda _: None,
) -> dict[str, Any]:
    """Write the rows of some files as `train.csv`, `validation.csv` and `test.csv`, and return `report.json`.

    Args:
        sources: the files.
        output: folder to write; must not exist or be empty.
        split: how rows are divided; by default blocks, and similar proteins together.
        settings: how records become rows.
        reading: what the files do not say.
        seed: of the split.
        say: is told what is being done.

    Raises:
        UserError: a file that cannot be read, nothing to make a row of, too little to divide, or an output
            that exists or cannot be written.
    """
    output = Path(output).expanduser()
    require_absent(output)
    settings, split = settings or RowSettings(), split or BlockSplit(clusters=0.5)
    records = read_sources(sources, reading or ReadingSettings(), pseudogenes=settings.pseudogenes, say=say)
    say("dividing the rows")
    limits = {"max_letters": settings.max_letters, "max_unknown_share": settings.max_unknown_share}
    division = divide(records, split, seed, **limits)
    if not division.windows and not records.proteins:
        raise UserError("there is nothing to make a row of", source="input")
    for labelled in records.proteins:
        labelled.tell_of_truncation(settings.max_letters, records.left_out)
    counts = LabelCounts()
    with output_folder(output) as folder:
        for number, name in enumerate(SPLITS):
            say(f"writing {name}.csv")
            rows = _rows_of_split(records, division, number, settings)
            write_rows(folder / f"{name}.csv", counts.counting(name, rows))
        names = counts.names()
        report = _report(records, counts, names) | {
            "seed": seed,
            "settings": asdict(settings),
            "split": {"name": type(split).__name__, **asdict(split)},
        }
        (folder / LABELS).write_text(names.text, encoding="utf-8")
        _write_csv(
            folder / "labels.csv",
            ["task", "class", "label", *(f"{one}_rows" for one in SPLITS)],
            counts.table(names),
        )
        _write_csv(folder / "left_out.csv", ["id", "reason", "detail"], records.left_out.listed)
        text = json.dumps(report, indent=2, ensure_ascii=False) + "\n"
        (folder / "report.json").write_text(text, encoding="utf-8")
    return report


def _rows_of_split(
    records: Records, division: Division, number: int, settings: RowSettings
) -> Iterator[LucaOneRow]:
    windows = zip(division.windows, division.split_of_window.tolist(), strict=True)
    proteins = zip(records.proteins, division.split_of_protein.tolist(), strict=True)
    chosen = [window for window, split in windows if split == number]
    return _rows(records, chosen, [one for one, split in proteins if split == number], settings)


def _rows(
    records: Records,
    windows: Iterable[tuple[int, Window]],
    proteins: Iterable[LabelledProtein],
    settings: RowSettings,
) -> Iterator[LucaOneRow]:
    for number, window in windows:
        yield from gene_rows(records.contigs[number], [window], reverse_strand=settings.reverse_strand)
    for labelled in proteins:
        yield labelled.row(settings.max_letters, settings.sites)


def _report(records: Records, counts: LabelCounts, names: LabelNames) -> dict[str, Any]:
    """What was found, what was made of it, and what was left out."""
    types = sum((annotated.gene_types for annotated in records.contigs), Counter[str]())
    orders = [annotated.order for annotated in records.contigs]
    return {
        "contigs": len(records.contigs),
        "contigs_without_order": orders.count(None),
        "gene_types": dict(sorted(types.items())),
        "proteins": len(records.proteins),
        "proteins_without_order": sum(labelled.order is None for labelled in records.proteins),
        "structures": dict(records.structures),
        "rows": {
            split: {molecule: counts.rows[split, molecule] for molecule in ("gene", "protein")}
            for split in SPLITS
        },
        "tasks": counts.tasks(names),
        "unknown_labels": counts.unknown(names),
        "left_out": dict(sorted(records.left_out.reasons.items())),
    }


def _write_csv(path: Path, header: list[str], rows: Iterable[Iterable[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(map(csv_cell, row) for row in rows)
