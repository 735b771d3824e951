"""`lifecode score`: what variants do to coding sequences, and what a model holds of them."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from omegaconf import DictConfig

from lifecode.app.configs.construct import checked_value
from lifecode.arguments import arguments_checked
from lifecode.data.formats.proteins import CodonChoice
from lifecode.errors import UserError
from lifecode.host.activity import counting, told
from lifecode.host.durable import disk_faults_named
from lifecode.models.masked_reading import MaskedModel
from lifecode.models.weights import weights_checksum
from lifecode.tasks.tables import write_table
from lifecode.variants.annotate import OnMismatch, annotate
from lifecode.variants.asking import Scoring
from lifecode.variants.journal import forget
from lifecode.variants.reading.allele_files import read_alleles
from lifecode.variants.reading.allele_tables import alleles_of_columns
from lifecode.variants.reading.found_alleles import AlleleFile
from lifecode.variants.reading.genome import read_genome
from lifecode.variants.reading.reverse_translation import ReverseTranslation
from lifecode.variants.table import table_of
from lifecode.variants.variant_scores import scored
from lifecode.variants.vcf_output import write_vcf
from lifecode.verbs.score.scan import score_scan
from lifecode.verbs.score.scores import TABLES, VCF, Scores, journal_of, on_device, require_scores

if TYPE_CHECKING:
    from pandas import DataFrame


@arguments_checked
def score(
    model: MaskedModel | str | Path | None,
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
        model: a model of any family that reads DNA, which stays on its device, or what `lifecode.load`
            takes; None asks no model.
        variants: a VCF, BCF, TSV, CSV or Parquet file, or a frame; tables have columns chrom, pos (from 1),
            ref, alt and maybe id, end and svlen (of symbolic ALT).
        genome: FASTA with an `annotation`, or GenBank, EMBL, GFF3 with sequences; `ecoli` ships.
        annotation: GFF3 or GTF.
        output: .tsv, .csv, .parquet, .vcf or .vcf.gz; None writes nothing.
        on_mismatch: `stop` at a variant that does not fit the genome, or `skip` and count it.
        genetic_code: of all contigs or by contig; None as for `lifecode prepare`.
        scoring: method, windows, quantile.
        progress: show on stderr how far it is.

    Raises:
        UserError: a file that cannot be read, a variant that does not fit the genome, no such model, or an
            output that cannot be written or is there already.
    """
    place = None if output is None else Path(output).expanduser()
    if place is not None:
        require_scores(place, (*TABLES, *VCF))
    is_vcf = place is not None and place.name.endswith(VCF)
    given = _alleles(variants, keep_records=is_vcf)
    reference = read_genome(genome, annotation, genetic_code)
    notes = [f"{count:,} CDS left out: {reason}" for reason, count in reference.left_out.items()]
    journal = journal_of(place)
    with told(progress) as say:
        done = annotate(
            given.alleles,
            reference,
            source=given.source,
            on_mismatch=on_mismatch,
            on_progress=counting(say, "variants"),
        )
        scores = None
        if model is not None:
            loaded = on_device(model)
            with disk_faults_named(journal):
                scores = scored(
                    done.rows,
                    reference,
                    loaded,
                    scoring or Scoring(),
                    weights_checksum(loaded),
                    journal=journal,
                    on_progress=counting(say, "passes of the model"),
                )
    table = table_of(done.rows, scores)
    if place is not None and journal is not None:
        if is_vcf:
            write_vcf(place, given, done.rows, table, reference)
        else:
            write_table(table, place)
        forget(journal)
    if given.without_alt:
        notes.append(f"{given.without_alt:,} records without an ALT")
    return Scores(table, done.skipped, [*done.notes, *notes], place)


def run(config: DictConfig) -> Scores:
    """Score the variants or mutants of a file and write the table."""
    scoring = Scoring(
        method=checked_value(config, "method", str),
        window_codons=checked_value(config, "window_codons", int | None),
        window_nucleotides=checked_value(config, "window_nucleotides", int | None),
        quantile=checked_value(config, "quantile", bool),
    )
    genome = checked_value(config, "genome", str | None)
    protein, cds = (checked_value(config, key, str | None) for key in ("protein", "cds"))
    if (genome is None) == (protein is None and cds is None):
        raise UserError(
            "needs either a genome, for variants, or a protein or cds, for a mutational scan",
            remedy="Give genome=..., or protein=... (cds=... with it or alone)",
        )
    if genome is None:
        scores = _run_scan(config, scoring, protein, cds)
    else:
        scores = _run_variants(config, scoring, genome)
    for line in scores.notes:
        print(line)
    for reason, count in scores.skipped.items():
        print(f"{count:,} variants skipped: {reason}")
    with_score = len(scores.table) - scores.table["score"].null_count
    print(f"{len(scores.table):,} rows, {with_score:,} with a score, in {scores.path}")
    return scores


def _run_scan(config: DictConfig, scoring: Scoring, protein: str | None, cds: str | None) -> Scores:
    of_variants = {
        "annotation": None,
        "on_mismatch": "stop",
        "window_nucleotides": Scoring().window_nucleotides,
    }
    _require_default(config, of_variants, "a mutational scan")
    if cds is not None and not scoring.method.startswith("pseudo_likelihood"):
        _require_default(config, asdict(ReverseTranslation()), "a scan with its CDS")
    written: dict[str, Any] = {
        "organism": checked_value(config, "organism", str),
        "codon_choice": checked_value(config, "codon_choice", CodonChoice),
        "codon_draws": checked_value(config, "codon_draws", int),
        "seed": checked_value(config, "seed", int),
    }
    if written["codon_choice"] == "frequent":
        of_draws = {key: getattr(ReverseTranslation(), key) for key in ("codon_draws", "seed")}
        _require_default(config, of_draws, "the commonest codons")
    code = checked_value(config, "genetic_code", int | None)
    return score_scan(
        checked_value(config, "checkpoint", str),
        checked_value(config, "input", str),
        protein=protein,
        cds=cds,
        offset=checked_value(config, "offset", int),
        output=checked_value(config, "output", str),
        heat_map=checked_value(config, "heat_map", str | None),
        **written,
        genetic_code=1 if code is None else code,
        scoring=scoring,
    )


def _require_default(config: DictConfig, defaults: Mapping[str, Any], what: str) -> None:
    """Raises a UserError for a key that has no effect here."""
    for key, value in defaults.items():
        if config[key] != value:
            raise UserError(f"has no effect on {what}", source=key, remedy="Leave it out")


def _run_variants(config: DictConfig, scoring: Scoring, genome: str) -> Scores:
    of_scans = {"offset": 1, "heat_map": None, **asdict(ReverseTranslation())}
    _require_default(config, of_scans, "variants of a genome")
    checkpoint = checked_value(config, "checkpoint", str | None)
    if checkpoint is None:
        _require_default(config, asdict(Scoring()), "a run without a model")
    return score(
        checkpoint,
        checked_value(config, "input", str),
        genome,
        annotation=checked_value(config, "annotation", str | None),
        output=checked_value(config, "output", str),
        on_mismatch=checked_value(config, "on_mismatch", OnMismatch),
        genetic_code=checked_value(config, "genetic_code", int | dict[str, int] | None),
        scoring=scoring,
    )


def _alleles(variants: "str | Path | DataFrame", keep_records: bool) -> AlleleFile:
    if isinstance(variants, str | Path):
        return read_alleles(variants, keep_records=keep_records)
    columns = [variants.iloc[:, place] for place in range(variants.shape[1])]
    return alleles_of_columns(list(variants.columns), columns, "the frame")
