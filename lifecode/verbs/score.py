"""`lifecode score`: what variants do to coding sequences, and what a model holds of them."""

from collections import Counter
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from omegaconf import DictConfig

from lifecode.app.configs.construct import checked_value
from lifecode.errors import UserError
from lifecode.host.activity import Activity
from lifecode.host.durable import disk_faults_named, require_writable
from lifecode.models.checksum import weights_checksum
from lifecode.models.families import load
from lifecode.models.life_code.model import LifeCode
from lifecode.tasks.tables import write_table
from lifecode.variants.allele_files import AlleleFile, alleles_of_rows, read_alleles
from lifecode.variants.annotate import OnMismatch, annotate
from lifecode.variants.genome import read_genome
from lifecode.variants.model_scores import Scoring, scored
from lifecode.variants.table import table_of
from lifecode.variants.vcf_output import write_vcf

if TYPE_CHECKING:
    from pandas import DataFrame

_TABLES = (".tsv", ".csv", ".parquet")


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


def score(
    model: LifeCode | str | Path | None,
    variants: "str | Path | DataFrame",
    genome: str | Path,
    *,
    annotation: str | Path | None = None,
    output: str | Path | None = None,
    on_mismatch: OnMismatch = "stop",
    genetic_code: int | Mapping[str, int] | None = None,
    scoring: Scoring | None = None,
    progress: bool = True,
) -> Scores:
    """Consequence, HGVS names and score of every variant on every transcript that it touches.

    Args:
        model: a model, which stays on its device, or what `lifecode.load` takes; None asks no model.
        variants: a VCF, BCF or TSV file, or a frame with columns chrom, pos (from 1), ref, alt and maybe id.
        genome: FASTA with an `annotation`, or GenBank, EMBL, GFF3 with sequences; `ecoli` ships.
        annotation: GFF3 or GTF.
        output: .tsv, .csv, .parquet, .vcf or .vcf.gz; None writes nothing.
        on_mismatch: `stop` at a variant that does not fit the genome, or `skip` and count it.
        genetic_code: of all contigs or by contig; None as for `lifecode prepare`.
        scoring: method, window, quantile.
        progress: show on stderr how far it is.

    Raises:
        UserError: a file that cannot be read, a variant that does not fit the genome, no such model, or an
            output that cannot be written or is there already.
    """
    place = None if output is None else Path(output).expanduser()
    if place is not None:
        _require_output(place)
    is_vcf = place is not None and place.name.endswith((".vcf", ".vcf.gz"))
    given = _alleles(variants, keep_records=is_vcf)
    reference = read_genome(genome, annotation, genetic_code)
    notes = [f"{count:,} CDS left out: {reason}" for reason, count in reference.left_out.items()]
    journal = None if place is None else place.with_name(f".{place.name}.scores")
    with Activity() if progress else nullcontext() as activity:

        def told(what: str) -> Any:
            def say(done: int, total: int) -> None:
                if activity is not None:
                    activity.say(f"{done:,} of {total:,} {what}")

            return say

        done = annotate(
            given.alleles,
            reference,
            source=given.source,
            on_mismatch=on_mismatch,
            on_progress=told("variants"),
        )
        scores = None
        if model is not None:
            loaded = model if isinstance(model, LifeCode) else _on_device(load(model))
            with disk_faults_named(journal) if journal is not None else nullcontext():
                scores = scored(
                    done.rows,
                    loaded,
                    scoring or Scoring(),
                    weights_checksum(loaded),
                    journal=journal,
                    on_progress=told("passes of the model"),
                )
    table = table_of(done.rows, scores)
    if place is not None:
        if is_vcf:
            write_vcf(place, given, done.rows, table, reference)
        else:
            write_table(table, place)
        if journal is not None:
            journal.unlink(missing_ok=True)
    if given.without_alt:
        notes.append(f"{given.without_alt:,} records without an ALT")
    return Scores(table, done.skipped, [*done.notes, *notes], place)


def run(config: DictConfig) -> Scores:
    """Score the variants of a file and write the table."""
    scores = score(
        checked_value(config, "checkpoint", str | None),
        checked_value(config, "input", str),
        checked_value(config, "genome", str),
        annotation=checked_value(config, "annotation", str | None),
        output=checked_value(config, "output", str),
        on_mismatch=checked_value(config, "on_mismatch", OnMismatch),
        genetic_code=checked_value(config, "genetic_code", int | dict[str, int] | None),
        scoring=Scoring(
            method=checked_value(config, "method", str),
            window_codons=checked_value(config, "window_codons", int | None),
            quantile=checked_value(config, "quantile", bool),
        ),
    )
    for line in scores.notes:
        print(line)
    for reason, count in scores.skipped.items():
        print(f"{count:,} variants skipped: {reason}")
    with_score = len(scores.table) - scores.table["score"].null_count
    print(f"{len(scores.table):,} rows, {with_score:,} with a score, in {scores.path}")
    return scores


def _alleles(variants: "str | Path | DataFrame", keep_records: bool) -> AlleleFile:
    if isinstance(variants, str | Path):
        return read_alleles(variants, keep_records=keep_records)
    if missing := [name for name in ("chrom", "pos", "ref", "alt") if name not in variants]:
        raise UserError(
            f"the frame has no column {', '.join(missing)}", remedy="Give chrom, pos (from 1), ref and alt"
        )
    names = variants["id"] if "id" in variants else ["."] * len(variants)
    columns = (variants[name] for name in ("chrom", "pos", "ref", "alt"))
    return alleles_of_rows(zip(*columns, names, strict=True), "the frame")


def _require_output(output: Path) -> None:
    """Raises a UserError unless the file can be written there and is not there yet."""
    if output.suffix not in _TABLES and not output.name.endswith((".vcf", ".vcf.gz")):
        raise UserError(
            "is none of .tsv, .csv, .parquet, .vcf and .vcf.gz",
            source=output,
            remedy=f"Write output={output}.tsv",
        )
    if output.exists():
        raise UserError("is there already", source=output, remedy="Choose another output, or delete this one")
    with disk_faults_named(output.parent, remedy="Choose an output where you may write"):
        output.parent.mkdir(parents=True, exist_ok=True)
        require_writable(output.parent)


def _on_device(model: LifeCode) -> LifeCode:
    import torch

    return model.to("cuda" if torch.cuda.is_available() else "cpu")
