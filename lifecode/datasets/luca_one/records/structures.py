"""The chains of mmCIF and PDB files: sequence, and the C-alpha atom of each residue, through Biopython.

The sequence is the whole one that was in the sample (`SEQRES`), with the residues that were not seen at
unknown coordinates, wherever the file says which residue an atom belongs to. In mmCIF every atom does
(`label_seq_id`), in PDB its number tells it as `pdb_chains` says; or else the residues seen stand for the
sequence (`observed`). Of several models the first counts, of alternative places of an atom the most occupied.
"""

import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TextIO

import numpy as np
from Bio.Data.PDBData import protein_letters_3to1_extended
from Bio.PDB.MMCIF2Dict import MMCIF2Dict
from Bio.PDB.PDBExceptions import PDBConstructionException, PDBException
from numpy.typing import NDArray

from lifecode.data.formats.opening import opened
from lifecode.data.reading.inputs import stem
from lifecode.datasets.luca_one.records.pdb_chains import PDB_START, UNKNOWN_PLACE, Found, pdb_chains
from lifecode.errors import UserError


@dataclass(frozen=True, slots=True, eq=False)
class Chain:
    """A chain of a protein.

    Attributes:
        id: name of the file without endings, and that of the chain.
        sequence: one letter a residue, X for one that is none of the twenty, nor made from one.
        coordinates: (num_residues, 3) float32, angstrom, of the C-alpha atoms; NaN where there is none.
        sequence_from: `SEQRES`, or `observed` where only residues with atoms are known.
        source: name of the file.
    """

    id: str
    sequence: str
    coordinates: NDArray[np.float32]
    sequence_from: Literal["SEQRES", "observed"]
    source: str


def chains_of(file: str | Path) -> Iterator[Chain]:
    """Yield the protein chains of a file that have a C-alpha atom, plain or compressed.

    Raises:
        UserError: no such file, or one that is neither mmCIF nor PDB.
    """
    file = Path(file).expanduser()
    if not file.is_file():
        raise UserError("there is no such file", source=file)
    with opened(file) as handle:
        text = io.StringIO(handle.read().decode("utf-8", errors="replace"))
    start = text.getvalue()[:4096].lstrip()
    is_cif = start.startswith(("data_", "#")) and "data_" in start
    if not is_cif and not PDB_START.match(start):
        remedy = "Give .cif or .pdb, plain or compressed"
        raise UserError("is neither mmCIF nor PDB", source=file, remedy=remedy)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = list(_mmcif_chains(text) if is_cif else pdb_chains(text))
    except UserError as fault:
        raise UserError(fault.problem, source=file, remedy=fault.remedy) from fault
    except (*_FAULTS, PDBException, PDBConstructionException) as fault:
        problem = f"cannot be read as {'mmCIF' if is_cif else 'PDB'} ({' '.join(str(fault).split())[:100]})"
        raise UserError(problem, source=file, remedy="Download it again") from fault
    for name, residues, origin in found:
        coordinates = np.array([place for _, place in residues], dtype=np.float32).reshape(-1, 3)
        sequence = "".join(_letter(residue) for residue, _ in residues)
        if sequence.strip("X") and not np.isnan(coordinates).all():
            yield Chain(f"{stem(file)}_{name}", sequence, coordinates, origin, file.name)


_FAULTS = (ValueError, LookupError, TypeError, AttributeError, OverflowError)
"""Of Biopython's readers of damaged files, beside their own."""
_COLUMNS = (
    *("label_atom_id", "label_comp_id", "label_seq_id", "label_entity_id", "label_asym_id"),
    *("Cartn_x", "Cartn_y", "Cartn_z"),
)
"""Of `_atom_site`, without which an mmCIF file does not say which residue an atom is of."""


def _mmcif_chains(text: TextIO) -> Iterator[Found]:
    cif: dict[str, Any] = dict(MMCIF2Dict(text))
    absent = [key for key in _COLUMNS if f"_atom_site.{key}" not in cif]
    if absent:
        raise UserError(
            "holds no atoms (_atom_site)"
            if len(absent) == len(_COLUMNS)
            else f"has no column _atom_site.{absent[0]}",
            remedy="Give mmCIF as the PDB and AlphaFold DB have it, or the same structure as PDB",
        )
    atoms = _alpha_atoms(cif)
    types = dict(zip(*(cif.get(f"_entity_poly.{key}", []) for key in ("entity_id", "type")), strict=True))
    sequences: dict[str, dict[int, str]] = {}
    columns = (cif.get(f"_entity_poly_seq.{key}", []) for key in ("entity_id", "num", "mon_id"))
    for entity, number, residue in zip(*columns, strict=True):
        sequences.setdefault(entity, {}).setdefault(int(number), residue)
    for name, entity, of_chain in atoms:
        if types and not types.get(entity, "").startswith("polypeptide"):
            continue
        whole = sequences.get(entity)
        seen = {number: forms for (number, _), forms in of_chain.items()}
        if whole and len(seen) == len(of_chain) and all(whole.get(number) for number in seen):
            places = [(whole[number], _place_of(whole[number], seen.get(number))) for number in sorted(whole)]
            yield name, places, "SEQRES"
        else:
            yield name, [_most_occupied(forms) for forms in of_chain.values()], "observed"


_Forms = dict[str, tuple[float, tuple[float, ...]]]
"""Occupancy and place of what stands at one number, by its name in three letters."""
_ByNumber = dict[tuple[int, str], _Forms]
"""By number, and the insertion code that tells two of one number apart in files out of PDB files."""


def _most_occupied(forms: _Forms) -> tuple[str, tuple[float, ...]]:
    residue, (_, place) = max(forms.items(), key=lambda form: form[1][0])
    return residue, place


def _place_of(residue: str, forms: _Forms | None) -> tuple[float, ...]:
    """The place of the residue of SEQRES, or of another that stands there for it."""
    if not forms:
        return UNKNOWN_PLACE
    return forms[residue][1] if residue in forms else _most_occupied(forms)[1]


def _alpha_atoms(cif: dict[str, Any]) -> list[tuple[str, str, _ByNumber]]:
    """Authors' name and entity of each chain, and residues and places by number, of the first model."""
    wanted = [cif[f"_atom_site.{key}"] for key in _COLUMNS]
    size = len(wanted[0])
    names = cif.get("_atom_site.auth_asym_id") or wanted[4]
    models = cif.get("_atom_site.pdbx_PDB_model_num") or ["1"] * size
    occupancies = cif.get("_atom_site.occupancy") or ["1"] * size
    codes = cif.get("_atom_site.pdbx_PDB_ins_code") or ["?"] * size
    found: dict[str, tuple[str, str, _ByNumber]] = {}
    others = (names, models, occupancies, codes)
    for row, name, model, share, code in zip(zip(*wanted, strict=True), *others, strict=True):
        atom, residue, number, entity, chain, *place = row
        if atom != "CA" or not number.isdigit() or model != models[0]:
            continue
        occupancy = float(share) if share not in ".?" else 1.0
        forms = found.setdefault(chain, (name, entity, {}))[2].setdefault((int(number), code), {})
        if residue not in forms or occupancy > forms[residue][0]:
            forms[residue] = occupancy, tuple(map(float, place))
    return list(found.values())


def _letter(residue: str) -> str:
    letter = protein_letters_3to1_extended.get(residue.upper(), "X")
    return letter if len(letter) == 1 else "X"
