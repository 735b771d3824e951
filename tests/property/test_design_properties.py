"""Whatever the protein, code, draft and seed: a design spells it with synonyms and keeps what is kept."""

import numpy as np
from Bio.Seq import Seq
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecode.alphabet import AMINO_ACIDS
from lifecode.design.constraints import Constraints
from lifecode.design.designing import Task, design
from lifecode.design.host import host_usage, matched_usage
from lifecode.design.sampler import Sampling
from lifecode.design.sites import count_sites
from lifecode.design.synonyms import choices, residues_of
from lifecode.errors import UserError
from tests.support.small_models import small_model

MODEL = small_model(hybrid_ratio="2:0").eval()
PROTEINS = st.tuples(st.text(AMINO_ACIDS[:-1], min_size=1, max_size=12), st.sampled_from(["", "*"])).map(
    "".join
)


@settings(max_examples=25, deadline=None)
@given(PROTEINS, st.sampled_from([1, 2, 4, 6, 11, 12]), st.integers(0, 99), st.floats(0, 2), st.data())
def test_designs_spell_the_protein_and_keep_what_is_kept(protein, code, seed, temperature, data):
    host = host_usage("s_cerevisiae", code)
    spelling = choices(residues_of(protein, code, name="p"), code)
    draft, keep = None, np.empty(0, dtype=np.int64)
    if data.draw(st.booleans()):
        draft = matched_usage(spelling, host, np.random.default_rng(seed))
        keep = np.array(sorted(data.draw(st.sets(st.integers(0, len(protein) - 1)))), dtype=np.int64)
    task = Task(name="p", protein=protein, draft=draft, keep=keep, wild_type=draft, n=2, seed=seed)
    sampling = Sampling(passes=2, mask_fraction=0.5, temperature=temperature)
    for one in design(MODEL, task, host, sampling, Constraints()):
        assert Seq(one.dna).translate(table=code) == protein
        assert spelling[np.arange(len(protein)), one.codons].all()
        if draft is not None and one.kind == "design":
            assert (one.codons[keep] == draft[keep]).all()


@settings(max_examples=15, deadline=None)
@given(PROTEINS, st.text("ACGTN", min_size=3, max_size=5), st.integers(0, 99))
def test_constraints_hold_or_are_refused(protein, site, seed):
    host = host_usage("e_coli", 1)
    task = Task(
        name="p",
        protein=protein,
        draft=None,
        keep=np.empty(0, dtype=np.int64),
        wild_type=None,
        n=1,
        seed=seed,
    )
    asked = Constraints(forbidden_sites=[site], max_homopolymer=5)
    sampling = Sampling(passes=1, mask_fraction=0.5)
    try:
        made, refused = design(MODEL, task, host, sampling, asked)[:1], ""
    except UserError as fault:
        made, refused = [], str(fault)
    assert made or ("cannot all be satisfied" in refused and "\n" not in refused)
    for one in made:
        assert count_sites(one.dna, [site]) == 0
        assert not any(letter * 6 in one.dna for letter in "ACGT")
        assert Seq(one.dna).translate() == protein
