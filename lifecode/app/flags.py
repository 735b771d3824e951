"""The flags and overrides behind `lifecode VERB`: Hydra's, each of which works or says what to do instead."""

import argparse
import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from io import StringIO
from typing import NoReturn

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException

from lifecode.errors import UserError

INFO = ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath")
_PLAIN_TEXT = re.compile(r"""[^][{}()'",$\\]+""")  # without what means something in Hydra's grammar
_TEXTS = ("name", "run_dir", "output", "input", "checkpoint", "corpus", "root", "protein", "host")
_TEXTS += ("init_from", "sequence", "id", "first", "second")
_TEXTS += tuple(f"task.{column}" for column in ("sequence", "label", "id", "first", "second"))
"""Keys whose values are names of runs, files or columns, be they numbers too."""
_NO_TEXT = re.compile(r"[+-]?[\d_.]+(e[+-]?\d+)?|true|false|nan|inf", re.IGNORECASE)
"""What Hydra's grammar takes for a number or a truth."""
_OF_A_GROUP = re.compile(r"\+{0,2}hydra\.(launcher|sweeper|job_logging|hydra_logging|output)=(\w+)")
_OF_A_SWEEP = re.compile(r"\+{0,2}hydra\.sweeper\.params\.([^=]+)=(.*)", re.S)
_INSTEAD = {
    "config_name": "a verb has one config, conf/{verb}.yaml. Make yours an experiment: "
    "experiment/NAME.yaml in a folder, then lifecode {verb} --config-dir FOLDER experiment=NAME",
    "config_path": "the verb's own configs stay. Yours come beside them: lifecode {verb} --config-dir FOLDER",
    "experimental_rerun": "there are no config pickles. The same command goes on from the last checkpoint",
}
"""Flags of Hydra's that mean nothing here, with what to do."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise UserError(message, remedy=f"See {self.prog} --help")


def parse_flags(verb: str, arguments: Sequence[str]) -> argparse.Namespace:
    """The flags of a command line, and its overrides as Hydra's grammar reads them.

    Raises:
        UserError: there is no such flag, or two exclude each other.
    """
    parser = _Parser(prog=f"lifecode {verb}", add_help=False, allow_abbrev=False)
    parser.add_argument("overrides", nargs="*")
    for word, letter in (("help", "h"), ("run", "r"), ("multirun", "m"), ("shell-completion", "sc")):
        parser.add_argument(f"--{word}", f"-{letter}", action="store_true")
    parser.add_argument("--hydra-help", action="store_true")
    parser.add_argument("--cfg", "-c", choices=["job", "hydra", "all"])
    parser.add_argument("--info", "-i", nargs="?", const="all", choices=INFO)
    parser.add_argument("--resolve", action="store_true")
    parser.add_argument("--package", "-p")
    parser.add_argument("--config-dir", "-cd")
    parser.add_argument("--config-name", "-cn")
    parser.add_argument("--config-path", "-cp")
    parser.add_argument("--experimental-rerun")
    flags = parser.parse_intermixed_args(arguments)
    flags.overrides = [_quoted(override) for override in flags.overrides]
    for override in flags.overrides:
        _require_option_by_slash(verb, override)
    for name, instead in _INSTEAD.items():
        if getattr(flags, name) is not None and (name, flags.config_name) != ("config_name", verb):
            raise UserError(f"--{name.replace('_', '-')}: {instead.format(verb=verb)}")
    if sum(map(bool, (flags.run, flags.multirun, flags.cfg, flags.info))) > 1:
        parser.error("--run, --multirun, --cfg and --info exclude each other: give one of them")
    for name in ("resolve", "package"):
        if getattr(flags, name) and not flags.cfg:
            parser.error(f"--{name} goes with --cfg")
    return flags


def hydra_flags(flags: argparse.Namespace) -> list[str]:
    """The flags that Hydra shall have, as it reads them."""
    line = [f"--{name}" for name in ("multirun", "resolve") if getattr(flags, name)]
    for name in ("cfg", "info", "package", "config_dir"):
        if value := getattr(flags, name):
            line.append(f"--{name.replace('_', '-')}={value}")
    return line


def _require_option_by_slash(verb: str, override: str) -> None:
    """Refuses what Hydra would take, and then stop at with a traceback or leave without effect."""
    if (found := _OF_A_GROUP.fullmatch(override)) and found[2] != "null":
        group, option = found.groups()
        raise UserError(
            f"{override}: hydra.{group} holds keys of its own",
            remedy=f"An option is chosen with a slash: hydra/{group}={option}",
        )
    if found := _OF_A_SWEEP.fullmatch(override):
        key, values = found.groups()
        raise UserError(
            f"{override}: a command line names the values of a sweep by their key",
            remedy=f"Give lifecode {verb} -m {key}={values}",
        )


@contextmanager
def shown(flags: argparse.Namespace) -> Iterator[None]:
    """What Hydra shows of a config is plain output: it logs --info, and exits at a wrong --package.

    What a command leaves that this process has run before is set aside: Hydra's logger at INFO, which would
    leave most of --info out, and a handler on stderr.
    """
    if not flags.info and not flags.package:
        yield
        return
    root, hydra = logging.getLogger(), logging.getLogger("hydra")
    handlers, levels = root.handlers[:], (root.level, hydra.level)
    root.handlers = []
    hydra.setLevel(logging.NOTSET)
    try:
        with redirect_stdout(StringIO()) as shown, redirect_stderr(StringIO()):
            yield
    except SystemExit as end:
        remedy = "--cfg job shows all of it"
        raise UserError(f"the config has no {flags.package!r}", source="--package", remedy=remedy) from end
    finally:
        root.handlers = handlers
        root.setLevel(levels[0])
        hydra.setLevel(levels[1])
    print(shown.getvalue(), end="")


def _quoted(override: str) -> str:
    """Take `input=~/genome.fa`, which Hydra's grammar refuses, and `name=2024_01` as the texts they are."""
    key, sign, value = override.partition("=")
    if key in _TEXTS and _NO_TEXT.fullmatch(value):
        return f"{key}='{value}'"
    if sign and _PLAIN_TEXT.fullmatch(value):
        try:
            OverridesParser.create().parse_override(override)
        except HydraException:
            return f"{key}='{value}'"
    return override
