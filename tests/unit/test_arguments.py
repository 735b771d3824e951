"""Public functions hold what they are called with against their annotations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np
import pandas as pd
import pytest

import lifecode
from lifecode.arguments import arguments_checked, fields_checked
from lifecode.errors import UserError

if TYPE_CHECKING:
    from pandas import Series


class Speaker(Protocol):
    def speak(self) -> str: ...


class Dog:
    def speak(self) -> str:
        return "wau"


@arguments_checked
def called(
    path: str | Path | None = None,
    rows: Sequence[str | Path] = (),
    number: int = 0,
    share: float = 0.0,
    yes: bool = True,
    how: Literal["fast", "slow"] | None = "fast",
    table: "Series | None" = None,
    codes: Mapping[str, int] | None = None,
    speaker: Speaker | None = None,
    anything: Any = None,
    *more: int,
    **settings: str,
) -> Any:
    return rows


@pytest.mark.parametrize(
    "given",
    [
        {"path": "x"},
        {"path": Path("x")},
        {"rows": ["a", Path("b")]},
        {"rows": np.array(["a", "b"])},
        {"rows": pd.Series(["a"])},
        {"number": np.int64(3), "share": 1},
        {"share": np.float32(0.5), "yes": np.True_},
        {"how": None},
        {"table": pd.Series([1])},
        {"codes": {"a": 1}},
        {"speaker": Dog(), "anything": object()},
        {"another": 3},  # of **settings: the function says what it knows
    ],
)
def test_what_fits_is_taken(given):
    called(**given)


def test_a_seed_is_not_negative():
    @arguments_checked
    def draw(seed: int = 0) -> int:
        return seed

    assert draw(3) == 3
    with pytest.raises(UserError, match="seed: is -1, expected 0 or more"):
        draw(-1)


def test_an_iterator_for_a_sequence_becomes_a_list():
    assert called(rows=(word for word in "ab")) == ["a", "b"]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"path": 3}, r"path: is 3, expected str \| Path \| None\. See help\(called\)"),
        ({"path": pd.DataFrame()}, r"path: is a DataFrame, expected str \| Path \| None"),
        ({"path": b"x"}, "path: is b'x', expected"),
        ({"rows": "ab"}, r"rows: is 'ab', expected Sequence\[str \| Path\]"),
        ({"rows": [None]}, r"rows: is \[None\], expected"),
        ({"rows": pd.DataFrame({"a": ["b"]})}, "rows: is a DataFrame, expected"),
        ({"rows": {"a": "b"}}, "rows: is {'a': 'b'}, expected"),
        ({"number": True}, "number: is True, expected int"),
        ({"number": 1.5}, "number: is 1.5, expected int"),
        ({"share": "1"}, "share: is '1', expected float"),
        ({"yes": "no"}, "yes: is 'no', expected bool"),
        ({"how": "middling"}, "how: 'middling' is unknown. Choose fast, slow, None"),
        ({"how": 3}, r"how: is 3, expected 'fast' \| 'slow' \| None"),
        ({"table": [1]}, r"table: is \[1\], expected Series \| None"),
        ({"codes": [1]}, r"codes: is \[1\], expected Mapping\[str, int\] \| None"),
        ({"speaker": "wau"}, r"speaker: is 'wau', expected Speaker \| None"),
    ],
)
def test_what_does_not_fit_is_one_line(given, said):
    with pytest.raises(UserError, match=said):
        called(**given)


def test_further_values_are_looked_at_one_by_one():
    called(None, (), 0, 0.0, True, None, None, None, None, None, 1, 2)
    with pytest.raises(UserError, match="more: is '2', expected int"):
        called(None, (), 0, 0.0, True, None, None, None, None, None, 1, "2")


def test_an_argument_that_is_not_there_is_a_type_error_of_the_function():
    @arguments_checked
    def narrow(path: str) -> None: ...

    with pytest.raises(TypeError, match=r"narrow\(\) got an unexpected keyword argument 'paht'"):
        narrow(paht="x")


def test_the_fields_of_settings_are_looked_at():
    @fields_checked
    @dataclass(frozen=True)
    class Settings:
        size: int = 1

    assert Settings(size=2).size == 2
    with pytest.raises(UserError, match=r"size: is '2', expected int\. See help\(.*Settings\)"):
        Settings(size="2")


WRONG = {
    "analyse": ("synonymous", "genes.fasta"),
    "check": (3,),
    "compare_runs": (None,),
    "compose": (["train"],),
    "embed": (3, "genes.fasta"),
    "evaluate": ("gue", "GUE"),
    "finetune": (pd.DataFrame({"sequence": ["ATG"]}),),
    "info": (None,),
    "load": (3,),
    "make_dataset": ("ecoli", "folder", "pairs"),
    "make_rows": (3, "folder"),
    "optimize": (3, "MKR"),
    "predict": (3, "genes.fasta"),
    "prepare": (pd.DataFrame({"genome.gbk": [1]}),),
    "read_records": (None,),
    "run": (["train"],),
    "score": (3, "a.vcf", "ecoli"),
    "score_scan": (3, ["A1C"]),
    "track": (None, "ecoli"),
}
OF_ANY_TEXT = {"translate", "reverse_translate"}
"""Say themselves what is no sequence; tests/unit/test_genetic_code.py has their other arguments."""


def test_every_public_function_looks_at_its_arguments():
    functions = {name for name in lifecode.__all__ if name.islower() and not name.startswith("_")}
    assert functions == WRONG.keys() | OF_ANY_TEXT


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_argument_of_a_public_function_is_one_line(name):
    named = {"run_dir": "runs/x"} if name == "evaluate" else {}
    with pytest.raises(UserError, match=rf"^\w+: is .*, expected .*\. See help\({name}\)$"):
        getattr(lifecode, name)(*WRONG[name], **named)


@pytest.mark.parametrize(
    "make", [lifecode.TrainingRun, lifecode.Corpus.open, lifecode.LifeCode.from_pretrained]
)
def test_so_do_the_classes(make):
    with pytest.raises(UserError, match="is 3, expected str"):
        make(3)
