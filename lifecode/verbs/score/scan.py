"""`lifecode.score_scan`: zero-shot scores of the mutants of a protein."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lifecode.alphabet import AMINO_ACIDS, decode_nucleotides
from lifecode.arguments import arguments_checked
from lifecode.data.formats.fasta import fasta_records
from lifecode.data.formats.malformed import settle_by, warn_of_skipped
from lifecode.data.formats.opening import opened
from lifecode.data.formats.proteins import CodonChoice
from lifecode.data.reading.coding_records import coding_records, those_that_spell
from lifecode.data.translation import translate
from lifecode.errors import UserError
from lifecode.host.activity import counting, told
from lifecode.host.durable import disk_faults_named, require_writable
from lifecode.models.masked_reading import MaskedModel
from lifecode.models.weights import weights_checksum
from lifecode.tasks.tables import write_table
from lifecode.variants.asking import Scoring
from lifecode.variants.heat_map import draw_heat_map, require_picture_name
from lifecode.variants.journal import forget, journal_beside
from lifecode.variants.reading.reverse_translation import ReverseTranslation
from lifecode.variants.reading.scan_files import Scan, read_scan, scan_of, scan_of_columns
from lifecode.variants.scans import scan_scores, whole_scan
from lifecode.variants.wild_type import checked_cds, scan_reader, wild_types
from lifecode.verbs.score.scores import TABLES, Scores, journal_of, on_device, require_scores

if TYPE_CHECKING:
    from pandas import DataFrame

_RESIDUES = f"{AMINO_ACIDS}UOBJXZ"


@arguments_checked
def score_scan(
    model: MaskedModel | str | Path | None,
    mutants: "str | Path | Sequence[str] | DataFrame",
    *,
    protein: str | Path | None = None,
    cds: str | Path | None = None,
    offset: int = 1,
    output: str | Path | None = None,
    heat_map: str | Path | None = None,
    organism: str = "e_coli",
    codon_choice: CodonChoice = "sampled",
    codon_draws: int = 4,
    seed: int = 0,
    genetic_code: int = 1,
    scoring: Scoring | None = None,
    progress: bool = True,
) -> Scores:
    """Zero-shot scores of the mutants of a protein: log P(new residues) - log P(old ones).

    Args:
        model: that reads codons or residues, as for `score`, but there has to be one.
        mutants: a CSV, TSV or Parquet file or a frame with a column `mutant`, or a list such as
            `["H24C", "A24C:D30E"]`.
        protein: wild type, as text or the path of a FASTA file; None reads it from the `cds`.
        cds: its coding sequence, as text or the path of a FASTA file or of one that annotates it (GenBank,
            EMBL, GFF3), where of several that is meant which spells the protein; for a model of codons None
            reverse-translates the protein, which a note says.
        offset: number that the first residue of the wild type has in the mutants.
        output: .tsv, .csv or .parquet; None writes nothing.
        heat_map: picture of every substitution at every position, .png, .svg or .pdf.
        organism: whose codons a protein without CDS gets, and new residues by `pseudo_likelihood`.
        codon_choice: `sampled` draws each by its share there, `frequent` takes the commonest.
        codon_draws: over so many draws scores are means.
        seed: of the draws.
        genetic_code: NCBI number.
        scoring: method and window.
        progress: show on stderr how far it is.

    Raises:
        UserError: a file that cannot be read, a mutant that does not fit the wild type, a CDS that does not
            read as the protein, or an output that cannot be written.
    """
    scoring = scoring or Scoring()
    written = ReverseTranslation(
        organism=organism, codon_choice=codon_choice, codon_draws=codon_draws, seed=seed
    )
    _require_scan(scoring, heat_map)
    if model is None:
        raise UserError("has no scores without a model", source="a scan", remedy="Give a model")
    place = None if output is None else Path(output).expanduser()
    picture = None if heat_map is None else Path(heat_map).expanduser()
    if place is not None:
        require_scores(place, TABLES)
    if picture is not None:
        require_picture_name(picture)
        with disk_faults_named(picture.parent, remedy="Choose a folder where you may write"):
            picture.parent.mkdir(parents=True, exist_ok=True)
            require_writable(picture.parent)
    letters, codons = _protein_and_cds(protein, cds, genetic_code)
    if isinstance(mutants, str | Path):
        scan = read_scan(mutants, letters, offset)
    else:
        scan = _scan_in_memory(mutants, letters, offset)
    loaded = on_device(model)
    reader = scan_reader(loaded, scoring.method)
    is_whole = scoring.method.startswith("pseudo_likelihood")
    wilds = wild_types(reader, letters, codons, written, genetic_code, draws_mutants=is_whole)
    notes = []
    if codons is None and wilds[0].how_written is not None:
        notes.append(f"no CDS was given: the protein is read {wilds[0].how_written}")
    journal = journal_of(place)
    counted = "sequences" if is_whole else "passes of the model"
    with told(progress) as say:
        on_progress = counting(say, counted)
        log_p, answers_of = None, {}
        with disk_faults_named(journal):
            asked: dict[str, Any] = {"on_progress": on_progress, "answers_of": answers_of}
            checksum = weights_checksum(loaded)
            table = scan_scores(scan, wilds, scoring, checksum, journal=journal, **asked)
            if picture is not None:
                beside = journal_beside(journal, "heat_map")
                log_p = whole_scan(wilds, scoring, checksum, journal=beside, **asked)
        if picture is not None and log_p is not None:
            of_residues = [own[: len(letters)] for own in log_p]
            draw_heat_map(picture, wilds, of_residues, offset, scoring.method)
        if place is not None and journal is not None:
            try:
                write_table(table, place)
            except BaseException:  # the same command is to go on, and finds no picture in its way
                if picture is not None:
                    picture.unlink(missing_ok=True)
                raise
            forget(journal)
    return Scores(table, Counter(), notes, place)


def _scan_in_memory(mutants: Any, protein: str, offset: int) -> Scan:
    """The scan of a list or series, or of a frame."""
    if hasattr(mutants, "columns"):
        return scan_of_columns({str(name): mutants[name] for name in mutants}, protein, offset)
    return scan_of(mutants, protein, offset)


def _require_scan(scoring: Scoring, heat_map: str | Path | None) -> None:
    if heat_map is not None and scoring.method.startswith("pseudo_likelihood"):
        raise UserError(
            "shows what is expected at each place, which pseudo_likelihood does not say",
            source="heat_map",
            remedy="Leave it out, or choose another method",
        )
    if scoring.quantile:
        raise UserError("ranks variants of a genome", source="quantile", remedy="Leave it out for a scan")


def _protein_and_cds(
    protein: str | Path | None, cds: str | Path | None, genetic_code: int
) -> tuple[str, str | None]:
    """The wild type without its stop, and its coding sequence where one is given."""
    if protein is None and cds is None:
        raise UserError("a scan needs its wild type", remedy="Give protein= or cds=")
    wild_type = None if protein is None else _one_protein(protein).removesuffix("*")
    codons = None if cds is None else _one_cds(cds, wild_type, genetic_code)
    if wild_type is None:
        wild_type = translate(str(codons), genetic_code, complete_cds=True).removesuffix("*")
    _require_residues(wild_type)
    return wild_type, None if codons is None else checked_cds(codons, wild_type, genetic_code)


def _require_residues(protein: str) -> None:
    place = next((i for i, letter in enumerate(protein, start=1) if letter not in _RESIDUES), None)
    if not protein or place is not None:
        letter = f"letter {protein[place - 1]!r} at position {place}" if place else "an empty sequence"
        raise UserError(f"{letter} is not an amino acid", source="protein", remedy=f"Allowed are {_RESIDUES}")


def _one_protein(given: str | Path) -> str:
    """Text, or the one record of a FASTA file, in upper case."""
    if (file := _file_of(given, "protein")) is None:
        return str(given).upper()
    with opened(file) as handle:
        records = list(fasta_records(handle, str(file), settle_by("stop", warn_of_skipped)))
    if len(records) != 1:
        raise _not_one(given, len(records), "the one protein of the wild type")
    return records[0][2].decode("ascii", errors="replace").upper()


def _one_cds(given: str | Path, protein: str | None, genetic_code: int) -> str:
    """Text, or the one coding sequence of a file, or the one of several that spells the protein."""
    if (file := _file_of(given, "cds")) is None:
        return str(given).upper()
    records = coding_records(file)
    if len(records) != 1 and protein is not None:
        records = those_that_spell(records, protein, genetic_code)
    if len(records) != 1:
        of = "" if protein is None else " that spell the protein"
        raise _not_one(given, len(records), "the one CDS of the wild type, or its protein too", of)
    return decode_nucleotides(records[0].nucleotides)


def _file_of(given: str | Path, what: str) -> Path | None:
    """The file that is named; None where letters are given."""
    file = Path(given).expanduser()
    letters = isinstance(given, str) and given.isascii() and given.strip("*").isalpha()
    if letters and not os.path.isfile(file):  # which says no of a name that is too long
        return None
    if not file.is_file():
        raise UserError("no such file", source=given, remedy=f"Give the {what} as letters or a file")
    return file


def _not_one(given: object, num_records: int, wanted: str, of: str = "") -> UserError:
    return UserError(f"has {num_records:,} records{of}, not one", source=given, remedy=f"Give {wanted}")
