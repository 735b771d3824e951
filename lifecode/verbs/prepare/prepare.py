"""`lifecode prepare`: sequence files to a corpus, with a census of what was found and what was left out."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig
from rich import print as print_table

from lifecode.app.configs.construct import checked_value, construct
from lifecode.arguments import arguments_checked
from lifecode.data.batches.mixture import Mixture
from lifecode.data.corpus.corpus import Corpus
from lifecode.data.corpus.engine import Engine
from lifecode.data.corpus.prepare import prepare_corpus
from lifecode.data.reading.dry_reading import read_without_writing
from lifecode.data.reading.inputs import Inputs
from lifecode.data.reading.lines import how_read_lines, left_out_lines
from lifecode.data.reading.read import ReadingSettings
from lifecode.data.splits.split import Split
from lifecode.data.statistics.census import census_rows, census_table
from lifecode.data.statistics.training_size import size_of_corpus
from lifecode.errors import UserError
from lifecode.host.activity import told
from lifecode.report.charts.figure_style import use_colours
from lifecode.report.corpus.page import write_corpus_report

if TYPE_CHECKING:
    from pandas import DataFrame


@dataclass(frozen=True, slots=True)
class Preparation:
    """A corpus that was prepared, or what preparing would find; tables are pandas frames.

    Attributes:
        corpus: None where nothing was written.
        counts: what was found, kept and left out, as in `report.json`.
        page: path of `report.html`; None where nothing was written.
    """

    corpus: Corpus | None
    counts: dict[str, Any]
    page: Path | None

    @property
    def census(self) -> "DataFrame":
        """How many of what there are: columns `what`, `of` (the line it is part of, or None) and `count`."""
        from pandas import DataFrame

        return DataFrame(list(census_rows(self.counts)))

    @property
    def splits(self) -> "DataFrame":
        """CDS, codons, regions and nucleotides of train, validation and test; without rows if not written."""
        from pandas import DataFrame

        return DataFrame.from_dict(self.counts.get("splits", {}), orient="index")

    @property
    def rejected(self) -> "DataFrame":
        """Every CDS and record that was left out, with the reason, as in `rejected.parquet`.

        Raises:
            UserError: nothing was written; `counts["left_out"]` has the first of each reason.
        """
        from pandas import read_parquet

        if self.corpus is None:
            raise UserError(
                "what was rejected is listed in a corpus, and none was written", remedy="Give an output"
            )
        return read_parquet(self.corpus.place / "rejected.parquet")


@arguments_checked
def prepare(
    input: Inputs,
    output: str | Path | None = None,
    *,
    split: Split | None = None,
    reading: ReadingSettings | None = None,
    seed: int = 0,
    require_pairs: bool = True,
    engine: Engine | None = None,
    progress: bool = True,
) -> Preparation:
    """Read sequence files, keep the exact CDS-protein pairs, split, and write a corpus with its report.

    Args:
        input: as for `lifecode.read_records`.
        output: folder to write; one made of the same files and settings is used as it is. None reads and
            judges everything and writes nothing; `split`, `require_pairs` and `engine` then have no effect.
        split: how to hold out: a `BlockSplit` (default), `ContigSplit` or `TaxonSplit` of `lifecode.data`.
        reading: what the files do not say, a `ReadingSettings` of `lifecode.data`.
        seed: which blocks, contigs or taxa are held out.
        require_pairs: fail where no CDS is an exact pair, as with bare FASTA.
        engine: what runs the tasks; by default a process per core. The corpus does not depend on it.
        progress: show on stderr how far it is.

    Raises:
        UserError: an input that cannot be read or has no pairs, an output that holds something else or cannot
            be written.
        Interrupted: at Ctrl-C; the same call goes on.
    """
    with told(progress) as say:
        if output is None:
            report = read_without_writing(input, reading or ReadingSettings(), say)
            return Preparation(None, report, None)
        corpus = prepare_corpus(
            input,
            output,
            split=split,
            reading=reading,
            seed=seed,
            require_pairs=require_pairs,
            engine=engine,
            progress=say,
        )
    return Preparation(corpus, corpus.report, write_corpus_report(corpus))


def run(config: DictConfig) -> Preparation:
    """Prepare the corpus and print its census."""
    dry, seed = checked_value(config, "dry", bool), checked_value(config, "seed", int)
    mixture: Mixture = construct(config.data.mixture)
    use_colours(construct(config.figures))
    preparation = prepare(
        checked_value(config, "input", str | list[str]),
        None if dry else checked_value(config, "output", str),
        split=construct(config.data.split),
        reading=construct(config.data.reading, seed=seed),
        seed=seed,
        require_pairs=checked_value(config, "data.require_pairs", bool),
        engine=construct(config.engine),
    )
    _print_reading(preparation.counts)
    corpus = preparation.corpus
    if corpus is None:
        print("\nNothing was written (dry=true)")
        return preparation
    print(f"\n{training_line(size_of_corpus(corpus, mixture).codons, mixture)}")
    print(
        f"\nThe corpus is in {corpus.folder} (report.json has these counts, manifest.json what it is made of)"
    )
    print(f"The report is in {preparation.page}")
    return preparation


def _print_reading(report: dict[str, Any]) -> None:
    """How the files were read, the census, and what was left out; what one may copy is in plain lines."""
    if lines := how_read_lines(report):
        print("\n".join(lines), end="\n\n")
    print_table(census_table(report))
    if lines := list(left_out_lines(report)):
        print("\nLeft out, where it is more than 1 % of the CDS, with the first of each:")
        print("\n".join(lines))


def training_line(codons: Mapping[str, float], mixture: Mixture) -> str:
    """What training would read: shares of the codons, and how often each kind while the rarest is read once.

    Args:
        codons: of the training split, by kind, as `TrainingSize` has them.
        mixture: weights of the kinds.
    """
    shares = mixture.shares([kind for kind, number in codons.items() if number])
    if not shares:
        return "Training with this data.mixture would find nothing to read"
    rarest = min(shares, key=lambda kind: shares[kind] / codons[kind])
    once = shares[rarest] / codons[rarest]
    read = ", ".join(
        f"{share:.1%} {kind} ({share / codons[kind] / once:.3g} x)" for kind, share in shares.items()
    )
    absent = sorted(set(mixture.kinds) - shares.keys())
    lacking = f"; the corpus lacks {', '.join(absent)}" if absent else ""
    again = "".join(
        f"; a pass over cds reads {name} {n} x" for name, n in (mixture.cds_repeats or {}).items()
    )
    if mixture.temperature != 1:
        again += f"; a pass over cds reads small files more often (temperature {mixture.temperature:g})"
    return f"data.mixture has training read {read} while it reads all {rarest} once{again}{lacking}"
