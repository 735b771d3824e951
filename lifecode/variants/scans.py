"""Zero-shot scores of protein mutants under a codon model: residues are sums over their codons.

The mutated places of a mutant are masked together and read from the rest of the wild type's CDS; the score
is the sum over them of log P(new residue) - log P(old one). The CDS is the user's, or the protein
reverse-translated by the commonest codons of an organism, which the model then reads as if they were the
gene's.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from lifecode.alphabet import AMINO_ACIDS, codon_ids, encode_nucleotides
from lifecode.errors import UserError
from lifecode.genetic_code import GeneticCode, genetic_code
from lifecode.models.life_code.model import LifeCode
from lifecode.variants.asking import Question, Scoring, answered, window_of
from lifecode.variants.scan_files import Scan


def residue_log_p(log_p: NDArray[np.floating], code: GeneticCode) -> NDArray[np.float64]:
    """log P of each residue of `AMINO_ACIDS` (n, 21) from that of codons (n, 64)."""
    log_p = log_p.astype(np.float64)
    columns = []
    for residue in range(len(AMINO_ACIDS)):
        own = code.residues[:64] == residue
        columns.append(
            np.logaddexp.reduce(log_p[:, own], axis=1) if own.any() else np.full(len(log_p), -np.inf)
        )
    return np.stack(columns, axis=1)


def checked_cds(cds: str, protein: str, number: int) -> str:
    """The codons of a wild type, with its stop if it has one.

    Args:
        cds: nucleotides of whole codons.
        protein: what they have to read as; a first M may be another start codon.
        number: NCBI genetic code.

    Raises:
        UserError: they read otherwise; the first residue that differs is named.
    """
    code = genetic_code(number)
    codons = codon_ids(encode_nucleotides(cds, source="cds"))
    read = code.translate(codons, complete_cds=protein.startswith("M"))
    read, wanted = read.removesuffix("*"), protein.removesuffix("*")
    if len(cds) % 3 or read != wanted:
        place = next((i for i, (a, b) in enumerate(zip(read, wanted, strict=False)) if a != b), None)
        where = (
            f"residue {place + 1} is {read[place]}, not {wanted[place]}"
            if place is not None
            else f"it has {len(cds):,} nucleotides for {len(wanted):,} residues"
        )
        raise UserError(
            f"does not read as the protein: {where}", source="cds", remedy="Give the CDS of this very protein"
        )
    return cds


def scan_scores(
    scan: Scan,
    model: LifeCode,
    cds: str,
    scoring: Scoring,
    checksum: str,
    number: int,
    *,
    journal: Path | None = None,
    on_progress: Callable[[int, int], None] | None = None,
) -> pa.Table:
    """One row a mutant: `mutant input_line score entropy method context model status`.

    Args:
        scan: mutants.
        model: that is asked.
        cds: codons of the wild type, from `checked_cds` or a reverse translation.
        scoring: method and window.
        checksum: of the model.
        number: NCBI genetic code.
        journal: as for `asking.answered`.
        on_progress: likewise.
    """
    ids = encode_nucleotides(cds)
    code, total = genetic_code(number), len(ids) // 3
    questions, owners = [], []
    for row, mutant in enumerate(scan.mutants):
        places = sorted({one.place for one in mutant})
        if len(places) == len(mutant) and all(one.new in AMINO_ACIDS for one in mutant) and places:
            begin, end = window_of(total, places[0], places[-1], scoring.window_codons)
            questions.append(Question(0, tuple(places), begin, end))
            owners.append(row)
    found = answered(
        model, [ids], questions, scoring.method, journal=journal, about=checksum, on_progress=on_progress
    )
    columns: dict[str, list[Any]] = {
        name: [None] * len(scan.names) for name in ("score", "entropy", "method", "context", "model")
    }
    status = ["wild_type" if not mutant else "not_substitutions" for mutant in scan.mutants]
    for row, question, log_p in zip(owners, questions, found, strict=True):
        by_residue = residue_log_p(log_p, code)
        score = 0.0
        for one in scan.mutants[row]:
            own = by_residue[question.places.index(one.place)]
            score += own[AMINO_ACIDS.index(one.new)] - own[AMINO_ACIDS.index(one.old)]
        columns["score"][row] = float(score)
        columns["entropy"][row] = float(-(np.exp(log_p) * log_p).sum(axis=1).mean())
        columns["method"][row], columns["model"][row] = scoring.method, checksum
        columns["context"][row] = f"codons {question.begin + 1}-{question.end} of {total}"
        status[row] = "scored"
    for row, mutant in enumerate(scan.mutants):
        if not mutant:
            columns["score"][row] = 0.0
    schema = pa.schema(
        [
            ("mutant", pa.string()),
            ("input_line", pa.int64()),
            ("score", pa.float64()),
            ("entropy", pa.float64()),
            ("method", pa.string()),
            ("context", pa.string()),
            ("model", pa.string()),
            ("status", pa.string()),
        ]
    )
    return pa.table(
        {"mutant": scan.names, "input_line": scan.lines, **columns, "status": status}, schema=schema
    )


def whole_scan(
    model: LifeCode, cds: str, scoring: Scoring, on_progress: Callable[[int, int], None] | None = None
) -> NDArray[np.float32]:
    """log P of all 64 codons at every codon of a CDS (num_codons, 64)."""
    ids = encode_nucleotides(cds)
    total = len(ids) // 3
    questions = [Question(0, (i,), *window_of(total, i, i, scoring.window_codons)) for i in range(total)]
    return np.concatenate(answered(model, [ids], questions, scoring.method, on_progress=on_progress))
