"""The report of a sweep on run folders whose figures are known."""

import csv
import json

import pytest
import yaml

from lifecode.app.main import main
from lifecode.errors import UserError
from lifecode.report.sweep.facts import caveats, comparable_throughput
from lifecode.report.sweep.page import write_sweep_report
from lifecode.report.sweep.run_groups import grouped
from lifecode.report.sweep.runs import find_runs
from lifecode.report.sweep.spread import Spread, spread_over
from tests.support.html_page import Page
from tests.support.run_folders import make_run, make_sweep, started


@pytest.fixture
def sweep(tmp_path):
    return make_sweep(tmp_path / "sweep")


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    folder = make_sweep(tmp_path_factory.mktemp("runs") / "sweep")
    return folder, write_sweep_report([folder], folder, name="ratios")


def test_mean_deviation_and_range_by_hand(reported):
    _, report = reported
    assert report.grouping.heading == "hybrid ratio"
    assert report.grouping.keys == ("model.hybrid_ratio",)
    cells = {label: [cell.value for cell in cells] for label, cells in report.table.rows}
    assert list(cells) == ["12:0", "11:1", "0:12"]
    # 3.8 and 3.9: mean 3.85, deviation sqrt(2 x 0.05^2) = 0.0707; one seed has no deviation
    assert cells["12:0"] == ["2", "1,000", "3.850 ± 0.071", "10.50 ± 0.71", "5.00 ± 0.00"]
    assert cells["11:1"] == ["1", "1,000", "3.750", "12.00", "4.00"]
    assert cells["0:12"] == ["0", "", "", "", ""]
    ranges = dict(report.table.rows)["12:0"][2]
    assert ranges.range == "3.800 to 3.900"


def test_what_is_not_in_the_table_is_listed(reported):
    sweep, report = reported
    told = {(fact.label, fact.value) for fact in report.open_runs}
    assert told == {
        ((sweep / "11-1,seed=1").as_posix(), "unfinished: encoder, step 3 of 8"),
        ("0:12, seed 0", "not begun"),
        ("0:12, seed 1", "not begun"),
    }
    page = Page(sweep / "report.html")
    assert "finished runs 3 of 6" in page.text
    for words in (
        "0:12, seed 1 not begun",
        "Difference from 12:0",
        "-0.050",
        "codon unigram 3.900 to 4.000 nats",
    ):
        assert words in page.text
    assert "script" not in page.tags
    figures = {path.name for path in (sweep / "figures").iterdir()}
    assert figures == {"accuracy_throughput.png", "by_group.png", "learning_curves.png"}
    assert any("same seeds" in sentence for sentence in report.caveats)
    assert not any("Validation curves mask" in sentence for sentence in report.caveats)
    assert report.sources is None


def test_the_files_beside_the_page(reported):
    sweep, _ = reported
    with (sweep / "results.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["group"], row["seed"], row["status"]) for row in rows] == [
        ("11:1", "0", "finished"),
        ("11:1", "1", "unfinished"),
        ("12:0", "0", "finished"),
        ("12:0", "1", "finished"),
    ]
    assert float(rows[3]["masked_codon_cross_entropy"]) == 3.9
    assert rows[1]["masked_codon_cross_entropy"] == ""
    text = (sweep / "results.md").read_text()
    assert "| 12:0 | 2 | 1,000 | 3.850 ± 0.071 (3.800 to 3.900) | 10.50 ± 0.71 (10.00 to 11.00) |" in text
    assert "- Command: `lifecode train -m experiment=hybrid_ratio`" in text
    assert "- Held-out genes: 4 to 5 CDS" in text
    assert "- Commit: lifecode 0.1.0, commit abc" in text


@pytest.mark.parametrize(
    ("at_a_time", "said", "speeds"),
    [
        ([1, 1, 1, 1], None, [2.0, 4.0]),
        ([2, 1, 2, 2], "Up to 2 runs shared a machine", [2.0, 4.0]),
        ([2, 1, 1, 2], "Throughput is that of the 2 runs", [3.0, 3.0]),
        ([None, 1, 2, 2], "not known of all", [2.0, 4.0]),
    ],
)
def test_throughput_of_runs_that_shared_their_machine(tmp_path, at_a_time, said, speeds):
    """12:0 at 1 and 3 thousand nucleotides/s, 11:1 at 3 and 5."""
    kinds = [("12:0", 0, 1.0), ("12:0", 1, 3.0), ("11:1", 0, 3.0), ("11:1", 1, 5.0)]
    for (ratio, seed, speed), n in zip(kinds, at_a_time, strict=True):
        how = None if n is None else started(ratio, seed, n)
        make_run(
            tmp_path / f"{ratio}{seed}", hybrid_ratio=ratio, seed=seed, speed=speed * 1000, provenance=how
        )
    runs = find_runs([tmp_path])
    grouping = grouped(runs)
    speed = comparable_throughput(grouping)
    assert [spread_over(group, speed).mean for group in grouping.groups if group.runs] == [
        1000 * mean for mean in speeds
    ]
    about_it = [line for line in caveats(grouping, runs) if "hroughput" in line and "threads" not in line]
    assert [said in line for line in about_it] == ([True] if said else [])


def test_without_provenance_what_differs_names_the_groups(tmp_path):
    for ratio in ("0:12", "3:1", "12:0", "11:1"):
        make_run(tmp_path / f"a{ratio}", hybrid_ratio=ratio)
    grouping = grouped(find_runs([tmp_path]))
    assert [group.label for group in grouping.groups] == ["12:0", "11:1", "3:1", "0:12"]
    make_run(tmp_path / "b", hybrid_ratio="12:0", width=64)
    grouping = grouped(find_runs([tmp_path]))
    assert grouping.keys == ("model.hybrid_ratio", "model.width")
    assert "hybrid_ratio 12:0, width 64" in [group.label for group in grouping.groups]


def test_a_config_group_names_the_many_keys_behind_it(tmp_path):
    for place, (name, depth, stride) in enumerate((("plain", 0, 1), ("deep", 12, 3))):
        provenance = {
            "varied": {"arm": name, "seed": "0"},
            "sweep": {"arm": ["plain", "deep"], "seed": ["0"]},
        }
        make_run(tmp_path / str(place), depth=depth, codec={"stride": stride}, provenance=provenance)
    grouping = grouped(find_runs([tmp_path]))
    assert (grouping.heading, [group.label for group in grouping.groups]) == ("arm", ["plain", "deep"])
    assert grouping.keys == ("model.codec.stride", "model.depth")


def test_seeds_run_folders_and_settings_of_a_sitting_make_no_group(tmp_path):
    for seed in range(3):
        make_run(tmp_path / str(seed), seed=seed)
    (group,) = grouped(find_runs([tmp_path])).groups
    assert len(group.runs) == 3


def test_a_run_that_went_on_after_its_evaluation_is_not_finished(tmp_path):
    make_run(tmp_path / "a", steps=12)
    assert find_runs([tmp_path])[0].status == "unfinished"


def test_differences_are_between_runs_of_one_seed():
    spread = Spread({"0": 1.0, "1": 5.0}).minus(Spread({"1": 4.0, "2": 0.0}))
    assert spread.by_seed == {"1": 1.0}
    assert Spread({}).mean is None


def test_figures_by_input_file_by_hand(tmp_path, capsys):
    """Two groups of two seeds on two files; the baselines of a seed are counted once."""
    nats = {("a", 0): 3.7, ("a", 1): 3.9, ("b", 0): 3.6, ("b", 1): 3.7}
    for (arm, seed), value in nats.items():
        provenance = {"varied": {"recipe": arm, "seed": str(seed)}, "sweep": {"recipe": ["a", "b"]}}
        ratio = {"a": "12:0", "b": "11:1"}[arm]
        folder = make_run(tmp_path / f"{arm}{seed}", seed=seed, hybrid_ratio=ratio, provenance=provenance)
        config = yaml.safe_load((folder / "config.yaml").read_text())
        config["objective"] = {"masking": {"codon_fraction": {"a": 0.15, "b": 0.4}[arm]}}
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
        metrics = json.loads((folder / "metrics.json").read_text())
        both = {"codon_unigram": {"value": 3.9, "n": 9}, "codon_bigram": {"value": 3.8 + seed / 10, "n": 9}}
        metrics["sources"] = {
            name: {"heldout": {"masked_codon_cross_entropy": {"value": x, "n": 9}}, "baselines": baselines}
            for name, x, baselines in (("yeast.fa", value, both), ("fly.fa", value + 0.2, {}))
        }
        (folder / "metrics.json").write_text(json.dumps(metrics))
    assert main(["report", f"input={tmp_path}"]) == 0
    lines = [line.split("  ") for line in capsys.readouterr().out.splitlines()]
    assert ["a", "3.800 ± 0.141", "4.000 ± 0.141"] in [[x.strip() for x in line if x] for line in lines]
    report = write_sweep_report([tmp_path], tmp_path, name="x")
    assert any("Validation curves mask" in sentence for sentence in report.caveats)
    figures, differences = report.sources
    assert figures.headings == ("yeast.fa", "fly.fa")
    assert {label: [cell.value for cell in cells] for label, cells in figures.rows} == {
        "a": ["3.800 ± 0.141", "4.000 ± 0.141"],
        "b": ["3.650 ± 0.071", "3.850 ± 0.071"],
        "both neighbours": ["3.850 ± 0.071", ""],
        "codon unigram": ["3.900 ± 0.000", ""],
    }
    # b minus a: -0.1 of seed 0, -0.2 of seed 1
    assert [(label, cells[0].value) for label, cells in differences.rows] == [("b", "-0.150 ± 0.071")]
    page = Page(tmp_path / "report.html")
    assert "fly.fa" in page.text
    assert "The same minus a, seed by seed." in page.text
    assert "| both neighbours | 3.850 ± 0.071" in (tmp_path / "results.md").read_text()
    with (tmp_path / "results.csv").open() as file:
        (first, *_) = csv.DictReader(file)
    assert float(first["masked_codon_cross_entropy of fly.fa"]) == pytest.approx(3.9)
    assert first["codon_bigram of yeast.fa"] == "3.8"
    assert first["codon_bigram of fly.fa"] == ""


def test_a_damaged_run_is_named_and_the_others_are_reported(sweep):
    (sweep / "12-0,seed=1/metrics.json").write_text("{")
    report = write_sweep_report([sweep], sweep, name="x")
    assert any("unreadable" in fact.value for fact in report.open_runs)
    assert dict(report.table.rows)["12:0"][0].value == "1"


def test_what_cannot_be_reported(sweep, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "empty").mkdir()
    make_run(tmp_path / "begun/a", finished=False)
    cases = {
        "nowhere": "no such folder",
        "empty": "holds no run",
        "sweep/12-0,seed=0": "is one run, not a folder of runs",
        "begun": "none of 1 runs is finished: begun/a, unfinished: encoder, step 8 of 8",
    }
    for folder, said in cases.items():
        assert main(["report", f'input="{folder}"']) == 2
        err = capsys.readouterr().err
        assert said in err
        assert err.count("\n") == 1
    assert main(["report", "input=[sweep,begun]"]) == 2
    assert "output needs a value" in capsys.readouterr().err
    assert main(["report", "input=[sweep,begun]", "output=both"]) == 0
    assert "The report is in both/report.html" in capsys.readouterr().out
    with pytest.raises(UserError, match="own report would be lost"):
        write_sweep_report([sweep], sweep / "12-0,seed=0", name="x")


def test_a_setting_of_a_sitting_that_a_sweep_varies_makes_groups(tmp_path):
    for place, (steps, seed) in enumerate(((5, 0), (5, 1), (8, 0), (8, 1))):
        provenance = {
            "varied": {"trainer.max_steps": str(steps), "seed": str(seed)},
            "sweep": {"trainer.max_steps": ["5", "8"], "seed": ["0", "1"]},
        }
        folder = make_run(tmp_path / str(place), seed=seed, provenance=provenance)
        config = yaml.safe_load((folder / "config.yaml").read_text())
        config["trainer"]["max_steps"] = steps
        (folder / "config.yaml").write_text(yaml.safe_dump(config))
    grouping = grouped(find_runs([tmp_path]))
    assert [(group.label, len(group.runs)) for group in grouping.groups] == [("5", 2), ("8", 2)]


def test_a_run_that_was_killed_within_a_line_is_unfinished_and_says_where(tmp_path):
    folder = make_run(tmp_path / "a", finished=False, steps=4)
    with (folder / "metrics.csv").open("a") as file:
        file.write("4,encoder,tra")
    (run,) = find_runs([tmp_path])
    assert (run.status, run.note) == ("unfinished", "encoder, step 4 of 8")


BAD = {
    "config of aliases": ("config.yaml", "a: &a [1]\nb: [*a, *a]\n"),
    "config within itself": ("config.yaml", "a: &a [*a]\n"),
    "config that is binary": ("config.yaml", "\x00\x01"),
    "config of another kind": ("config.yaml", "- 1\n"),
    "steps that are words": ("config.yaml", "trainer: {max_steps: many}\n"),
    "metrics that are a list": ("metrics.json", "[1]"),
    "metrics without a model": ("metrics.json", '{"heldout": {}}'),
    "figures that are a number": ("metrics.json", '{"model": {"encoder_steps": 8}, "heldout": 3}'),
    "a figure that is a word": (
        "metrics.json",
        '{"model": {"encoder_steps": 8}, "heldout": {"a": {"value": "x"}}}',
    ),
    "a figure that is huge": (
        "metrics.json",
        '{"model": {"encoder_steps": 8}, "heldout": {"a": {"value": 1e300}}}',
    ),
    "parts that are words": (
        "metrics.json",
        '{"model": {"encoder_steps": 8, "parts": {"a": "b"}}, "heldout": {}}',
    ),
    "a model without parts": (
        "metrics.json",
        '{"model": {"encoder_steps": 8, "parts": {}}, "heldout": {}}',
    ),
    **{
        f"sources that are {words}": (
            "metrics.json",
            f'{{"model": {{"encoder_steps": 8}}, "heldout": {{}}, "sources": {content}}}',
        )
        for words, content in {
            "a number": "5",
            "true": "true",
            "a list": "[1]",
            "numbers": '{"a": 5}',
            "of words": '{"a": {"heldout": "x"}}',
            "beside a number": '{"a": {"baselines": -1}}',
        }.items()
    },
    "metrics nested deeply": ("metrics.json", "[" * 100_000),
    "provenance that is a word": ("provenance.json", '"x"'),
    "a sweep that is a number": ("provenance.json", '{"sweep": {"seed": 3}}'),
}


def test_bad_runs_are_named_and_the_rest_is_reported(tmp_path, capsys):
    for seed in (0, 1):
        make_run(tmp_path / f"good-{seed}", seed=seed, value=3.8 + seed / 10)
    for name, (file, content) in BAD.items():
        (make_run(tmp_path / name, seed=2) / file).write_text(content)
    devices = ("config.yaml", "metrics.json", "provenance.json")
    for file in devices:
        bad = make_run(tmp_path / f"device {file}", provenance=started("12:0", 0))
        (bad / file).unlink()
        (bad / file).symlink_to("/dev/zero")
    assert main(["report", f"input={tmp_path}"]) == 0
    out, err = capsys.readouterr()
    for name in (*BAD, *(f"device {file}" for file in devices)):
        start = f"not in the table: {tmp_path / name} (unreadable: "
        named = [line for line in out.splitlines() if line.startswith(start)]
        assert len(named) == 1, name
        assert len(named[0]) < 600
        assert "no plain file" in named[0] or not name.startswith("device")
    assert "3.850" in out
    assert f"2 of {len(BAD) + 5}" in Page(tmp_path / "report.html").text
    assert err == ""


def test_a_config_that_was_cut_short_stops_no_report(tmp_path):
    for lines in (1, 3, 5, 20):
        run = make_run(tmp_path / f"run-{lines}")
        config = (run / "config.yaml").read_text().splitlines(keepends=True)
        (run / "config.yaml").write_text("".join(config[:lines]))
        with (run / "metrics.csv").open("a") as file:
            file.write("4,tokenizer,train,mlm,1\n")
    report = write_sweep_report([tmp_path], tmp_path / "out", name="x")
    (told,) = [line for line in report.markdown.splitlines() if line.startswith("- Training: ")]
    assert set(told.removeprefix("- Training: ").split("; ")) == {
        "8 steps of the encoder",
        "8 steps of the encoder, of 2 rows of 1,024 codons",
        "5 steps of the tokenizer, 8 steps of the encoder, of 2 rows of 1,024 codons",
    }


def test_models_of_a_decoder_alone_are_not_compared_in_size(tmp_path):
    for seed in (0, 1):
        metrics = make_run(tmp_path / f"run-{seed}", seed=seed) / "metrics.json"
        parts = {"protein decoder": 5} if seed else {"encoder layers": 1000}
        content = json.loads(metrics.read_text())
        metrics.write_text(json.dumps({**content, "model": {"parts": parts, "encoder_steps": 8}}))
    report = write_sweep_report([tmp_path], tmp_path / "out", name="x")
    assert not any("parameters" in sentence for sentence in report.caveats)


def test_a_sweep_that_names_a_billion_groups(tmp_path):
    sweep = {f"model.k{i}": [str(n) for n in range(10)] for i in range(9)}
    varied = dict.fromkeys(sweep, "0")
    make_run(tmp_path / "run", provenance={**started("12:0", 0), "sweep": sweep, "varied": varied})
    report = write_sweep_report([tmp_path], tmp_path / "out", name="x")
    assert len(report.grouping.groups) == 1


def test_steps_beyond_all_numbers_are_no_rows(tmp_path):
    run = make_run(tmp_path / "run")
    with (run / "metrics.csv").open("a") as file:
        file.write(f"{10**30},encoder,validation,masked_codon_cross_entropy,1\n-1,encoder,train,mlm,1\n")
    (found,) = find_runs([tmp_path])
    assert found.status == "finished"
    assert max(row.step for row in found.rows) == 7


def test_names_of_a_sweep_are_data(tmp_path, capsys):
    nasty = "=cmd|x$\\frac{[/b]\x1b[31m\u202e<script>" + "n" * 100_000
    for seed, ratio in enumerate((nasty, f"_{nasty}")):
        provenance = {**started(ratio, 0), "command": f"x` | y {nasty}", "sweep": {}}
        make_run(tmp_path / f"{seed}\x1b[31m", hybrid_ratio=ratio, provenance=provenance)
    make_run(tmp_path / "unfinished\x1b[2J", finished=False)
    assert main(["report", f"input={tmp_path}"]) == 0
    out, _ = capsys.readouterr()
    written = [out, *((tmp_path / name).read_text() for name in ("report.html", "results.md", "results.csv"))]
    for text in written:
        assert not {"\x1b", "\u202e"} & set(text)
        assert len(text) < 3_000_000
    assert "<script>" not in written[1]
    rows = list(csv.reader((tmp_path / "results.csv").read_text().splitlines()))
    assert {row[0][:5] for row in rows[1:]} <= {"'=cmd", "_=cmd", "12:0"}
    assert "\\|x" in (tmp_path / "results.md").read_text()
