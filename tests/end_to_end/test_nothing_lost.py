"""Kills, damage and a full disk through the real command, each a few times; `make soak` does all of it."""

import signal

import pytest

from tests.soak import damage, disk, kills
from tests.soak.sitting import Run, Server

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server():
    with Server() as server:
        yield server


@pytest.fixture(scope="module")
def whole(server, small_genome, tmp_path_factory) -> Run:
    """A finished run that nothing happened to."""
    run = Run(server, tmp_path_factory.mktemp("whole") / "run", small_genome)
    run.finish()
    assert kills.row_groups_read(run, "encoder") >= 2
    return run


@pytest.mark.parametrize("workers", [0, 2])
def test_killed_at_three_steps_it_is_the_run_without_kills(server, whole, tmp_path, workers):
    run = Run(server, tmp_path / "killed", whole.genome)
    kills.kill_at_steps(run, 3, workers, seed=7)
    assert run.result() == whole.result()


def test_killed_in_saves_there_is_always_a_checkpoint(server, whole, tmp_path):
    settings = ("stage=tokenizer", "trainer.checkpoint_every_steps=1", "model.codec.nucleotide_dim=192")
    run = Run(server, tmp_path / "saves", whole.genome, settings)
    assert kills.kill_in_saves(run, 4)["loadable"] == 4


def test_sigterm_in_training_and_in_validation(server, whole, tmp_path):
    """After step 5 (the sixth) a validation is due."""
    run = Run(server, tmp_path / "terminated", whole.genome)
    for stage, step in (("tokenizer", 5), ("encoder", 8)):
        sitting, done, saved = kills.terminate(run, stage, step)
        assert sitting.code == 130
        assert 0 <= saved - done <= 1
        assert f"stopped after step {saved} of " in sitting.errors()[-1]
    run.finish()
    assert run.result() == whole.result()


def test_a_second_signal_stops_at_once(server, whole, tmp_path):
    run = Run(server, tmp_path / "twice", whole.genome)
    sitting = run.start()
    assert sitting.until(lambda: run.has_trained("encoder", 4))
    for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGINT, signal.SIGCONT):
        sitting.send(number)
    assert sitting.wait().code == 130
    assert "same command goes on" in sitting.errors()[-1]


@pytest.mark.parametrize(
    "each", damage.DAMAGES, ids=lambda each: each.name.replace(", ", "-").replace(" ", "-")
)
def test_damage_is_named_and_survived_or_refused(whole, tmp_path, each):
    assert damage.survives(whole, each, tmp_path / "damaged") == []


@pytest.mark.parametrize("filling", disk.FILLINGS, ids=lambda filling: filling.name.replace(" ", "-"))
def test_a_full_disk_loses_nothing(server, whole, tmp_path, filling):
    try:
        with disk.small_disk(tmp_path / "disk") as place:
            run = Run(server, place / "full", whole.genome)
            assert disk.fills_up(run, filling) == []
            assert run.result() == whole.result()
    except PermissionError:
        pytest.skip("no tmpfs may be mounted here")


def test_a_checkpoint_that_finds_no_room_is_named(server, whole, tmp_path):
    """As on a full disk, where none may be mounted: the system lets no file grow beyond 100 kB."""
    run = Run(server, tmp_path / "full", whole.genome)
    sitting = run.start(file_bytes=100_000).wait()
    assert sitting.code == 2
    assert "step=0000003.ckpt: cannot be written (File too large). Make room there" in sitting.errors()[-1]
    assert not list(run.checkpoints("tokenizer").iterdir())
    run.finish()
    assert run.result() == whole.result()


def test_two_sittings_at_a_time_and_another_identity_are_refused(server, whole, tmp_path):
    run = Run(server, tmp_path / "shared", whole.genome)
    first = run.start()
    assert first.until(lambda: run.has_trained("tokenizer", 1))
    second = run.start().wait()
    assert second.code == 2
    assert second.errors()[-1].startswith(
        "lifecode train: run: another process is training in this folder. Wait"
    )
    first.kill()
    other = run.start("optim.encoder.lr=0.5", "data.batch.rows=2").wait()
    assert other.code == 2
    keys = ("data.batch.rows", "data.tokenizer_batch.rows")  # the second follows the first
    changed = [*(f"{key} was 4 and is 2" for key in keys), "optim.encoder.lr was 0.003 and is 0.5"]
    assert ", ".join(changed) in other.errors()[-1]
    run.finish()
    assert run.result() == whole.result()


def test_three_losses_that_are_not_finite_end_the_run(server, whole, tmp_path):
    run = Run(server, tmp_path / "nan", whole.genome)
    sitting = run.start(faults={"encoder": [5, 20, 21, 22]}).wait()
    assert sitting.code == 2
    for value, times in (("nan", 2), ("inf", 1)):
        said = f"is skipped, as the loss of translation is {value}"
        assert sum(said in line for line in sitting.errors()) == times
    assert "at step 22, the 3rd step in a row that is not finite" in sitting.errors()[-1]
    assert kills.is_finite(run, "encoder")
