"""The run folder: which run it holds, and one process at a time."""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import asdict

import pytest
import yaml

from lifecode.app.provenance import Start, record_provenance, started_as
from lifecode.errors import UserError
from lifecode.evaluation.masked_genes import HeldOut
from lifecode.training.run.metrics_csv import MetricsCsv
from lifecode.training.run.run_folder import PROVENANCE, RunFolder
from lifecode.verbs.train.metrics_file import is_reported, write_metrics

CONFIG = {"seed": 0, "optim": {"encoder": {"lr": 1e-3, "beta1": 0.9}}, "data": {"batch": {"rows": 2}}}


def begun(path, config) -> RunFolder:
    folder = RunFolder(path, config)
    with folder.begun():
        pass
    return folder


def test_every_key_that_differs_is_named(tmp_path):
    begun(tmp_path / "run", CONFIG)
    other = {"seed": 1, "optim": {"encoder": {"lr": 2e-3, "beta1": 0.9}}, "data": {"batch": {"rows": 2}}}
    with pytest.raises(UserError) as refused:
        RunFolder(tmp_path / "run", other)
    assert "optim.encoder.lr was 0.001 and is 0.002, seed was 0 and is 1." in str(refused.value)
    many = {"seed": 1, "optim": {"encoder": {"lr": 2, "beta1": 2}}, "data": {"batch": {"rows": 3}}}
    with pytest.raises(UserError, match=r"data\.batch\.rows was 2 and is 3.*beta1.*lr.*, 1 more\. Give"):
        RunFolder(tmp_path / "run", many)
    begun(tmp_path / "run", {**CONFIG, "trainer": {"max_steps": 3}})


@pytest.mark.parametrize("content", ["a: [", "[1, 2]", "", b"\xff\xfe\x00".decode("latin1")])
def test_a_damaged_config_is_named(tmp_path, content):
    begun(tmp_path, CONFIG)
    (tmp_path / "config.yaml").write_text(content, encoding="latin1")
    with pytest.raises(UserError, match=r"config\.yaml: is damaged"):
        RunFolder(tmp_path, CONFIG)


def test_damaged_times_are_counted_anew(tmp_path):
    folder = begun(tmp_path, CONFIG)
    (tmp_path / "timing.json").write_text('{"corpus": 1')
    with folder.timed("corpus"):
        pass
    assert 0 <= folder.seconds()["corpus"] < 1


def test_a_failure_before_the_run_has_begun_leaves_nothing(tmp_path):
    folder = RunFolder(tmp_path / "new" / "run", CONFIG)
    with pytest.raises(UserError), folder.begun():
        raise UserError("no")
    assert list(tmp_path.iterdir()) == []


def test_a_second_process_is_refused_until_the_first_is_gone(tmp_path):
    """Gone by SIGKILL too, and though a loader worker that it forked outlives it."""
    program = """
        import os, sys, time
        from lifecode.training.run.run_folder import RunFolder
        folder = RunFolder(sys.argv[1], {"seed": 0})
        if not os.fork():
            print("held", flush=True)  # by the worker, which has let go of the lock by then
        time.sleep(60)
    """
    command = [sys.executable, "-c", textwrap.dedent(program), str(tmp_path / "run")]
    holder = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(UserError, match="run: another process is training in this folder"):
            RunFolder(tmp_path / "run", {"seed": 0})
        holder.kill()
        holder.wait()
        RunFolder(tmp_path / "run", {"seed": 0})
    finally:
        os.killpg(holder.pid, signal.SIGKILL)


def test_a_refused_run_lets_go_of_the_folder(tmp_path):
    begun(tmp_path, CONFIG)
    with pytest.raises(UserError, match="holds another run") as kept:
        RunFolder(tmp_path, {**CONFIG, "seed": 5})
    assert kept.value is not None  # its traceback still knows the first object
    assert yaml.safe_load((tmp_path / "config.yaml").read_text())["seed"] == 0
    with multiprocessing.get_context("fork").Pool(1) as pool:
        assert pool.apply(_seed_of, (tmp_path,)) == 0


def _seed_of(path) -> int:
    return begun(path, CONFIG)._config["seed"]


@pytest.mark.parametrize(
    ("harm", "line"),
    [
        (lambda whole: whole[:-3], 5),
        (lambda whole: whole.rstrip() + "1,enc", 5),
        (lambda whole: whole + "2,encoder,tra", 6),
        (lambda whole: whole + "\0" * 40, 6),
        (lambda whole: whole.replace("\n0,encoder", "\n?,encoder"), 3),
    ],
)
def test_a_line_of_metrics_csv_that_is_no_row_is_left_out(tmp_path, caplog, harm, line):
    path = tmp_path / "metrics.csv"
    log = MetricsCsv(path)
    log.drop_from("tokenizer", 0)
    log.log_metrics({"tokenizer/train/mlm": 3.0}, 5)
    for step in range(3):
        log.log_metrics({"encoder/train/mlm": 1.5, "epoch": 1.0, "hp/other": 2.0}, step)
    path.write_text(harm(path.read_text()))
    MetricsCsv(path).drop_from("encoder", 2)
    assert caplog.messages == [f"{path}: left out line {line}, which is no row"]
    kept = ["step,stage,split,name,value", "5,tokenizer,train,mlm,3"]
    kept += [f"{step},encoder,train,mlm,1.5" for step in range(2) if (step, line) != (0, 3)]
    assert path.read_text().splitlines() == kept


def test_a_validation_that_is_done_again_is_written_once(tmp_path):
    path = tmp_path / "metrics.csv"
    log = MetricsCsv(path)
    log.drop_from("encoder", 0)
    log.log_metrics({"encoder/train/mlm": 3.0}, 5)
    log.log_metrics({"encoder/validation/mlm": 3.5}, 5)
    before = path.read_text()
    again = MetricsCsv(path)
    again.drop_from("encoder", 6)
    again.log_metrics({"encoder/validation/mlm": 3.5, "encoder/validation/translation": 1.0}, 5)
    assert path.read_text() == before + "5,encoder,validation,translation,1\n"


def test_a_closed_folder_is_free_for_another_sitting(tmp_path):
    first = RunFolder(tmp_path / "run", {"seed": 0})
    with pytest.raises(UserError, match="another process"):
        RunFolder(tmp_path / "run", {"seed": 0})
    first.close()
    RunFolder(tmp_path / "run", {"seed": 0})


@pytest.mark.parametrize("damaged", ["", "{", "[]", '{"version": "0.1.0"}', "[" * 10**5], ids=len)
def test_a_damaged_provenance_is_written_anew(tmp_path, damaged):
    (tmp_path / PROVENANCE).write_text(damaged)
    record_provenance(tmp_path, {"name": "a cpu"})
    assert json.loads((tmp_path / PROVENANCE).read_text())["runs_at_a_time"] == 1
    assert [path.name for path in tmp_path.iterdir()] == [PROVENANCE]


@pytest.mark.parametrize("damaged", ["", "5", "[1]", '{"model": 5}', "[" * 10**5, "folder", "pipe"], ids=len)
def test_damaged_figures_are_none(tmp_path, monkeypatch, damaged):
    monkeypatch.setattr("lifecode.verbs.train.metrics_file.read_config", lambda folder: {})
    path, masks = tmp_path / "metrics.json", HeldOut()
    (tmp_path / "report.html").touch()
    path.write_text(json.dumps({"model": {"encoder_steps": 8}, "split": {"masks": asdict(masks)}}))
    assert is_reported(tmp_path, 8, masks)
    path.unlink()
    if damaged in ("folder", "pipe"):
        {"folder": os.mkdir, "pipe": os.mkfifo}[damaged](path)
    else:
        path.write_text(damaged)
    assert not is_reported(tmp_path, 8, masks)
    if damaged == "folder":
        with pytest.raises(UserError, match=r"metrics\.json: cannot be written .*Move away the folder"):
            write_metrics(tmp_path, {})
    else:
        write_metrics(tmp_path, {"a": 1})
        assert json.loads(path.read_text()) == {"a": 1}


def test_a_run_that_once_shared_its_machine_is_remembered(tmp_path):
    for at_a_time in (3, 1):
        with started_as(Start("lifecode train", runs_at_a_time=at_a_time)):
            record_provenance(tmp_path, {})
    assert json.loads((tmp_path / PROVENANCE).read_text())["runs_at_a_time"] == 3


LAUGHS = "a: &a [x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 8)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a: &a [*a]", "YAML anchors"),
        (LAUGHS.encode(), "YAML anchors"),
        (b"a: &a 1", "YAML anchors"),
        (b"[" * 100_000, "nested too deeply|nesting depth"),
        (b"a: " + b"{b: " * 60 + b"1" + b"}" * 60, "nested too deeply"),
        (b"\x00\xff\x00", "no text in UTF-8"),
        (b"\x7fELF\x02\x01", "no YAML"),
        (b"a: !!python/object/apply:os.system [false]", "no YAML"),
        (b"a: 2020-13-45", "is damaged"),
        (b"a: " + b"9" * 5000, "is damaged"),
        (b"- 1", "no mapping"),
        (b"#" * ((1 << 24) + 1), "larger than"),
    ],
    ids=lambda value: str(value[:12]),
)
def test_a_config_that_is_a_trap_is_refused_in_one_line(tmp_path, content, words):
    begun(tmp_path, CONFIG)
    (tmp_path / "config.yaml").write_bytes(content)
    with pytest.raises(UserError, match=words) as refused:
        RunFolder(tmp_path, CONFIG)
    assert len(str(refused.value)) < 500


@pytest.mark.parametrize("kind", ["pipe", "device", "folder"])
def test_what_is_no_file_is_not_read(tmp_path, kind):
    begun(tmp_path, CONFIG)
    path = tmp_path / "config.yaml"
    path.unlink()
    {"pipe": os.mkfifo, "device": lambda path: path.symlink_to("/dev/zero"), "folder": os.mkdir}[kind](path)
    with pytest.raises(UserError, match=r"config\.yaml: is (damaged|neither a file|a link to)"):
        RunFolder(tmp_path, CONFIG)


@pytest.mark.parametrize(
    "content", ["[1]", '{"corpus": "x"}', '{"corpus": 1e400}', '{"corpus": -1}', "[" * 10**5]
)
def test_times_that_are_none_are_counted_anew(tmp_path, content):
    folder = begun(tmp_path, CONFIG)
    (tmp_path / "timing.json").write_text(content)
    assert folder.seconds() == {}


def test_keys_that_came_later_do_not_make_another_run(tmp_path):
    begun(tmp_path, CONFIG)
    encoder = {**CONFIG["optim"]["encoder"], "matrices": "adamw"}
    later = {
        **CONFIG,
        "optim": {"encoder": encoder},
        "data": {**CONFIG["data"], "mixture": {"temperature": 1.0}},
        "model": {"mixers": None, "short_conv_width": 4, "codec": {"short_conv_width": 4}},
    }
    begun(tmp_path, later)
    encoder["matrices"] = "muon"
    with pytest.raises(UserError, match=r"optim\.encoder\.matrices was 'adamw' and is 'muon'"):
        RunFolder(tmp_path, later)
