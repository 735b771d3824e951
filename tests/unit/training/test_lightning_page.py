"""The examples of docs/lightning.md run as they stand."""

import re
from pathlib import Path

import pytest

from tests.support.repository import ROOT

PAGE = ROOT / "docs/lightning.md"


@pytest.mark.filterwarnings("ignore")
def test_the_examples_run_one_after_the_other(small_corpus, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("corpus").symlink_to(small_corpus.folder)
    blocks = re.findall(r"^```python\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.M | re.S)
    assert len(blocks) == 3
    names: dict = {}
    for block in blocks:
        exec(compile(block, PAGE.name, "exec"), names)
    assert names["predictions"][0][0].shape[1] == names["stage"].codec.codon_dim
    assert names["stage"].hparams["optimizer"]["lr"] == 4e-3
    assert names["trainer"].global_step == 4
