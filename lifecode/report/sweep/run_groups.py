"""Runs that differ in their seed alone are one group; what else differs between runs names the groups."""

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from lifecode.models.layers.mixers import parsed_ratio
from lifecode.names import display_name
from lifecode.report.sweep.runs import Run
from lifecode.training.run.run_folder import IDENTITY

_NOT_COMPARED = ("seed", "plugins", "teacher.cache", "teacher.verify_cache", "tokenizer_checkpoint")
"""Parts of a run's identity that do not make another group of it: the seed, and where files lie."""


_LONGEST_LABEL = 200
_MOST_GROUPS = 10_000
"""Of a sweep that names more, those that were not begun are not listed."""


class Group(NamedTuple):
    """Runs of one kind.

    Attributes:
        label: the values that tell it from the other groups.
        runs: finished or not.
        missing: seeds that the sweep has and no folder holds.
    """

    label: str
    runs: tuple[Run, ...]
    missing: tuple[str, ...] = ()

    @property
    def finished(self) -> list[Run]:
        """The runs that were evaluated."""
        return [run for run in self.runs if run.status == "finished"]


class Grouping(NamedTuple):
    """All groups in the order of the sweep.

    Attributes:
        heading: what the labels are values of.
        keys: config keys that differ between the runs, beside the seed.
        groups: at least one.
    """

    heading: str
    keys: tuple[str, ...]
    groups: tuple[Group, ...]


def grouped(runs: Sequence[Run]) -> Grouping:
    """Groups runs by the config keys that differ between them; those without a config are left out.

    A sweep that says what it varies names the groups in its own words and order, so that a config group such
    as `ablation=linear` is one word and not the ten keys behind it.
    """
    readable = [run for run in runs if run.config]
    keys = _differing_keys(readable)
    by_values: dict[str, list[Run]] = {}
    for run in readable:
        by_values.setdefault(repr([run.config.get(key) for key in keys]), []).append(run)
    members = list(by_values.values())
    named = _named_by_sweep(members)
    names, order = named or ([{key: own[0].config.get(key) for key in keys} for own in members], {})
    orders = {key: {value: place for place, value in enumerate(values)} for key, values in order.items()}
    ranked = sorted(zip(names, members, strict=True), key=lambda pair: _rank(pair[0], orders))
    groups = [
        Group(_label(name), tuple(sorted(own, key=lambda run: str(run.seed))), _missing(own, order))
        for name, own in ranked
    ]
    groups += [Group(_label(name), (), seeds) for name, seeds in _not_begun(names, order)]
    heading = ", ".join(key.rsplit(".", 1)[-1].replace("_", " ") for key in names[0]) if names else ""
    return Grouping(display_name(heading or "run", _LONGEST_LABEL), keys, tuple(groups))


def _differing_keys(runs: Sequence[Run]) -> tuple[str, ...]:
    keys = dict.fromkeys(key for run in runs for key in run.config)
    varied = {key for run in runs for key in run.provenance.get("varied") or {}} - {"name", "run_dir"}
    compared = [
        key
        for key in keys
        if (key.split(".", 1)[0] in (*IDENTITY, "heldout") or key in varied)
        and not any(key == other or key.startswith(f"{other}.") for other in _NOT_COMPARED)
    ]
    return tuple(key for key in compared if len({repr(run.config.get(key)) for run in runs}) > 1)


def _named_by_sweep(
    members: Sequence[Sequence[Run]],
) -> tuple[list[dict[str, str]], dict[str, list[str]]] | None:
    """What the sweep calls each group, and all values by key; None where that does not tell groups apart."""
    names: list[dict[str, str]] = []
    order: dict[str, list[str]] = {}
    for own in members:
        said = [dict(run.provenance.get("varied") or {}) for run in own]
        for one in said:
            for key in ("seed", "name", "run_dir"):
                one.pop(key, None)
        if not said[0] or any(one != said[0] for one in said):
            return None
        names.append(said[0])
        for run in own:
            for key, values in (run.provenance.get("sweep") or {}).items():
                longer, shorter = sorted((order.get(key, []), values), key=len, reverse=True)
                order[key] = [*longer, *(value for value in shorter if value not in longer)]
    distinct = {tuple(name.items()) for name in names}
    same_keys = {tuple(name) for name in names}
    return (names, order) if len(distinct) == len(names) and len(same_keys) == 1 else None


def _missing(own: Sequence[Run], order: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    return tuple(seed for seed in order.get("seed", ()) if seed not in {str(run.seed) for run in own})


def _not_begun(
    names: Sequence[Mapping[str, Any]], order: Mapping[str, Sequence[str]]
) -> list[tuple[dict[str, str], tuple[str, ...]]]:
    """Groups of the sweep of which there is no folder yet, with their seeds."""
    if not order or not names:
        return []
    keys = list(names[0])
    if math.prod(len(order.get(key, [])) for key in keys) > _MOST_GROUPS:
        return []
    wanted = itertools.product(*(order.get(key, []) for key in keys))
    present = {tuple(name[key] for key in keys) for name in names}
    seeds = tuple(order.get("seed", ("",)))
    return [(dict(zip(keys, values, strict=True)), seeds) for values in wanted if values not in present]


def _label(name: Mapping[str, Any]) -> str:
    if len(name) < 2:
        return display_name(next(iter(name.values()), "all"), _LONGEST_LABEL)
    words = ", ".join(f"{key.rsplit('.', 1)[-1]} {value}" for key, value in name.items())
    return display_name(words, _LONGEST_LABEL)


def _rank(name: Mapping[str, Any], orders: Mapping[str, Mapping[str, int]]) -> list[tuple[int, float, str]]:
    return [_value_rank(value, orders.get(key, {})) for key, value in name.items()]


def _value_rank(value: Any, order: Mapping[str, int]) -> tuple[int, float, str]:
    """By the order of the sweep; ratios by falling share of Gated DeltaNet layers, numbers, then words."""
    text = str(value)
    if text in order:
        return 0, order[text], text
    if numbers := parsed_ratio(text):
        return 1, -numbers[0] / sum(numbers), text
    try:
        return 1, float(text), text
    except ValueError:
        return 2, 0.0, text
