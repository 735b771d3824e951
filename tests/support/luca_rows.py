"""Rows of LucaOne with labels of every task, made from a seed."""

from collections.abc import Sequence

import numpy as np

from lifecode.datasets.luca_one.label_names import LabelNames
from lifecode.datasets.luca_one.masking import LetterMasking
from lifecode.datasets.luca_one.rows import LucaOneRow
from lifecode.datasets.luca_one.stream import RowStream, TokenShape
from lifecode.datasets.luca_one.table import RowTable, row_table

NUM_KEYWORDS = 14
"""Classes of keywords of `small_luca_one`."""
_MOTIFS = ("ATGGCGAAA", "TTGACATAT", "GGCTACCGA")
_RESIDUES = "ACDEFGHIKLMNPQRSTVWY"


def luca_rows(num_rows: int = 24, seed: int = 0) -> list[LucaOneRow]:
    """Genes and proteins in turn, 30 to 60 letters, whose labels follow from their letters."""
    rng = np.random.default_rng(seed)
    return [_gene(rng, i) if i % 2 == 0 else _protein(rng, i) for i in range(num_rows)]


def _gene(rng: np.random.Generator, index: int) -> LucaOneRow:
    kind = int(rng.integers(3))
    letters = "".join(
        rng.choice(list("AT" if kind == 0 else "CG" if kind == 1 else "ACGT"), rng.integers(20, 50))
    )
    at = int(rng.integers(len(letters)))
    sequence = letters[:at] + _MOTIFS[kind] + letters[at:]
    span = (at, at + len(_MOTIFS[kind]) - 1, ("CDS", "tRNA", "rRNA")[kind])
    return LucaOneRow(
        f"gene{index}", "gene", sequence, {"gene_type": [span]}, {"gene_taxonomy": f"order{kind}"}
    )


def _protein(rng: np.random.Generator, index: int) -> LucaOneRow:
    kind = int(rng.integers(3))
    letters = "".join(rng.choice(list(_RESIDUES[6 * kind : 6 * kind + 8]), rng.integers(20, 50)))
    length = len(letters)
    spans = {
        "prot_homo": [(0, length // 2, f"family{kind}")],
        "prot_domain": [(length // 2, length - 1, f"domain{kind}")],
        "prot_site": [(3, 6, f"site{kind}")],
    }
    labels = {"prot_taxonomy": f"order{kind}", "prot_keyword": tuple(f"word{k}" for k in range(kind + 1))}
    drift = np.array([1.0, 0.5 * kind, -1.0])
    steps = np.cumsum(rng.normal(size=(length, 3)) + drift, axis=0).astype(np.float32)
    steps[5] = np.nan
    return LucaOneRow(f"protein{index}", "protein", letters, spans, labels, steps)


def table_of(rows: Sequence[LucaOneRow], longest: int = 1278) -> RowTable:
    """Their table, with the names of their own labels."""
    return row_table(rows, LabelNames.of_rows(rows), longest)


def stream_of(table: RowTable, shape: TokenShape | None = None, **changes: object) -> RowStream:
    """Steps of a table."""
    settings = {"masking": LetterMasking(), "num_keywords": NUM_KEYWORDS, "seed": 3, **changes}
    return RowStream(table, shape=shape or TokenShape(max_tokens=200, rows=2), **settings)
