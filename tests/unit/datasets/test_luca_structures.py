"""Chains of mmCIF and PDB files: of which residue a C-alpha atom is, and what was not seen."""

import gzip

import numpy as np
import pytest

from lifecode.data.reading.read import ReadingSettings
from lifecode.datasets.luca_one import RowSources, rows_of
from lifecode.datasets.luca_one.records.reading import read_sources
from lifecode.datasets.luca_one.records.structures import chains_of
from lifecode.errors import UserError
from tests.support.luca_records import atom, swissprot

NAN = (np.nan,) * 3
MISSING = "REMARK 465\nREMARK 465   M RES C SSSEQI\nREMARK 465     MET A     1\nREMARK 465     SER A     5\n"
SEQRES = "SEQRES   1 A    5  MET LYS MSE GLY SER\n"
ATOMS = "\n".join(
    [
        atom(1, "LYS", "A", 2, 1, name="N"),
        atom(2, "LYS", "A", 2, 1.5),
        atom(3, "MSE", "A", 3, 2, kind="HETATM"),
        atom(4, "GLY", "A", 4, 3, name="N"),
        atom(5, "HOH", "A", 101, 9, name="O", kind="HETATM"),
        atom(6, " CA", "A", 102, 9, kind="HETATM"),
        "END\n",
    ]
)
PLACES = [NAN, (1.5, 3.0, -1.5), (2.0, 4.0, -2.0), NAN, NAN]

CIF = """\
data_HAND
loop_
_entity_poly.entity_id
_entity_poly.type
1 'polypeptide(L)'
2 polydeoxyribonucleotide
loop_
_entity_poly_seq.entity_id
_entity_poly_seq.num
_entity_poly_seq.mon_id
1 1 MET
1 2 LYS
1 3 MSE
1 4 GLY
1 5 SER
2 1 DA
loop_
_atom_site.group_PDB
_atom_site.id
_atom_site.label_atom_id
_atom_site.label_alt_id
_atom_site.label_comp_id
_atom_site.label_asym_id
_atom_site.label_entity_id
_atom_site.label_seq_id
_atom_site.Cartn_x
_atom_site.Cartn_y
_atom_site.Cartn_z
_atom_site.occupancy
_atom_site.auth_asym_id
_atom_site.pdbx_PDB_model_num
ATOM 1 N . LYS A 1 2 1.0 2.0 -1.0 1.0 X 1
ATOM 2 CA A LYS A 1 2 7.0 7.0 7.0 0.3 X 1
ATOM 3 CA B LYS A 1 2 1.5 3.0 -1.5 0.5 X 1
ATOM 3 CA C LYS A 1 2 6.0 6.0 6.0 0.2 X 1
HETATM 4 CA . MSE A 1 3 2.0 4.0 -2.0 1.0 X 1
HETATM 5 CA . CA C 3 . 9.0 9.0 9.0 1.0 X 1
ATOM 6 CA . DA B 2 1 9.0 9.0 9.0 1.0 Y 1
ATOM 7 CA . LYS A 1 2 8.0 8.0 8.0 1.0 X 2
"""


def only(path):
    (chain,) = chains_of(path)
    return chain


@pytest.fixture
def written(tmp_path):
    def write(text, name="hand.pdb"):
        (tmp_path / name).write_text(text)
        return tmp_path / name

    return write


def test_a_pdb_file_with_its_missing_residues(written):
    chain = only(written(MISSING + SEQRES + ATOMS))
    assert (chain.id, chain.sequence, chain.sequence_from) == ("hand_A", "MKMGS", "SEQRES")
    assert np.array_equal(chain.coordinates, np.array(PLACES, np.float32), equal_nan=True)


def test_without_the_missing_ones_the_residues_seen_are_the_sequence(written):
    """A place in SEQRES would be a guess."""
    chain = only(written(SEQRES + ATOMS))
    assert (chain.sequence, chain.sequence_from) == ("KMG", "observed")
    assert np.array_equal(chain.coordinates, np.array(PLACES[1:4], np.float32), equal_nan=True)


def test_without_seqres_too(written):
    assert only(written(ATOMS)).sequence == "KMG"  # selenomethionine is a residue, calcium is none


def residues(*lines):
    return "\n".join([*lines, "END\n"])


def test_of_two_residues_at_one_place_that_of_seqres_counts_else_the_most_occupied(written):
    """Which of them the file has last says nothing."""
    shared = [
        atom(1, "MET", "A", 1, 1),
        atom(2, "SER", "A", 2, 2, alt="A", share=0.7),
        atom(3, "THR", "A", 2, 2.5, alt="B", share=0.3),
        atom(4, "GLY", "A", 3, 3),
    ]
    chain = only(written(residues(*shared)))
    assert (chain.sequence, chain.coordinates[1, 0], chain.sequence_from) == ("MSG", 2, "observed")
    chain = only(written("SEQRES   1 A    3  MET THR GLY\n" + residues(*shared)))
    assert (chain.sequence, chain.coordinates[1, 0], chain.sequence_from) == ("MTG", 2.5, "SEQRES")
    other = [
        atom(2, "MSE", "A", 2, 2, kind="HETATM", alt="A", share=0.4),
        atom(3, "MET", "A", 2, 2.5, alt="B"),
    ]
    chain = only(written(residues(shared[0], *other, shared[3])))
    assert (chain.sequence, chain.coordinates[1, 0]) == ("MMG", 2.5)


def test_places_without_occupancies_are_as_likely_as_each_other(written):
    """As some programs write them; the first counts."""
    lines = [
        atom(1, "MET", "A", 1, 1, alt="A"),
        atom(2, "MET", "A", 1, 2, alt="B"),
        atom(3, "LYS", "A", 2, 3),
    ]
    for behind in ("", " " * 6, " " * 6 + "  0.00"):  # the end of the line, blanks, a temperature factor
        chain = only(written(residues(*[line[:54] + behind for line in lines])))
        assert (chain.sequence, chain.coordinates[:, 0].tolist()) == ("MK", [1, 3])


def test_a_ligand_that_is_an_amino_acid_is_no_residue(written):
    """Glutamate in its receptor; caps of the chain are residues of SEQRES and have no C-alpha atom."""
    lines = [
        atom(1, "ACE", "A", 0, 1, name="C", kind="HETATM"),
        atom(2, "MET", "A", 1, 1),
        atom(3, "LYS", "A", 2, 2),
        atom(4, "NH2", "A", 3, 3, name="N", kind="HETATM"),
        "TER",
        atom(5, "GLU", "A", 301, 9, kind="HETATM"),
    ]
    assert only(written(residues(*lines))).sequence == "MK"
    chain = only(written("SEQRES   1 A    4  ACE MET LYS NH2\n" + residues(*lines)))
    assert (chain.sequence, chain.sequence_from) == ("XMKX", "SEQRES")
    assert np.isnan(chain.coordinates[[0, 3]]).all()


def test_numbers_with_insertion_codes_go_in_their_order(written):
    lines = [atom(1, "MET", "A", 1, 1), atom(2, "LYS", "A", 1, 2, insertion="A"), atom(3, "GLY", "A", 2, 3)]
    missing = "REMARK 465\nREMARK 465   M RES C SSSEQI\nREMARK 465     SER A     1B\n"
    chain = only(written(missing + "SEQRES   1 A    4  MET LYS SER GLY\n" + residues(*lines)))
    assert (chain.sequence, chain.sequence_from) == ("MKSG", "SEQRES")
    assert chain.coordinates[:, 0].tolist()[:2] == [1, 2]
    assert np.isnan(chain.coordinates[2]).all()


@pytest.mark.parametrize("first", ["HETATM", "HELIX ", "DBREF ", "USER  "])
def test_a_pdb_file_may_begin_with_any_of_its_records(written, first):
    lines = [atom(1, "MSE", "A", 1, 1, kind="HETATM"), atom(2, "LYS", "A", 2, 2)]
    before = [] if first == "HETATM" else [f"{first}    1"]
    assert only(written(residues(*before, *lines))).sequence == "MK"


def test_an_mmcif_file_says_which_residue_each_atom_is_of(written):
    """Ligands, other molecules, other models and the less occupied place of an atom do not count."""
    path = written(CIF, "1hnd.cif")
    chain = only(path)
    assert (chain.id, chain.sequence, chain.sequence_from) == ("1hnd_X", "MKMGS", "SEQRES")
    assert np.array_equal(chain.coordinates, np.array(PLACES, np.float32), equal_nan=True)
    path.with_name("1hnd.cif.gz").write_bytes(gzip.compress(CIF.encode()))
    assert only(path.with_name("1hnd.cif.gz")).id == "1hnd_X"


@pytest.mark.parametrize(("listed", "sequence", "place"), [("LYS ARG", "K", 1.5), ("ARG LYS", "R", 5.0)])
def test_of_two_residues_at_one_place_of_mmcif_the_first_listed_counts(written, listed, sequence, place):
    """Whichever is seen more often, as in the sequence that the PDB writes in single letters."""
    first, second = listed.split()
    text = CIF.replace("1 2 LYS\n1 3", f"1 2 {first}\n1 2 {second}\n1 3")
    text = text.replace("HETATM 4", "ATOM 9 CA D ARG A 1 2 5.0 0 0 0.6 X 1\nHETATM 4")
    chain = only(written(text, "x.cif"))
    assert (chain.sequence, chain.coordinates[1, 0]) == (f"M{sequence}MGS", place)


def test_residues_of_one_number_in_mmcif_are_told_apart_by_their_insertion_codes(written):
    """As in mmCIF made of a PDB file, where the number is the authors'."""
    _, _, loop = CIF.partition("loop_\n_atom_site")
    names, _, _ = loop.partition("ATOM")
    atoms = [
        f"ATOM {number} CA . {residue} A 1 52 {number} 0 0 1.0 X 1 {code}\n"
        for number, residue, code in ((1, "MET", "?"), (2, "LYS", "A"), (3, "SER", "B"))
    ]
    text = f"data_X\nloop_\n_atom_site{names}_atom_site.pdbx_PDB_ins_code\n{''.join(atoms)}"
    chain = only(written(text, "x.cif"))
    assert (chain.sequence, chain.coordinates[:, 0].tolist()) == ("MKS", [1, 2, 3])


def test_mmcif_without_a_sequence_has_the_residues_seen(written):
    before, _, behind = CIF.partition("loop_\n_entity_poly_seq")
    chain = only(written(before + "loop_\n_atom_site" + behind.partition("loop_\n_atom_site")[2], "h.cif"))
    assert (chain.sequence, chain.sequence_from) == ("KM", "observed")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is neither mmCIF nor PDB"),
        ("ACGT\n", "is neither mmCIF nor PDB"),
        ("data_X\n_entry.id X\n", r"holds no atoms \(_atom_site\)\. Give mmCIF as the PDB"),
        (
            CIF.replace("_atom_site.label_seq_id", "_atom_site.auth_seq_id"),
            r"no column _atom_site\.label_seq_id",
        ),
        (CIF.replace("1.0 2.0 -1.0", "1.0"), "cannot be read as mmCIF"),
    ],
)
def test_a_file_that_is_none(written, text, said):
    with pytest.raises(UserError, match=said):
        list(chains_of(written(text)))
    with pytest.raises(UserError, match="no such file"):
        list(chains_of("absent.cif"))


def test_a_protein_of_the_same_sequence_gets_the_coordinates(written, tmp_path):
    flat = written(swissprot("P1", "MKMGS", keywords="Zinc") + swissprot("P2", "MKMGST"), "two.dat")
    sources = RowSources(input=flat, structures=[written(CIF, "a.cif"), written(SEQRES + ATOMS, "b.pdb")])
    first, second, third = rows_of(sources)
    assert (first.id, first.labels["prot_keyword"]) == ("P1", ("Zinc",))
    assert np.array_equal(first.coordinates, np.array(PLACES, np.float32), equal_nan=True)
    assert (second.id, second.coordinates) == ("P2", None)
    assert (third.id, third.sequence) == ("b_A", "KMG")
    assert third.coordinates.shape == (3, 3)


def test_structures_alone_and_the_first_of_a_sequence(written, tmp_path):
    written(CIF, "a.cif")
    written(CIF, "b.cif")
    records = read_sources(RowSources(structures=[f"{tmp_path}/*.cif"]), ReadingSettings())
    assert [one.protein.id for one in records.proteins] == ["a_X"]
    assert records.left_out.listed == [("b_X", "structure_of_a_sequence_given_before", "b.cif")]
    assert records.structures == {"SEQRES": 1}


def test_a_damaged_structure_stops_or_is_counted(written):
    cut = written(ATOMS[: ATOMS.index("MSE") + 20] + "\n", "cut.pdb")
    with pytest.raises(UserError, match=r"cut\.pdb: cannot be read as PDB"):
        list(chains_of(cut))
    sources = RowSources(structures=[written("ACGT\n", "bad.pdb"), written(CIF, "good.cif")])
    with pytest.raises(UserError, match=r"bad\.pdb: is neither"):
        read_sources(sources, ReadingSettings())
    records = read_sources(sources, ReadingSettings(on_malformed="skip"))
    assert records.left_out.reasons == {"malformed_structure": 1}
    assert len(records.proteins) == 1
