"""`lifecode.score_scan`: zero-shot scores of the mutants of a protein."""

import os
from collections import Counter
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from lifecode.data.formats.fasta import fasta_records
from lifecode.data.formats.malformed import settle_by, warn_of_skipped
from lifecode.data.formats.opening import opened
from lifecode.data.translation import reverse_translate, translate
from lifecode.errors import UserError
from lifecode.host.activity import Activity
from lifecode.host.durable import disk_faults_named
from lifecode.models.checksum import weights_checksum
from lifecode.models.life_code.model import LifeCode
from lifecode.tasks.tables import write_table
from lifecode.variants.asking import Scoring
from lifecode.variants.heat_map import draw_heat_map, require_picture_name
from lifecode.variants.scan_files import read_scan, scan_of
from lifecode.variants.scans import checked_cds, scan_scores, whole_scan
from lifecode.verbs.score.scores import TABLES, Scores, journal_of, on_device, require_output


def score_scan(
    model: LifeCode | str | Path,
    mutants: str | Path | Sequence[str],
    *,
    protein: str | Path | None = None,
    cds: str | Path | None = None,
    offset: int = 1,
    output: str | Path | None = None,
    heat_map: str | Path | None = None,
    organism: str = "e_coli",
    genetic_code: int = 1,
    scoring: Scoring | None = None,
    progress: bool = True,
) -> Scores:
    """Zero-shot scores of the mutants of a protein: log P(new residues) - log P(old ones), summed over
    codons.

    Args:
        model: as for `score`, but there has to be one.
        mutants: a CSV or TSV file with a column `mutant`, or a list such as `["H24C", "A24C:D30E"]`.
        protein: wild type, as text or the path of a FASTA file; None reads it from the `cds`.
        cds: its coding sequence, likewise; None reverse-translates the protein, which a note says.
        offset: number that the first residue of the wild type has in the mutants.
        output: .tsv, .csv or .parquet; None writes nothing.
        heat_map: picture of every substitution at every position, .png, .svg or .pdf.
        organism: whose commonest codons a protein without CDS gets.
        genetic_code: NCBI number.
        scoring: method and window.
        progress: show on stderr how far it is.

    Raises:
        UserError: a file that cannot be read, a mutant that does not fit the wild type, a CDS that does not
            read as the protein, or an output that cannot be written.
    """
    scoring = scoring or Scoring()
    if scoring.quantile:
        raise UserError("ranks variants of a genome", source="quantile", remedy="Leave it out for a scan")
    place = None if output is None else Path(output).expanduser()
    picture = None if heat_map is None else Path(heat_map).expanduser()
    if place is not None:
        require_output(place, TABLES)
    if picture is not None:
        require_picture_name(picture)
    notes = []
    codons = None if cds is None else _one_sequence(cds, "cds")
    if protein is not None:
        wild_type = _one_sequence(protein, "protein").removesuffix("*")
    elif codons is not None:
        wild_type = translate(codons, genetic_code, complete_cds=True).removesuffix("*")
    else:
        raise UserError("a scan needs its wild type", remedy="Give protein= or cds=")
    if codons is None:
        codons = reverse_translate(wild_type + "*", organism, genetic_code=genetic_code)
        notes.append(f"no CDS was given: the protein is read in the commonest codons of {organism}")
    codons = checked_cds(codons, wild_type, genetic_code)
    if isinstance(mutants, str | Path):
        scan = read_scan(mutants, wild_type, offset)
    else:
        scan = scan_of(mutants, wild_type, offset)
    loaded = on_device(model)
    journal = journal_of(place)
    with Activity() if progress else nullcontext() as activity:

        def told(done: int, total: int) -> None:
            if activity is not None:
                activity.say(f"{done:,} of {total:,} passes of the model")

        with disk_faults_named(journal) if journal is not None else nullcontext():
            table = scan_scores(
                scan,
                loaded,
                codons,
                scoring,
                weights_checksum(loaded),
                genetic_code,
                journal=journal,
                on_progress=told,
            )
        if place is not None:
            write_table(table, place)
            if journal is not None:
                journal.unlink(missing_ok=True)
        if picture is not None:
            log_p = whole_scan(loaded, codons, scoring, on_progress=told)
            length = len(wild_type)
            draw_heat_map(picture, log_p[:length], codons[: 3 * length], genetic_code, offset)
    return Scores(table, Counter(), notes, place)


def _one_sequence(given: str | Path, what: str) -> str:
    """Text, or the one record of a FASTA file, in upper case."""
    file = Path(given).expanduser()
    letters = isinstance(given, str) and given.isascii() and given.strip("*").isalpha()
    if letters and not os.path.isfile(file):  # which says no of a name that is too long
        return str(given).upper()
    if not file.is_file():
        raise UserError("no such file", source=given, remedy=f"Give the {what} as letters or a FASTA file")
    with opened(file) as handle:
        records = list(fasta_records(handle, str(file), settle_by("stop", warn_of_skipped)))
    if len(records) != 1:
        raise UserError(
            f"has {len(records)} records, not one",
            source=given,
            remedy=f"Give the one {what} of the wild type",
        )
    return records[0][2].decode("ascii", errors="replace").upper()
