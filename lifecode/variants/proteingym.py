"""ProteinGym's substitution assays as downloaded: zero-shot scores of codon models beside simple ones.

`DMS_substitutions.csv` names the assays, and their CSV files lie at any depth. ProteinGym has no coding
sequences: a column `cds` of the reference file or a FASTA file gives them, else the protein is read in codons
of an organism, and a note says so.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import numpy as np
from Bio.Align import substitution_matrices
from numpy.typing import NDArray

from lifecode.alphabet import AMINO_ACIDS
from lifecode.data.formats.proteins import CodonChoice
from lifecode.errors import UserError
from lifecode.host.checksum import digest_of
from lifecode.tasks.competitors.competitor import Competitor, ModelReader, Predictions, Reader, Role, Say
from lifecode.tasks.examples.labels import Labels
from lifecode.tasks.examples.named_letters import fasta_by_name
from lifecode.tasks.examples.table import Table, read_table
from lifecode.tasks.names_in_tables import UNTRAINED, ZeroShotBaseline, notes_on_name
from lifecode.tasks.suites.benchmark import BenchmarkSet, Scored, ZeroShotSet, none_found
from lifecode.variants.asking import Scoring
from lifecode.variants.reading.reverse_translation import ReverseTranslation
from lifecode.variants.reading.scan_files import Scan, scan_of
from lifecode.variants.scans import scan_scores, status_of
from lifecode.variants.wild_type import WildType, checked_cds, scan_reader, wild_types

REFERENCE = "DMS_substitutions.csv"
_CODE = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ProteinGym:
    """Spearman's correlation with each assay; averaged by UniProt_ID, and for each taxon.

    Args:
        cds: FASTA file of coding sequences, named by DMS_id or UniProt_ID; None has those of the reference
            file.
        organism: whose codons a protein without a coding sequence gets, and new residues by
            `pseudo_likelihood`.
        codon_choice: `sampled` draws each by its share there, `frequent` takes the commonest.
        codon_draws: over so many draws scores are means.
        method: how a model is asked, as `lifecode score` has it.
        window_codons: at most so many codons are read, those around the substitutions; None reads all.
    """

    cds: str | None = None
    organism: str = "e_coli"
    codon_choice: CodonChoice = "sampled"
    codon_draws: int = 4
    method: str = "masked"
    window_codons: int | None = 1_024

    def sets(self, root: Path) -> Mapping[str, BenchmarkSet]:
        """A set for each assay, by its DMS_id; those whose file is missing are left out."""
        references = sorted(root.rglob(REFERENCE))
        if not references:
            raise none_found(root, REFERENCE)
        Scoring(method=self.method, window_codons=self.window_codons)
        self._written(0)
        table = read_table(references[0])
        columns = {
            name: table.column(name, "columns") for name in ("DMS_id", "DMS_filename", "UniProt_ID", "taxon")
        }
        proteins = [protein.upper() for protein in table.column("target_seq", "columns")]
        genes = fasta_by_name(self.cds) or {}
        own = table.columns.get("cds", [""] * len(table))
        files = _by_name(sorted(root.rglob("*.csv")), set(columns["DMS_filename"]))
        shares = _shares(proteins)
        found: dict[str, BenchmarkSet] = {}
        for row, (name, file, uniprot, taxon) in enumerate(zip(*columns.values(), strict=True)):
            cds = own[row] or genes.get(name) or genes.get(uniprot)
            read = partial(self._scored, files.get(file, Path(file)), proteins[row], cds, shares)
            missing = None if file in files else f"{file} is not there"
            found[name] = ZeroShotSet(
                name=name, read=read, averaged_by=uniprot, group=taxon, left_out=missing
            )
        if all(one.left_out is not None for one in found.values()):
            raise none_found(root, f"assay that {references[0].name} names")
        return found

    def _scored(
        self,
        path: Path,
        protein: str,
        cds: str | None,
        shares: NDArray[np.float64],
        readers: Sequence[Reader],
        seed: int,
        say: Say,
    ) -> Scored:
        scan, labels, notes = _read(path, protein)
        if cds is None:
            notes.append(f"no coding sequence: the protein is read in {self._written(seed).told}")
        else:
            cds = checked_cds(cds.upper().replace("U", "T"), protein, _CODE)
        notes += [note for reader in readers for note in notes_on_name(reader.name)]
        ours = [
            reader
            for reader in readers
            if isinstance(reader, ModelReader) and any(map(reader.model.masked_reader, ("codon", "residue")))
        ]
        notes += [
            f"{reader.name} cannot be asked about codons or residues, and is left out"
            for reader in readers
            if reader not in ours
        ]
        for reader in ours:
            wilds = self._wild_types(reader, protein, cds, seed)
            found = [status_of(mutant, wilds, self.method) for mutant in scan.mutants]
            faults = Counter(status for status in found if status not in ("scored", "wild_type"))
            notes += [
                f"{count:,} mutants left out: {status}, for {reader.name}" for status, count in faults.items()
            ]
            if faults:
                scan, labels = _of_rows(
                    scan, labels, [i for i, each in enumerate(found) if each not in faults]
                )
        competitors = [*self._models(ours, scan, protein, cds, seed, say), *_baselines(scan, shares)]
        return Scored(scan.names, scan.names, labels, notes, competitors)

    def _models(
        self, readers: Sequence[ModelReader], scan: Scan, protein: str, cds: str | None, seed: int, say: Say
    ) -> list[Competitor]:
        """The models, then an untrained twin of each shape."""
        how = {"cds": cds, "protein": protein, "method": self.method, "window": self.window_codons}
        how["codons"] = self._written(seed).told

        def competitor(reader: ModelReader, role: Role) -> Competitor:
            def predictions() -> Predictions:
                return [self._asked(reader, scan, self._wild_types(reader, protein, cds, seed), say)]

            return Competitor(reader.name, role, digest_of({"model": reader.digest} | how), predictions)

        found = [competitor(reader, "model") for reader in readers]
        twins = {}
        for reader in readers:  # those of one shape are one
            twin = reader.untrained(seed)
            twins.setdefault(twin.digest, (reader.name, twin))
        for name, twin in twins.values():
            named = UNTRAINED if len(twins) == 1 else f"{UNTRAINED} {name}"
            found.append(competitor(twin, "baseline")._replace(name=named))
        return found

    def _asked(
        self, asked: ModelReader, scan: Scan, wilds: Sequence[WildType], say: Say
    ) -> NDArray[np.float64]:
        def told(done: int, total: int) -> None:
            say(f"{asked.name}: {done:,} of {total:,} passes of the model")

        scoring = Scoring(method=self.method, window_codons=self.window_codons)
        table = scan_scores(scan, wilds, scoring, asked.name, on_progress=told)
        return table.column("score").to_numpy(zero_copy_only=False).astype(np.float64)

    def _wild_types(self, asked: ModelReader, protein: str, cds: str | None, seed: int) -> list[WildType]:
        reader, is_whole = scan_reader(asked.model, self.method), self.method.startswith("pseudo_likelihood")
        return wild_types(reader, protein, cds, self._written(seed), _CODE, draws_mutants=is_whole)

    def _written(self, seed: int) -> ReverseTranslation:
        return ReverseTranslation(
            organism=self.organism, codon_choice=self.codon_choice, codon_draws=self.codon_draws, seed=seed
        )


def _by_name(paths: Sequence[Path], wanted: set[str]) -> dict[str, Path]:
    """The files by their names; of those that are wanted none may be there twice with other content."""
    found: dict[str, Path] = {}
    for path in paths:
        other = found.setdefault(path.name, path)
        if path.name in wanted and other != path and other.read_bytes() != path.read_bytes():
            raise UserError(
                f"and {other} are two assays of one name",
                source=path,
                remedy="Give root= the folder that holds the assays alone",
            )
    return found


def _read(path: Path, protein: str) -> tuple[Scan, NDArray[np.float64], list[str]]:
    """The mutants of an assay that are substitutions, their measured scores, and how many are left out."""
    table: Table = read_table(path)
    names = table.column("mutant", "columns")
    labels = Labels("regression").numbers(table.column("DMS_score", "columns"), table.source, "DMS_score")
    scan = scan_of(names, protein, 1, table.source, [number + 2 for number in range(len(names))])
    if len(protein) < 2 or not names:
        raise UserError("has no mutant", source=path)
    reasons = [_left_out(mutant) for mutant in scan.mutants]
    kept = [number for number, reason in enumerate(reasons) if reason is None]
    counts = Counter(reason for reason in reasons if reason is not None)
    notes = [f"{count:,} mutants left out: {reason}" for reason, count in counts.items()]
    scan, labels = _of_rows(scan, labels, kept)
    return scan, labels.astype(np.float64), notes


def _of_rows(scan: Scan, labels: NDArray[Any], rows: list[int]) -> tuple[Scan, NDArray[Any]]:
    """Some mutants with their measured scores, of which at least two have to differ."""
    if len(set(labels[rows].tolist())) < 2:
        raise UserError(
            "has no two mutants of different DMS_score that can be scored",
            source=scan.source,
            remedy="Leave the assay out with sets=[...]",
        )
    some = Scan(
        scan.source,
        [scan.names[i] for i in rows],
        [scan.mutants[i] for i in rows],
        [scan.lines[i] for i in rows],
    )
    return some, labels[rows]


def _left_out(mutant: tuple[Any, ...]) -> str | None:
    """Why a mutant has no score."""
    if len({one.place for one in mutant}) < len(mutant):
        return "one residue is substituted twice"
    known = AMINO_ACIDS.replace("*", "")
    return None if all(one.new in known and one.old in known for one in mutant) else "a stop or no residue"


def _baselines(scan: Scan, shares: NDArray[np.float64]) -> list[Competitor]:
    """What substitutions say without a model, by a matrix and by how often residues occur."""
    simple: dict[ZeroShotBaseline, Callable[[str, str], float]] = {
        "blosum62": lambda old, new: float(_blosum62()[old, new]),
        "residue_unigram": lambda old, new: float(np.log(shares[_at(new)] / shares[_at(old)])),
    }
    found = []
    for name, one in simple.items():
        key = {"baseline": name, "shares": shares.round(6).tolist()}
        found.append(Competitor(name, "baseline", digest_of(key), partial(_summed, scan, one)))
    return found


def _summed(scan: Scan, one: Callable[[str, str], float]) -> Predictions:
    return [
        np.array(
            [sum(one(each.old, each.new) for each in mutant) for mutant in scan.mutants], dtype=np.float64
        )
    ]


def _shares(proteins: Sequence[str]) -> NDArray[np.float64]:
    """(num_residues,) share of each among all wild types, one added to every count."""
    counts = Counter("".join(proteins))
    found = np.array([counts[letter] + 1.0 for letter in AMINO_ACIDS])
    return found / found.sum()


def _at(letter: str) -> int:
    return AMINO_ACIDS.index(letter)


@cache
def _blosum62() -> Any:
    return substitution_matrices.load("BLOSUM62")
