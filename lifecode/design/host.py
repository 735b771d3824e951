"""How a host uses codons and pairs of codons, by a table or its verified genes, and codons that fit it.

Tables hold the share of each codon among its synonyms, and nothing of how often a residue or a pair of codons
occurs; a genome says all of it.
"""

import os
import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lifecode.alphabet import NUM_AMINO_ACIDS, NUM_CODONS, codon_ids
from lifecode.data.cds.coding_sequence import ExactPair, verify_all
from lifecode.data.cds.codon_usage import kazusa_usage
from lifecode.data.reading.inputs import Inputs
from lifecode.data.reading.read import packaged_genomes, read_records
from lifecode.design.synonyms import synonym_family
from lifecode.errors import UserError
from lifecode.genetic_code import genetic_code
from lifecode.usage_tables import USAGE_TABLES, find_usage_table

_LEAST_COUNT, _LEAST_SHARE = 0.5, 0.005
"""Of a codon that the host does not use: as Sharp and Li count it, and half of what a table's digits tell."""
_CODE_OF_TABLES, _CODE_OF_BACTERIA = 1, 11
_BACTERIA = ("e_coli", "b_subtilis")


@dataclass(frozen=True, slots=True, eq=False)
class HostUsage:
    """How a host uses codons.

    Attributes:
        name: as the user calls it.
        genetic_code: NCBI number.
        shares: (64,) of each codon among its synonyms, none of them 0; stops are synonyms of one another.
        frequencies: (64,) of each codon among all; from a table, which does not say, as if every residue
            were equally frequent.
        pairs: (64, 64) how often a codon is followed by another in a gene; None from a table.
        num_genes: counted; None from a table.
    """

    name: str
    genetic_code: int
    shares: NDArray[np.float64] = field(repr=False)
    frequencies: NDArray[np.float64] = field(repr=False)
    pairs: NDArray[np.float64] | None = field(repr=False)
    num_genes: int | None

    @property
    def relative_adaptiveness(self) -> NDArray[np.float64]:
        """(64,) share of each codon over the largest among its synonyms (Sharp and Li 1987)."""
        family = synonym_family(self.genetic_code)
        largest = np.zeros(NUM_AMINO_ACIDS)
        np.maximum.at(largest, family, self.shares)
        return self.shares / largest[family]


def host_usage(host: Inputs, code: int | None = None) -> HostUsage:
    """The usage of a host.

    Args:
        host: `ecoli` for the genome that ships or sequence files as for `lifecode.read_records`, whose
            verified CDS are counted; or, where no file has that name, a table of `python_codon_tables` by
            its name, its species, a strain or an NCBI taxon, such as `h_sapiens`, `Homo sapiens`,
            `E. coli BL21(DE3)` or `9606`.
        code: NCBI genetic code; None: that of most of the host's genes, of a table 1 or, of bacteria, 11.

    Raises:
        UserError: no such file or table, files that cannot be read, or without a verified CDS.
    """
    if code is not None:
        genetic_code(code)
    if isinstance(host, str) and host.strip().lower() in packaged_genomes():
        host = host.strip().lower()
    is_name = isinstance(host, str | int) and str(host) not in packaged_genomes()
    is_name = is_name and not os.path.isfile(str(host))
    if is_name and (table := find_usage_table(str(host))) is not None:
        own = _CODE_OF_BACTERIA if table.rpartition("_")[0] in _BACTERIA else _CODE_OF_TABLES
        return _from_table(table, own if code is None else code)
    if is_name and not _may_be_files(str(host)):
        known = ", ".join([*packaged_genomes(), *USAGE_TABLES])
        raise UserError(
            f"there is no table of {host!r}",
            source="host",
            remedy=f"Give its annotated genome, or cds:FILE for its coding sequences, or one of {known}",
        )
    return _from_genome(host, code)


def counted(genes: list[NDArray[np.integer]], code: int, name: str) -> HostUsage:
    """The usage of genes, by the codon ids (L,) of each, -1 where ambiguous; start codons do not count."""
    counts, pairs = np.zeros(NUM_CODONS), np.zeros((NUM_CODONS, NUM_CODONS))
    for gene in genes:
        inner = gene[1:]
        counts += np.bincount(inner[inner >= 0], minlength=NUM_CODONS)
        known = (inner[:-1] >= 0) & (inner[1:] >= 0)
        np.add.at(pairs, (inner[:-1][known], inner[1:][known]), 1)
    present = np.maximum(counts, _LEAST_COUNT)
    return HostUsage(name, code, _within(present, code), present / present.sum(), pairs, len(genes))


def best_codons(allowed: NDArray[np.bool_], host: HostUsage) -> NDArray[np.int64]:
    """The host's commonest codon (L,) of each position's residue, by the codons (L, 64) it may have."""
    return np.where(allowed, host.shares, -1.0).argmax(axis=1)


def matched_usage(
    allowed: NDArray[np.bool_], host: HostUsage, draw: np.random.Generator
) -> NDArray[np.int64]:
    """Codons (L,) drawn by their share among the synonyms."""
    cumulative = np.cumsum(np.where(allowed, host.shares, 0.0), axis=1)
    return (cumulative <= (draw.random(len(allowed)) * cumulative[:, -1])[:, None]).sum(axis=1)


def _may_be_files(host: str) -> bool:
    return bool(host) and (re.search(r"[/*?:]|\.(?!\s)", host) is not None or Path(host).exists())


def _from_table(table: str, code: int) -> HostUsage:
    """Shares of a table, which has those by the standard code: a codon that `code` moved counts as unused."""
    family = synonym_family(code)
    moved = family != synonym_family(_CODE_OF_TABLES)
    has_own = np.bincount(family, weights=~moved, minlength=NUM_AMINO_ACIDS) > 0
    own = np.where(moved & has_own[family], 0, np.nan_to_num(kazusa_usage(table)))
    shares = _within(np.maximum(own, _LEAST_SHARE), code)
    return HostUsage(table, code, shares, shares / NUM_AMINO_ACIDS, None, None)


def _from_genome(host: Inputs, code: int | None) -> HostUsage:
    """Counts the verified CDS of the genetic code that most of them have, or of the code asked for."""
    genes: dict[int, list[NDArray[np.integer]]] = defaultdict(list)
    for contig in read_records(host, genetic_code=code):
        if contig.molecule == "protein":
            continue
        for verdict in verify_all(contig):
            if isinstance(verdict, ExactPair):
                genes[verdict.coding_sequence.genetic_code].append(codon_ids(verdict.nucleotides))
    if not genes:
        raise UserError(
            "has no coding sequence that translates to its protein, so no codon usage can be counted",
            source=host if isinstance(host, str | Path) else ", ".join(map(str, host)),
            remedy="Give an annotated genome, cds:FILE for coding sequences alone, or the name of a table",
        )
    main = max(genes, key=lambda number: len(genes[number]))
    return counted(genes[main], main, str(host))


def _within(values: NDArray[np.float64], code: int) -> NDArray[np.float64]:
    """Values (64,) divided by their sum among synonyms."""
    family = synonym_family(code)
    return values / np.bincount(family, weights=values, minlength=NUM_AMINO_ACIDS)[family]
