"""Models of pairs: tuned by gradient with attention between both sides, kept, loaded, and used to predict."""

import numpy as np
import pytest
import torch

import lifecode
from lifecode.app.main import main
from lifecode.data.translation import reverse_translate
from lifecode.errors import UserError
from lifecode.tasks import Fit, Lora, PairHead, PairTask, TrainedHead, TunedNetwork, TunedPairs
from lifecode.tasks.families.life_code import LifeCodeReading
from lifecode.tasks.pairs.pair_examples import PairExamples
from lifecode.tasks.pairs.pair_task import read_pairs
from lifecode.tasks.predict import in_parts
from lifecode.tasks.tables import write_table
from lifecode.tasks.tuned_model import save_tuned
from lifecode.tasks.tuning.pair_framing import PairFraming
from lifecode.tasks.tuning.rows import Framing, rows_of
from lifecode.tasks.tuning.task_heads.pair_task_head import CrossAttention, PairTaskHead
from lifecode.tasks.tuning.task_heads.pooling import Segments
from tests.support.small_models import small_model

PAIRS = [("ATGAAACGC", "MKRA"), ("GGGTTTAAACC", "MKV"), ("ATGGCTTGGTTAACG", "MAWLTKK"), ("CCC", "P")]


def segments(lengths, width, seed):
    torch.manual_seed(seed)
    borders = torch.tensor([0, *np.cumsum([length + 2 for length in lengths])])
    return Segments(torch.randn(int(borders[-1]), width), borders)


@torch.no_grad()
def test_attention_between_sides_is_what_a_loop_says():
    cross = CrossAttention(6, size=4, reach=1)
    torch.manual_seed(1)
    for parameter in cross.parameters():
        torch.nn.init.normal_(parameter)
    first, second = segments([2, 3, 1, 4, 2, 2], 6, 2), segments([5, 1], 6, 3)  # three frames, one frame
    found = cross(first, second, (3, 1))
    for pair in range(2):
        sides = []
        for side, num in ((first, 3), (second, 1)):
            own = range(pair * num, pair * num + num)
            sides.append([cross.norm(side.states[i, : side.lengths[i]]) for i in own])
        common = torch.cat([state for side in sides for state in side]).mean(0)
        keys = [torch.cat([neighbourhoods(cross.key(part - common)) for part in side]) for side in sides]
        values = [cross.value(torch.cat(side)) for side in sides]
        expected = []
        for own, other in ((0, 1), (1, 0)):
            rows = []
            for key, a in zip(keys[own], values[own], strict=True):
                weights = (keys[other] @ key * cross.log_sharpness.exp()).softmax(0)
                b = weights @ values[other]
                rows.append(cross.compare(torch.cat([a, b, (a - b).abs(), a * b])))
            expected += [torch.stack(rows).mean(0), torch.stack(rows).amax(0)]
        torch.testing.assert_close(found[pair], torch.cat(expected), rtol=1e-4, atol=1e-5)


def neighbourhoods(keys):
    """Each row behind the one before it and before the one after it, of length 1; nothing beyond the ends."""
    nothing = torch.zeros_like(keys[:1])
    around = torch.stack([torch.cat([nothing, keys[:-1]]), keys, torch.cat([keys[1:], nothing])], dim=-1)
    return around.flatten(1) / around.flatten(1).norm(dim=1, keepdim=True)


@torch.no_grad()
def test_a_pair_says_the_same_alone_and_among_others():
    framing = PairFraming(
        kinds=("dna", "protein"),
        first=Framing(family=LifeCodeReading("dna"), frames="stack"),
        second=Framing(family=LifeCodeReading("protein"), molecule="protein", frames=0),
        row_codons=64,
    )
    model = small_model().eval()
    joins = ["product", "difference", "cross"]
    settings = TrainedHead(pools=["mean", "max"], window=4)
    head = PairTaskHead(32, 2, settings, framing=framing, joins=joins)
    examples = PairExamples.of(PAIRS, framing.kinds).sequences

    def features(numbers):
        found = {}
        for row in rows_of(examples, np.array(numbers), framing):
            states = model.encoder(
                model.codec.tokenizer(row.packed.ids.int(), row.packed.cu_seqlens), row.packed.cu_seqlens
            )
            found |= dict(zip(row.examples.tolist(), head.features(states, row), strict=True))
        return found

    together = features([0, 1, 2, 3])
    assert len(together[0]) == len(head.mean) == 6 * 32 + 2 * 32 + 2 * 64 + 4 * 64
    for number in range(4):
        torch.testing.assert_close(features([number])[number], together[number], rtol=1e-4, atol=1e-4)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Genes and proteins, half of which belong together, and a model."""
    folder = tmp_path_factory.mktemp("pair_models")
    small_model(seed=3).save_pretrained(folder / "model")
    draw = np.random.default_rng(0)
    proteins = ["M" + "".join(draw.choice(list("ACDEFGHIKL"), 6)) for _ in range(36)]
    rows = [
        f"p{i},{reverse_translate(p)},{p if i % 2 else proteins[i - 3]},{i % 2}"
        for i, p in enumerate(proteins)
    ]
    for name, chosen in (("train", rows[:24]), ("test", rows[24:])):
        (folder / f"{name}.csv").write_text("id,gene,protein,label\n" + "\n".join(chosen) + "\n")
    return folder


@pytest.fixture(scope="module")
def runs(files):
    """One by the command, the others without its page."""
    assert main(arguments(files, "pair.beside=[lengths]", f"run_dir={files}/probe")) == 0
    cross = ["product", "difference", "cross"]
    for tuning, joins, fit in (("head", cross, Fit(epochs=2)), ("lora", cross[2:], Fit(epochs=1))):
        found = lifecode.finetune(
            PairTask(train=f"{files}/train.csv", test=f"{files}/test.csv", first="gene", second="protein"),
            checkpoint=files / "model",
            tuning=tuning,
            head=TrainedHead(pools=["attention"]),
            fit=fit,
            lora=Lora(rank=2),
            pair=PairHead(joins=joins),
            baselines=["constant"],
            progress=False,
        )
        (files / tuning).mkdir()
        save_tuned(found.model, files / tuning)
        write_table(found.table, files / tuning / "predictions.csv")
    return files


def arguments(files, *others):
    return [
        "finetune",
        "task=pair",
        f"task.train={files}/train.csv",
        f"task.test={files}/test.csv",
        "task.first=gene",
        "task.second=protein",
        f"checkpoint={files}/model",
        "baselines=[constant,lengths]",
        *others,
    ]


@pytest.mark.parametrize("tuning", ["probe", "head", "lora"])
def test_a_model_of_pairs_is_kept_and_predicts(runs, tuning, tmp_path, monkeypatch):
    monkeypatch.setattr(in_parts, "SEQUENCES_AT_ONCE", 5)
    run, output = runs / tuning, tmp_path / "out.csv"
    model = lifecode.load(run)
    assert isinstance(model, TunedPairs if tuning == "probe" else TunedNetwork)
    assert model.kinds == ("dna", "protein")
    assert main(["predict", f"checkpoint={run}", f"input={runs}/test.csv", f"output={output}"]) == 0
    found = [line.split(",") for line in output.read_text().splitlines()]
    assert found[0] == ["id", "prediction", "p(0)", "p(1)"]
    assert [row[0] for row in found[1:]] == [f"p{i}" for i in range(24, 36)]
    numbers = np.array([[float(x) for x in row[2:]] for row in found[1:]])
    data = read_pairs(PairTask(train=f"{runs}/test.csv", first="gene", second="protein")).train
    np.testing.assert_allclose(
        numbers, model.predict([tuple(text.split()) for text in data.texts()]), atol=1e-5
    )
    measured = [line.split(",")[-1] for line in (run / "predictions.csv").read_text().splitlines()[1:]]
    np.testing.assert_allclose(numbers[:, 1], np.array(measured, dtype=float), atol=1e-5)


def test_names_stand_in_fasta_files(runs, tmp_path):
    (tmp_path / "genes.fa").write_text(">a\nATGAAACGC\n>b\nATGTTT\n")
    (tmp_path / "new.csv").write_text("name,gene,protein\nx,b,MF\ny,a,MKR\n")
    run = runs / "probe"
    given = {"first_fasta": f"{tmp_path}/genes.fa", "progress": False}
    frame = lifecode.predict(run, tmp_path / "new.csv", id="name", **given)
    assert frame["id"].tolist() == ["x", "y"]
    expected = lifecode.load(run).predict([("ATGTTT", "MF"), ("ATGAAACGC", "MKR")])
    np.testing.assert_allclose(frame[["p(0)", "p(1)"]], expected, atol=1e-6)
    with pytest.raises(UserError, match="is given, and the model is of pairs"):
        lifecode.predict(run, tmp_path / "new.csv", sequence="gene", progress=False)
    (tmp_path / "new.csv").write_text("name,gene,protein\nx,b,MF\ny,c,MKR\n")
    with pytest.raises(UserError, match=r"'c' is no record of .*genes\.fa"):
        lifecode.predict(run, tmp_path / "new.csv", **given)


def test_boosting_is_measured_and_not_kept(files):
    task = PairTask(train=f"{files}/train.csv", test=f"{files}/test.csv", first="gene", second="protein")
    found = lifecode.finetune(
        task,
        checkpoint=files / "model",
        pair=PairHead(head="boosting"),
        baselines=["constant"],
        progress=False,
    )
    assert found.model is None
    assert found.metrics["unit"] == "pair"


@pytest.mark.parametrize(
    ("others", "told"),
    [
        (["pair.joins=[cross]"], "pair.joins: has cross, which is learnt by gradient"),
        (["tuning=head", "pair.beside=[lengths]"], "pair.beside: is of tuning=probe"),
        (["tuning=head", "pair.head=boosting"], "pair.head: is of tuning=probe"),
        (["task.first=dna"], "has no column 'dna'; its columns are id, gene, protein, label"),
    ],
)
def test_what_pairs_do_not_have_is_one_line(files, others, told, tmp_path, capsys):
    assert main(arguments(files, *others, f"run_dir={tmp_path}/run")) == 2
    told_lines = capsys.readouterr().err.strip().splitlines()
    assert told in told_lines[-1] or told in "\n".join(told_lines)
    assert not (tmp_path / "run").exists()
