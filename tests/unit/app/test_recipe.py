"""experiment=recipe: arms of one value each, at equal tokens and of one held-out masking."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf

import lifecode
from lifecode.app.configs.construct import construct
from lifecode.app.from_python import compose
from lifecode.app.main import main
from lifecode.training.run.run_folder import config_leaves

THE_ONE_VALUE = {
    "adamw": {},
    "muon": {"optim.encoder.matrices": "muon"},
    "masked_25": {"objective.masking.codon_fraction": 0.25},
    "masked_40": {"objective.masking.codon_fraction": 0.4},
    "factorised": {"model.codec.codon_head": "factorised"},
}
THE_ONE_VALUE_OF_ROUND_TWO = {
    "wsd": {"optim.encoder.decay_steps": 140},
    "negative_eigenvalues": {"model.mixer_options.gdn.negative_eigenvalues": True},
    "three_to_one": {"model.hybrid_ratio": "3:1"},
    "one_strand": {"model.strands": "forward"},
}


def leaves_of(arm: str) -> dict:
    config = compose("train", "experiment=recipe", f"recipe={arm}", "input_folder=data")
    return config_leaves(OmegaConf.to_container(config, resolve=True))


def test_an_arm_differs_in_one_value_and_the_held_out_masks_in_none():
    first = leaves_of("adamw")
    assert first["optim.encoder.matrices"] == "adamw"
    assert first["objective.masking.codon_fraction"] == first["heldout.mask_fraction"] == 0.15
    assert first["model.codec.codon_head"] == "joint"
    for arm, changed in THE_ONE_VALUE.items():
        leaves = leaves_of(arm)
        assert leaves.keys() == first.keys()
        assert {key: value for key, value in leaves.items() if value != first[key]} == changed
    winner = leaves_of("winner")
    chosen = {key: value for arm in ("muon", "masked_40") for key, value in THE_ONE_VALUE[arm].items()}
    assert {key: value for key, value in winner.items() if value != first[key]} == chosen
    for arm, changed in THE_ONE_VALUE_OF_ROUND_TWO.items():
        leaves = leaves_of(arm)
        differ = [key for key in winner.keys() | leaves.keys() if winner.get(key) != leaves.get(key)]
        assert {key: leaves.get(key) for key in differ} == changed


@pytest.mark.parametrize(
    "arguments", [["experiment=lifecode_mini"], ["-m", "experiment=recipe", "seed=0", "recipe=muon"]]
)
def test_the_folder_that_does_not_ship_is_asked_for_by_its_key(arguments, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", *arguments]) == 2
    assert "input_folder needs a value. Give it: lifecode train input_folder=..." in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


NEVER_TRAINED_ON = (
    *("bac4_", "Mycoplasma", "syn3A", "Pyrobaculum", "Methanococcus", "Methanocaldococcus", "Neisseria"),
    *("Nanoarchaeum", "Prochlorococcus", "Streptococcus", "Halobacterium", "Yarrowia"),
)


def test_whole_species_stay_out_of_the_many_and_every_other_genome_is_in(shared_data):
    species_folder = shared_data("species/README.md").parent
    config = compose("train", "sources=many_species", f"input_folder={species_folder.parent}")
    paths = [part.partition("cds:")[2] or part for line in config.input for part in line.split("+")]
    named = {Path(path).name for path in paths if "/species/" in path}
    assert all(Path(path).is_file() for path in paths if "/" in path)
    there = {path.name for path in species_folder.iterdir() if not path.name.startswith(("README", "prot_"))}
    kept_out = {name for name in there if any(word in name for word in NEVER_TRAINED_ON)}
    assert len(kept_out) == 21
    assert not named & kept_out
    # Two CDS sets come with their proteins, which are not read: an intact frame says as much.
    assert there - named - kept_out == {name for name in there if name.endswith(".faa.gz")}
    assert config.data.mixture.temperature == 3
    # A number alone would outrank the code of each record, and the sharks' mitochondria read another.
    sharks = next(path for path in paths if "sharks" in path)
    reading = construct(config.data.reading, seed=0)
    read = lifecode.prepare(sharks, reading=reading, progress=False)
    assert read.counts["pairs"]["kept"] == 883
