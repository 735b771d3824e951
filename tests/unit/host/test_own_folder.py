"""Folders that a stranger has prepared: whatever leads out of them, the file at its end stays as it was."""

import os
from pathlib import Path

import numpy as np
import pytest
import torch

from lifecode.app.main import main
from lifecode.errors import UserError
from lifecode.host.checksum import write_json
from lifecode.host.durable import new_file, replacing
from lifecode.host.own_folder import require_own
from lifecode.models import pretrained
from lifecode.report.page import write_page
from lifecode.teachers.cache import FeatureCache
from lifecode.training.run.run_folder import RunFolder
from tests.support.letter_teacher import LetterTeacher, random_proteins
from tests.support.run_folders import make_sweep

CONTENT = "alias ls=ls\n"


@pytest.fixture
def victim(tmp_path):
    """A folder with a file, of which nothing may change."""
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / ".bashrc").write_text(CONTENT)
    before = (folder / ".bashrc").stat()
    yield folder
    assert os.listdir(folder) == [".bashrc"]
    assert (folder / ".bashrc").read_text() == CONTENT
    assert (folder / ".bashrc").stat().st_mtime_ns == before.st_mtime_ns


def link(path: Path, to: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(to)
    return path


@pytest.mark.parametrize("make", [os.symlink, os.link])
def test_a_file_is_made_new_where_another_had_its_name(make, victim, tmp_path):
    make(victim / ".bashrc", tmp_path / ".a.partial")
    with replacing(tmp_path / "a") as file:
        file.write(b"new")
    make(victim / ".bashrc", tmp_path / ".b")
    write_json(tmp_path / "b", {})
    make(victim / ".bashrc", tmp_path / "c")
    with new_file(tmp_path / "c") as file:
        file.write(b"new")
    assert [(tmp_path / name).is_symlink() for name in "abc"] == [False] * 3
    assert (tmp_path / "a").read_text() == (tmp_path / "c").read_text() == "new"


def test_links_within_a_folder_and_the_folder_itself_are_the_users_choice(tmp_path):
    (tmp_path / "disk" / "run" / "wandb" / "run-1").mkdir(parents=True)
    link(tmp_path / "disk" / "run" / "wandb" / "latest-run", Path("run-1"))
    require_own(link(tmp_path / "run", tmp_path / "disk" / "run"))
    link(tmp_path / "runs", tmp_path / "disk")
    log = link(tmp_path / "disk/run/wandb/run-1/logs/debug-core.log", Path("/gone"))  # as W&B leaves it
    RunFolder(tmp_path / "run", {}).close()
    log.unlink()
    require_own(tmp_path / "runs" / "run")
    RunFolder(tmp_path / "runs" / "run", {}).close()


@pytest.mark.parametrize(
    ("to", "said"),
    [("/", "is a link to /"), ("../..", "is a link to"), ("loop", ""), ("gone/../../../x", "is a link to")],
)
def test_what_leads_out(tmp_path, to, said):
    link(tmp_path / "run" / "a" / "loop", Path(to))
    if to == "loop":
        require_own(tmp_path / "run")  # leads nowhere, and no file can be made there
        return
    with pytest.raises(UserError, match=said):
        require_own(tmp_path / "run")


def test_what_is_no_file(tmp_path):
    (tmp_path / "run").mkdir()
    os.mkfifo(tmp_path / "run" / "metrics.csv")
    with pytest.raises(UserError, match=r"metrics\.csv: is neither a file nor a folder"):
        require_own(tmp_path / "run")


IN_A_RUN = [
    *(".lock", "metrics.csv", ".metrics.csv.partial", "timing.json", "config.yaml", "wandb_run.txt"),
    *("encoder", "tokenizer/checkpoints", "model", "teacher", "figures", ".corpus.partial", "wandb"),
    "corpus",
]


@pytest.mark.parametrize("name", IN_A_RUN)
def test_a_run_that_leads_elsewhere_is_refused(name, small_genome, victim, tmp_path, capsys):
    is_file = "." in name.strip(".") and name != ".corpus.partial"
    link(tmp_path / "run" / name, victim / ".bashrc" if is_file or name == ".lock" else victim)
    if name == "corpus":  # is only read, and this is none
        said = "is there already and is no corpus"
    else:
        said = "nothing is written or deleted through a link"
    assert main(["train", f"input={small_genome}", f"run_dir={tmp_path / 'run'}"]) == 2
    err = capsys.readouterr().err
    assert said in err
    assert len(err.splitlines()) == 1


def test_a_sweep_goes_into_no_run_that_leads_elsewhere(small_genome, victim, tmp_path, capsys):
    link(tmp_path / "runs" / "seed=1", victim)
    assert (
        main(
            ["train", "-m", f"input={small_genome}", f"run_dir={tmp_path / 'runs'}", "seed=1,2", "plan=true"]
        )
        == 2
    )
    assert "nothing is written through a link" in capsys.readouterr().err


@pytest.mark.parametrize("name", [".c.lock", ".c.partial", ".c.partial/units", "c/figures"])
def test_prepare_beside_and_into_links(name, small_genome, small_corpus, victim, tmp_path, capsys):
    if name.startswith("c/"):  # a corpus that was downloaded, and the report goes into it
        os.symlink(small_corpus.folder, tmp_path / "own")
        (tmp_path / "c").mkdir()
        for path in small_corpus.folder.iterdir():
            if path.name not in ("figures", "report.html"):
                os.symlink(path, tmp_path / "c" / path.name)
    link(tmp_path / name, victim / ".bashrc" if name.endswith("lock") else victim)
    split = ["data.split.block_nucleotides=6000", "data.split.validation=0.1", "data.split.test=0.2"]
    assert (
        main(["prepare", f"input={small_genome}", f"output={tmp_path / 'c'}", "engine.workers=1", *split])
        == 2
    )
    assert "nothing is written or deleted through a link" in capsys.readouterr().err


def test_what_is_changed_in_place_has_one_name(small_genome, victim, tmp_path, capsys):
    (tmp_path / ".c.partial").mkdir()
    os.link(victim / ".bashrc", tmp_path / ".c.partial" / "offsets.npy")
    assert main(["prepare", f"input={small_genome}", f"output={tmp_path / 'c'}"]) == 2
    assert "offsets.npy: has another name elsewhere (a hard link)" in capsys.readouterr().err


@pytest.mark.parametrize("name", ["figures", "figures/by_group.png", "report.html", ".results.csv.partial"])
def test_a_report_into_links(name, victim, tmp_path, capsys):
    make_sweep(tmp_path / "sweep")
    link(tmp_path / "sweep" / name, victim if name == "figures" else victim / ".bashrc")
    code = main(["report", f"input={tmp_path / 'sweep'}"])
    if "figures" in name:
        assert code == 2
        assert "nothing is written or deleted through a link" in capsys.readouterr().err
    else:
        assert code == 0
        assert (tmp_path / "sweep" / "report.html").lstat().st_size > 1000


@pytest.mark.parametrize("what", ["teacher", "bucket", "pack", "lock", "sets", "partial"])
def test_a_cache_of_features_that_leads_elsewhere(what, victim, tmp_path):
    """Of a bucket, what is no pack would be deleted."""
    proteins = random_proteins(20)
    cache = tmp_path / "cache"
    FeatureCache(cache, LetterTeacher()).features(proteins[:10])
    own = cache / "letters-1"
    bucket = min(path for path in own.iterdir() if path.name.isdigit())
    if what == "teacher":
        own.rename(tmp_path / "moved")
        own.symlink_to(victim)
    elif what in ("bucket", "sets"):
        target = bucket if what == "bucket" else own / "sets"
        target.rename(tmp_path / "moved")
        target.symlink_to(victim)
    else:
        names = {"pack": f"{'0' * 64}.safetensors", "lock": "lock2", "partial": ".x.partial"}
        (bucket / names[what]).symlink_to(victim / ".bashrc")
    with pytest.raises(UserError, match="nothing is written or deleted through a link"):
        FeatureCache(cache, LetterTeacher()).features(proteins)


def test_a_model_is_saved_over_links_and_not_through_them(victim, tmp_path):
    folder = tmp_path / "model"
    for name in pretrained.FILES:
        link(folder / name, victim / ".bashrc")
    pretrained.save(
        torch.nn.Linear(1, 1), {"family": "x"}, folder, training_genes=np.zeros((1, 16), np.uint32)
    )
    assert not any(path.is_symlink() for path in folder.iterdir())
    assert pretrained.read_config(folder)["family"] == "x"


def test_an_embedding_takes_the_place_of_a_link(victim, tmp_path):
    (tmp_path / "a.fa").write_text(">a\nATGAAACGC\n")
    output = link(tmp_path / "out.npz", victim / ".bashrc")
    assert main(["embed", f"input={tmp_path / 'a.fa'}", f"output={output}"]) == 0
    assert not output.is_symlink()


def test_a_page_names_its_own_faults(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot write the report"):
        write_page(tmp_path / "file", "sweep.html.jinja", {}, {})
