"""The residues of the chains of a PDB file, and the places of their C-alpha atoms, through Biopython.

The numbers of the atoms are the authors' own: the residues seen and those listed as missing (REMARK 465), in
the order of their numbers, have to be those of SEQRES, or else the residues seen stand for the sequence. Of
two residues that share a number that of SEQRES counts, else the most occupied.
"""

import io
import re
from collections.abc import Iterator
from typing import Any, Literal, TextIO

import numpy as np
from Bio.Data.PDBData import protein_letters_3to1, protein_letters_3to1_extended
from Bio.PDB import PDBParser
from Bio.PDB.parse_pdb_header import parse_pdb_header

PDB_START = re.compile(
    r"HEADER|TITLE |REMARK|CRYST1|MODEL |ATOM  |HETATM|EXPDTA|COMPND|SEQRES|NUMMDL|PARENT|AUTHOR|OBSLTE"
    r"|SPLIT |CAVEAT|SOURCE|KEYWDS|MDLTYP|JRNL  |DBREF |HELIX |SHEET |SSBOND|LINK  |MODRES|ORIGX1|SCALE1"
    r"|USER  "
)
"""Names of the records that a PDB file, or a part of one, may begin with."""
UNKNOWN_PLACE = (np.nan,) * 3
Residues = list[tuple[str, tuple[float, ...]]]
"""Name in three letters and place of each residue."""
Found = tuple[str, Residues, Literal["SEQRES", "observed"]]
"""Name of a chain, its residues, and where its sequence is from."""
_Named = dict[str, tuple[float, ...]]
"""The names in three letters of what stands at one number, the most occupied first, and the place of each."""


def pdb_chains(text: TextIO) -> Iterator[Found]:
    """The chains of the first model."""
    sequences: dict[str, list[str]] = {}
    for line in text:
        if line.startswith("SEQRES"):
            sequences.setdefault(line[11].strip() or " ", []).extend(line[19:70].split())
    text.seek(0)
    missing: dict[str, dict[tuple[int, str], _Named]] = {}
    for residue in parse_pdb_header(text)["missing_residues"]:
        if residue["model"] in (None, 1):
            number = residue["ssseq"], residue["insertion"] or " "
            missing.setdefault(residue["chain"], {})[number] = {residue["res_name"]: UNKNOWN_PLACE}
    text.seek(0)
    structure: Any = PDBParser(QUIET=True).get_structure("", io.StringIO("".join(map(_occupied, text))))
    for chain in next(iter(structure), ()):
        whole = sequences.get(chain.id, [])
        yield (chain.id.strip() or "_", *_aligned(whole, _seen(chain, whole), missing.get(chain.id, {})))


def _occupied(line: str) -> str:
    """A line, of an atom with an occupancy of 1 where it has none, which Biopython cannot compare."""
    has_none = line.startswith(("ATOM  ", "HETATM")) and len(line.rstrip()) >= 54 and not line[54:60].strip()
    return f"{line[:54].rstrip():54}  1.00{line[60:].rstrip()}\n" if has_none else line


def _seen(chain: Any, whole: list[str]) -> dict[tuple[int, str], _Named]:
    """The residues of a chain by number and insertion code, in the order of the file."""
    found: dict[tuple[int, str], list[tuple[float, str, tuple[float, ...]]]] = {}
    for residue in chain:
        if residue.id[0] == " " or _is_residue(residue, whole):
            forms = residue.disordered_get_list() if residue.is_disordered() == 2 else [residue]
            found.setdefault(residue.id[1:], []).extend(
                (_occupancy(form), form.get_resname().strip(), _place(form)) for form in forms
            )
    return {
        number: {name: place for _, name, place in sorted(forms, key=lambda form: -form[0])}
        for number, forms in found.items()
    }


def _is_residue(residue: Any, whole: list[str]) -> bool:
    """Whether a HETATM is of the chain, as selenomethionine and an acetyl group are, and no ligand.

    One of the twenty is an ATOM in a chain, so that as a HETATM it is a ligand.
    """
    name = residue.get_resname().strip()
    if name in protein_letters_3to1:
        return False
    return name in whole if whole else "CA" in residue and name in protein_letters_3to1_extended


def _aligned(
    whole: list[str], seen: dict[tuple[int, str], _Named], missing: dict[tuple[int, str], _Named]
) -> tuple[Residues, Literal["SEQRES", "observed"]]:
    """The residues of SEQRES with their places, where numbers tell which is which; else those seen."""
    both = [named for _, named in sorted((missing | seen).items(), key=lambda item: item[0])]
    for found in (list(seen.values()), both):
        pairs = list(zip(whole, found, strict=False))
        if len(found) == len(whole) and all(name in named for name, named in pairs):
            return [(name, named[name]) for name, named in pairs], "SEQRES"
    return [next(iter(named.items())) for named in seen.values()], "observed"


def _occupancy(residue: Any) -> float:
    return (residue["CA"].get_occupancy() or 0.0) if "CA" in residue else 0.0


def _place(residue: Any) -> tuple[float, ...]:
    return tuple(map(float, residue["CA"].coord)) if "CA" in residue else UNKNOWN_PLACE
