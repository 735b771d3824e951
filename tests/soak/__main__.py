"""`make soak`: every fault on a tiny model, a table of what happened, and the figures as JSON.

python -m tests.soak [--folder runs/soak] [--steps 20] [--saves 50] [only the named parts]
"""

import argparse
import json
import platform
import random
import shutil
import signal
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from lifecode.host.machine import processor
from tests.soak import damage, disk, hostile, kills
from tests.soak.sitting import Run, Server
from tests.support.repository import ROOT
from tests.support.small_genome import write_small_genome

Row = tuple[str, int, int, str]
"""What was done, how often, how often it was survived, and what else there is to say."""


class Soak:
    """All parts, on one genome and beside one run that nothing happened to."""

    def __init__(self, server: Server, folder: Path, steps: int, saves: int) -> None:
        self.server, self.folder, self.steps, self.saves = server, folder, steps, saves
        self.genome = write_small_genome(folder / "small.gbk")
        self.whole = self.run("whole")
        self.whole.finish()

    def run(self, name: str, *settings: str, folder: Path | None = None) -> Run:
        """A run that has not begun."""
        return Run(self.server, (folder or self.folder) / name, self.genome, settings)

    def kills(self) -> list[Row]:
        """SIGKILL at random steps."""
        rows = []
        for workers in (0, 2):
            run = self.run(f"killed-{workers}")
            kills.kill_at_steps(run, self.steps, workers)
            crossed = kills.row_groups_read(run, "encoder")
            same = self.steps if run.result() == self.whole.result() and crossed >= 2 else 0
            rows.append(
                (f"SIGKILL at a random step, {workers} workers", self.steps, same, f"{crossed} epochs")
            )
        return rows

    def saving(self) -> list[Row]:
        """SIGKILL while a checkpoint is written."""
        settings = (
            "stage=tokenizer",
            f"optim.tokenizer.total_steps={3 * self.saves}",
            "trainer.checkpoint_every_steps=1",
            "trainer.validate_every_steps=1000",
            "model.codec.nucleotide_dim=192",
        )
        run = self.run("saves", *settings)
        found = kills.kill_in_saves(run, self.saves)
        remark = f"{found['half_written']} left a half-written file"
        return [("SIGKILL while a checkpoint is written", self.saves, found["loadable"], remark)]

    def signals(self) -> list[Row]:
        """SIGTERM in training and, by chance, in validation."""
        good, moments = 0, (("tokenizer", 4), ("encoder", 5), ("encoder", 16), ("encoder", 29))
        run = self.run("terminated")
        for stage, step in moments:
            sitting, done, saved = kills.terminate(run, stage, step)
            good += sitting.code == 130 and 0 <= saved - done <= 1
        run.finish()
        same = "losses and weights as without" if run.result() == self.whole.result() else "ANOTHER RESULT"
        return [("SIGTERM: saved within one step, exit code 130", len(moments), good, same)]

    def non_finite(self) -> list[Row]:
        """Losses that are infinite or NaN."""
        faults = {"encoder": [5, 6, 20]}
        whole, cut = self.run("skipped"), self.run("skipped-and-cut")
        whole.finish(faults=faults)
        kills.kill_at(cut, "encoder", 6, faults)
        cut.finish(faults=faults)
        counted = [float(row[4]) for row in whole.rows() if row[3] == "skipped_steps"] == [1, 2, 3]
        stopped = self.run("stopped")
        sitting = stopped.start(faults={"encoder": [20, 21, 22]}).wait()
        ended = sitting.code == 2 and kills.is_finite(stopped, "encoder")
        return [
            ("NaN, infinite loss: step skipped and counted", 3, 3 * counted, ""),
            ("the same, killed between two of them", 1, int(whole.result() == cut.result()), ""),
            ("three in a row: exit code 2, weights finite", 1, int(ended), ""),
        ]

    def identity(self) -> list[Row]:
        """The same folder asked for another run."""
        before, refused = self.whole.result(), 0
        asked = {"seed": "5", "optim.encoder.lr": "0.5", "model.depth": "4"}
        for key, value in asked.items():
            sitting = self.whole.start(f"{key}={value}").wait()
            refused += sitting.code == 2 and key in sitting.errors()[-1]
        same = "files as before" if self.whole.result() == before else "FILES CHANGED"
        return [("another identity: refused, the key named", len(asked), refused, same)]

    def damage(self) -> list[Row]:
        """Files that changed behind the run's back."""
        rows = []
        for number, each in enumerate(damage.DAMAGES):
            wrong = damage.survives(self.whole, each, self.folder / f"damaged-{number}")
            after = "goes on" if each.goes_on else "named, exit code 2"
            rows.append((each.name, 1, int(not wrong), "; ".join(wrong) or after))
        return rows

    def disk(self) -> list[Row]:
        """A disk that is full."""
        rows = []
        for number, filling in enumerate(disk.FILLINGS):
            try:
                with disk.small_disk(self.folder / f"disk-{number}") as place:
                    run = self.run("full", folder=place)
                    wrong = disk.fills_up(run, filling)
                    same = run.result() == self.whole.result()
                    remark = "; ".join(wrong) or ("goes on" if same else "ANOTHER RESULT")
                    rows.append((f"disk full: {filling.name}", 1, int(not wrong and same), remark))
            except PermissionError:
                rows.append((f"disk full: {filling.name}", 0, 0, "no tmpfs may be mounted here"))
        return rows

    def hostile(self) -> list[Row]:
        """Run folders from strangers beside a good one."""
        rows = []
        for number, (name, harm) in enumerate(hostile.FOLDERS.items()):
            wrong = hostile.report_goes_on(harm, self.folder / f"stranger-{number}", self.whole.folder)
            rows.append((f"report beside {name}", 1, int(not wrong), "; ".join(wrong) or "goes on"))
        return rows

    def forks(self) -> list[Row]:
        """Forked workers that embed long sequences at once."""
        wrong = hostile.forks_agree(self.folder / "forks")
        return [("two forked workers embed 150 kb sequences", 1, int(not wrong), "; ".join(wrong))]

    def verbs(self) -> list[Row]:
        """A signal at a random moment of every verb but train, which has its own parts."""
        whole = self.folder / "verbs-whole"
        hostile.place(whole)
        shutil.copytree(self.whole.path, whole / "run")
        shutil.copytree(self.whole.path / "corpus", whole / "corpus")
        rows, chance = [], random.Random()
        for verb in hostile.VERBS:
            wrong = []
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                place = self.folder / f"{verb}-{number.name}"
                found = hostile.verb_ends_cleanly(verb, number, place, chance, whole)
                wrong += [f"{number.name}: {each}" for each in found]
            good = 3 - len({each.partition(":")[0] for each in wrong})
            rows.append((f"SIGINT, SIGTERM, SIGHUP in {verb}", 3, good, "; ".join(wrong)))
        return rows

    def search(self) -> list[Row]:
        """The property tests, at random."""
        rows = []
        for path in sorted((ROOT / "tests/property").glob("test_*.py")):
            wrong = hostile.random_search(path.name)
            rows.append((f"at random: {path.stem}", 1, int(not wrong), " ".join(wrong)))
        return rows


PARTS: dict[str, Callable[[Soak], list[Row]]] = {
    name: getattr(Soak, name)
    for name in (
        *("kills", "saving", "signals", "non_finite", "identity", "damage", "disk"),
        *("hostile", "forks", "verbs", "search"),
    )
}


def main() -> int:
    """Runs the parts; 1 if anything was not survived."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []])
    parser.add_argument("--folder", type=Path, default=Path("runs/soak"))
    parser.add_argument("--steps", type=int, default=20, help="kills at random steps")
    parser.add_argument("--saves", type=int, default=50, help="kills while a checkpoint is written")
    asked = parser.parse_args()
    folder = asked.folder.resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    table: list[Row] = []
    seconds: dict[str, float] = {}
    with Server() as server:
        soak = Soak(server, folder, asked.steps, asked.saves)
        for name in asked.parts or PARTS:
            start = time.perf_counter()
            for row in PARTS[name](soak):
                table.append(row)
                print(f"{row[0]:<48} {row[2]:>3} of {row[1]:<3} {row[3]}", flush=True)
            seconds[name] = round(time.perf_counter() - start, 1)
            figures = {
                "date": date.today().isoformat(),
                "cpu": processor()["name"],
                "python": platform.python_version(),
                "seconds": seconds,
                "rows": [
                    dict(zip(("what", "times", "survived", "remark"), row, strict=True)) for row in table
                ],
            }
            (folder / "figures.json").write_text(json.dumps(figures, indent=2) + "\n")
    return int(any(row[2] < row[1] or not row[1] for row in table))


if __name__ == "__main__":
    raise SystemExit(main())
