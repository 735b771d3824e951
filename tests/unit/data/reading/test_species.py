"""Real annotated sets, as they are: how many CDS are exact pairs, and why the others are not.

Where the numbers differ from those of species/README.md ("exact" or "intact"), the reason is a policy:
partial CDS are never pairs, selenocysteine is none of the 20 residues, RNA editing inside a gene is no
translation, a CDS FASTA has no proteins, and mitochondria of too many ambiguous codons go.
"""

from collections import Counter

import pytest

from lifecode.data import read_records
from lifecode.data.cds.coding_sequence import ExactPair, verify_all

GENBANK = {
    "arc_Nanoarchaeum_equitans.gb.gz": (536, {}),
    "bac4_JCVI_syn3A.gb.gz": (455, {"pseudo": 3}),
    "bac4_Mycoplasma_gallisepticum.gbk.gz": (747, {"pseudo": 24}),
    "bac4_Mycoplasma_genitalium.gbk.gz": (507, {"pseudo": 1}),
    "bac4_Mycoplasma_pirum.gbk.gz": (660, {"pseudo": 22}),
    "bac4_Mycoplasma_pneumoniae.gbk.gz": (690, {"transl_except": 1}),
    "bac4_Mycoplasma_testudinis.gbk.gz": (1023, {"pseudo": 54, "partial": 3}),
    "bac_Borreliella_burgdorferi_B31.gbff.gz": (1446, {"pseudo": 68}),
    "bac_Brucella_melitensis.gb.gz": (3362, {}),
    "bac_Haemophilus_influenzae_Rd.gb.gz": (1808, {"transl_except": 2}),
    "bac_Neisseria_meningitidis_MC58.gb.gz": (2553, {}),
    "bac_Paracoccus_SCN68-21.gb.gz": (3124, {"pseudo": 98, "partial": 12}),
    "bac_Streptococcus_pyogenes_M1.gb.gz": (1853, {}),
    "mito2_sharks_Winn2023.gb.gz": (883, {"ambiguous_nucleotide": 1}),
    "plastid_chloe_gsrefs.gb.gz": (
        1484,
        {
            "partial": 46,
            "internal_stop": 109,
            "translation_differs": 20,
            "length_not_multiple_of_3": 1,
            "pseudo": 1,
        },
    ),
}
CDS = {  # by code 11 but for the last two
    "arc_Pyrobaculum_oguniense.cds.fa.gz": (3189, {}),
    "bac_Acetivibrio_thermocellus.cds.fa.gz": (2939, {"pseudo": 70}),
    "bac_Bacillus_subtilis_168.cds.fa.gz": (4293, {"no_start_codon": 18, "no_stop_codon": 14}),
    "bac_Mycobacterium_tuberculosis_H37Rv.cds.fa.gz": (3906, {}),
    "euk_Plasmodium_falciparum_chr1-12.cds.fa.gz": (3876, {}),
    "euk_Yarrowia_lipolytica.cds.fa.gz": (6448, {}),
}


def counted(inputs, **settings):
    kept, reasons = 0, Counter()
    for contig in read_records(inputs, **settings):
        for verdict in verify_all(contig):
            if isinstance(verdict, ExactPair):
                kept += 1
            else:
                reasons[verdict.reason.value] += 1
    return kept, dict(reasons)


@pytest.mark.slow
def test_accepted_and_rejected_by_reason(shared_data):
    found = {name: counted(shared_data(f"species/{name}")) for name in GENBANK}
    for name in CDS:
        code = None if name.startswith("euk") else 11
        found[name] = counted(f"cds:{shared_data(f'species/{name}')}", genetic_code=code)
    assert found == GENBANK | CDS
