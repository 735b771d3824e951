"""LucaOne: tokens, windows and rows by hand, sizes, heads, and what it makes of sequences."""

import warnings
from typing import cast

import numpy as np
import pytest
import torch
from torch.nn import functional

from lifecode.app.configs.construct import construct
from lifecode.app.from_python import compose
from lifecode.data.records import CodingSequence, Contig, Exon
from lifecode.errors import UserError
from lifecode.models import LucaOne
from lifecode.models.families import FAMILIES
from lifecode.models.luca_one.heads import TaskHead
from lifecode.models.luca_one.rows import Tokens, Window, pack_tokens, windows
from lifecode.models.luca_one.vocabulary import (
    CLS,
    IS_CERTAIN,
    MASK,
    NUM_TOKENS,
    SEP,
    TOKENS,
    Kind,
    molecule_kind,
    tokens_of_letters,
)
from lifecode.models.parts import parameters_of
from tests.support.small_models import HEADS, small_luca_one

MODEL = small_luca_one()
SHORT = small_luca_one(max_tokens=12)
GENE, PROTEIN = "ACGTTGCATTAG", "MKRISTTITTT"


def tokens(text: str, kind: Kind = "nucleic acid") -> Tokens:
    return Tokens(tokens_of_letters(text, kind), kind)


def close(ours, expected) -> None:
    torch.testing.assert_close(ours, expected, atol=1e-5, rtol=0)


# Letters


def test_the_vocabulary_by_hand():
    assert NUM_TOKENS == 39
    assert (TOKENS[0], TOKENS[4], TOKENS[5], TOKENS[10], TOKENS[38]) == ("[PAD]", "[MASK]", "1", "L", "*")
    assert (
        tokens_of_letters("ATUCGNacguRY-.*X", "nucleic acid").tolist()
        == [5, 6, 6, 7, 8, 9, 5, 7, 8, 6] + [9] * 6
    )
    assert tokens_of_letters("LAGVSERTIDPKQNFYMHWCXBUZOJ.-*", "protein").tolist() == [*range(10, 39)]
    assert tokens_of_letters("mL", "protein").tolist() == [26, 10]
    assert "".join(np.array(TOKENS)[IS_CERTAIN]) == "1234LAGVSERTIDPKQNFYMHWCUO"


@pytest.mark.parametrize("word", ["dna", "RNA", "gene", "nucleotide", "cds"])
def test_words_for_nucleic_acids(word):
    assert molecule_kind(word) == "nucleic acid"
    close(MODEL.embed(GENE, molecule=word), MODEL.embed(GENE, molecule="dna"))


@pytest.mark.parametrize("word", ["peptide", "", None, 1, "proteins"])
def test_an_unknown_molecule_is_an_error(word):
    with pytest.raises(UserError, match=r"the molecule .* is unknown\. Choose dna, rna"):
        molecule_kind(word)
    with pytest.raises(UserError, match=r"molecule"):
        MODEL.embed([GENE], molecule=word)


@pytest.mark.parametrize(
    ("given", "options", "said"),
    [
        (GENE, {}, "record 0: it is not said what molecule this is"),
        ([GENE, PROTEIN], {"molecule": ["dna"]}, "1 molecules are named for 2 sequences"),
        ("ACG T", {"molecule": "dna"}, "record 0: ' ' at position 4 is no letter"),
        ("MK1", {"molecule": "protein"}, "record 0: '1' at position 3 is no letter"),
        (["ACG", ""], {"molecule": "dna"}, "record 1: there is no sequence to read"),
        ([], {"molecule": "dna"}, "there is no sequence to read"),
        ("ACG", {"molecule": "dna", "frames": "average"}, "frames: .*no reading frames"),
        ("ACG", {"molecule": "dna", "pool": "sum"}, "pool 'sum' is unknown"),
    ],
)
def test_what_cannot_be_embedded_is_said(given, options, said):
    with pytest.raises(UserError, match=said):
        MODEL.embed(given, **options)


def test_records_say_what_they_are():
    stand_in = np.zeros(9, dtype=np.uint8)
    protein = CodingSequence("p", None, (Exon(0, 9, 1),), protein="MKX")
    records = [
        Contig("g", np.array([0, 1, 2, 3, 4], dtype=np.uint8), "by hand"),
        Contig("p", stand_in, "by hand", molecule="protein", coding_sequences=(protein,)),
    ]
    vectors = MODEL.embed(records, as_frame=True)
    assert list(vectors.index) == ["g", "p"]
    expected = MODEL.embed(["ACGTN", "MKX"], molecule=["dna", "protein"])
    np.testing.assert_allclose(vectors.to_numpy(), expected.numpy(), atol=1e-5)
    with pytest.raises(UserError, match="record p: the record is a protein, not 'dna'"):
        MODEL.embed(records, molecule=["dna", "dna"])


# Rows and windows


def test_a_row_by_hand():
    row = pack_tokens([tokens("AC"), tokens("MK", "protein")])
    assert row.ids.tolist() == [CLS, 5, 7, SEP, CLS, 26, 21, SEP]
    assert row.molecules.tolist() == [0] * 4 + [1] * 4
    assert row.cu_seqlens.tolist() == [0, 4, 8]


def test_windows_by_hand():
    assert list(windows(3, 4)) == [Window(0, 3, 0)]
    assert list(windows(4, 4)) == [Window(0, 4, 0)]
    assert list(windows(8, 4)) == [Window(0, 4, 0), Window(2, 6, 4), Window(4, 8, 6)]
    assert list(windows(7, 5)) == [Window(0, 5, 0), Window(2, 7, 5)]
    for length in range(1, 60):
        kept = [place for window in windows(length, 6) for place in range(window.kept, window.end)]
        assert kept == [*range(length)]
        assert all(w.end - w.start == min(6, length) for w in windows(length, 6))


def test_a_long_sequence_is_read_in_windows_that_keep_their_second_half():
    long = "ACGTTGCATTAGCCAGTA"
    with pytest.warns(UserWarning, match="longer than 10 letters is read in overlapping windows of 10"):
        (states,) = SHORT.embed(long, pool=None, molecule="dna")
    first, second, third = (
        SHORT.embed(long[start : start + 10], pool=None, molecule="dna")[0] for start in (0, 5, 8)
    )
    close(states, torch.cat([first, second[5:], third[7:]]))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        pooled = SHORT.embed([long, "ACG"], molecule="dna")
        cls = SHORT.embed([long, "ACG"], "cls", molecule="dna")
        masked = SHORT.masked_logits(long, molecule="dna")[0]
    assert {warning.filename for warning in caught} == {__file__}
    close(pooled[0], states.mean(0))
    firsts = [SHORT.embed(long[s : s + 10], "cls", molecule="dna")[0] for s in (0, 5, 8)]
    close(cls[0], torch.stack(firsts).mean(0))
    close(masked[12], SHORT.masked_logits(long[5:15], molecule="dna")[0][7])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        SHORT.embed(long[:10], molecule="dna")


# Size


@pytest.mark.parametrize(
    ("name", "heads"),
    [("lucaone", 219_697_490), ("lucaone_gene", 7_079_783), ("lucaone_prot", 212_617_707)],
)
def test_sizes_are_those_of_the_paper(name, heads):
    with torch.device("meta"):
        model = construct(compose("info", f"model={name}").model)
    counts = parameters_of(FAMILIES[model.family].parts(model))
    encoder = counts["embeddings"] + counts["encoder layers"] + counts["final norm"]
    assert encoder == 1_573_639_680  # 1.574 B
    assert sum(count for part, count in counts.items() if part.startswith("head of")) == heads
    assert sum(counts.values()) == sum(p.numel() for p in model.parameters())
    assert model.max_letters == 1278


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"width": 36}, "model.width: width 36 does not divide into 4 heads"),
        ({"heads": {"gene_typ": {"hidden": 1, "classes": 2}}}, "there is no task 'gene_typ'"),
        ({"heads": {"gene_type": {"hidden": 1}}}, "model.heads.gene_type: .*Give hidden and classes"),
        ({"heads": {"gene_type": {"hidden": 0, "classes": 2}}}, "model.heads.gene_type"),
        ({"max_tokens": 3}, "model.max_tokens: is 3"),
    ],
)
def test_a_shape_that_makes_no_model_is_refused(changes, said):
    with pytest.raises(UserError, match=said):
        small_luca_one(**changes)


# What comes out


def test_heads_of_sequences_read_cls_and_the_others_every_position():
    row = pack_tokens([tokens(GENE), tokens(PROTEIN, "protein")])
    with torch.no_grad():
        states = MODEL.encode(row)
        for task, shape in HEADS.items():
            head = cast(TaskHead, MODEL.task_heads[task])
            logits = MODEL.task_logits(task, states, row.cu_seqlens)
            read = states[[0, 14]] if task in ("gene_taxonomy", "prot_taxonomy", "prot_keyword") else states
            hidden = functional.gelu(read @ head.hidden.weight.T + head.hidden.bias)
            close(logits, hidden @ head.classes.weight.T + head.classes.bias)
            assert logits.shape == (len(read), shape["classes"])
    with pytest.raises(UserError, match=r"no head for 'prot_keyword'\. Its heads: gene_type"):
        small_luca_one(heads={"gene_type": HEADS["gene_type"]}).task_logits(
            "prot_keyword", states, row.cu_seqlens
        )


def test_pools_leave_out_the_special_tokens():
    (states,) = MODEL.embed(PROTEIN, pool=None, molecule="protein")
    with torch.no_grad():
        row = MODEL.encode(pack_tokens([tokens(PROTEIN, "protein")]))
    close(states, row[1:-1])
    close(MODEL.embed(PROTEIN, molecule="protein")[0], row[1:-1].mean(0))
    close(MODEL.embed(PROTEIN, "max", molecule="protein")[0], row[1:-1].amax(0))
    close(MODEL.embed(PROTEIN, "cls", molecule="protein")[0], row[0])


def test_layers_by_hand():
    states = MODEL.embed(GENE, pool=None, molecule="dna", layer=[0, len(MODEL.encoder.layers)])[0]
    row = pack_tokens([tokens(GENE)])
    first, last = states.chunk(2, dim=-1)
    close(first, MODEL.encoder.norm(MODEL.embedding(row.ids, row.molecules))[1:-1].detach())
    close(last, MODEL.embed(GENE, pool=None, molecule="dna")[0])


def test_a_mode_of_the_model_stays_and_is_not_read():
    model = small_luca_one().train()
    close(model.embed(GENE, molecule="dna"), MODEL.embed(GENE, molecule="dna"))
    assert model.training
    assert model.task_heads["gene_type"].training


def test_each_letter_is_masked_alone():
    logits, of_protein = MODEL.masked_logits([GENE, PROTEIN], 40, molecule=["dna", "protein"])
    assert (logits.shape, of_protein.shape) == ((12, 39), (11, 39))
    ids = tokens_of_letters(GENE, "nucleic acid").copy()
    ids[4] = MASK
    with torch.no_grad():
        alone = MODEL.language_logits(MODEL.encode(pack_tokens([Tokens(ids, "nucleic acid")])))
    close(logits[4], alone[5].log_softmax(-1))


def test_the_likelihood_counts_letters_that_stand_for_one_thing():
    score = MODEL.pseudo_log_likelihood(["ACGN", "MKX*", "NN"], molecule=["dna", "protein", "dna"])
    gene, protein, _ = MODEL.masked_logits(["ACGN", "MKX*", "NN"], molecule=["dna", "protein", "dna"])
    close(score.total[0], gene[0, 5] + gene[1, 7] + gene[2, 8])
    close(score.total[1], protein[0, 26] + protein[1, 21])
    assert score.num_letters.tolist() == [3, 2, 0]
    close(score.mean[0], score.total[0] / 3)
    assert score.mean[2].isnan()


def test_a_half_precision_model_reads_like_itself():
    close(
        MODEL.embed(GENE, molecule="dna"),
        small_luca_one().double().embed(GENE, molecule="dna").float(),
    )
    low = small_luca_one().bfloat16().embed(GENE, molecule="dna")
    assert (low.float() - MODEL.embed(GENE, molecule="dna")).abs().max() < 0.2


def test_gradients_are_those_of_recomputation():
    rows, gradients = pack_tokens([tokens(GENE), tokens(PROTEIN, "protein")]), []
    for recompute in (False, True):
        model: LucaOne = small_luca_one(activation_checkpointing=recompute).train()
        model.language_logits(model.encode(rows)).square().sum().backward()
        gradients.append([p.grad for p in model.parameters() if p.grad is not None])
    assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))
    assert len(gradients[0]) == len([name for name, _ in model.named_parameters() if "task" not in name])


def test_the_configs_have_every_key():
    assert set(compose("info", "model=lucaone_tiny").model) == {"_target_", *MODEL.config} - {"family"}


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("width", 64),
        ("depth", 1),
        ("num_heads", 2),
        ("heads", {"gene_type": {"hidden": 6, "classes": 9}}),
        ("max_tokens", 7),
        ("head_dropout", 0.5),
        ("init_std", 0.3),
        ("activation_checkpointing", True),
    ],
)
def test_every_key_of_the_config_has_an_effect(key, value):
    assert observed(small_luca_one(**{key: value})) != observed(MODEL)
    assert observed(small_luca_one()) == observed(MODEL)


def observed(model: LucaOne) -> list:
    """Shapes of weights, what is read of a sequence, what a head says of it, passes through a layer."""
    torch.manual_seed(1)
    row = pack_tokens([tokens(GENE)])
    passes: list[int] = []
    hook = model.encoder.layers[0].register_forward_pre_hook(lambda *_: passes.append(1))
    states = model.train().encode(row)
    logits = model.task_logits("gene_type", states, row.cu_seqlens)
    logits.sum().backward()
    hook.remove()
    model.eval().zero_grad()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        vector = model.embed(GENE, molecule="dna")
    shapes = [(name, tuple(x.shape)) for name, x in model.state_dict().items()]
    return [shapes, vector.tolist(), logits.tolist(), len(passes)]
