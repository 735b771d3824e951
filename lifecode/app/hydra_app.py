"""One verb as a Hydra app: flags, sweeps, and exit codes instead of tracebacks.

Hydra composes `conf/VERB.yaml` with the overrides and calls the verb's `run(config)`. Everything a user can
get wrong comes back as one line and exit code 2 (see `explain`); anything else is a fault of the program and
keeps its traceback. With HYDRA_FULL_ERROR=1 the user's errors keep theirs too.
"""

import argparse
import os
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import hydra
from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from lifecode.app.configs.comma_lists import lists_quoted
from lifecode.app.configs.config_dir import configs_checked
from lifecode.app.configs.locate_config import config_folder
from lifecode.app.configs.plugins import asked_for, within_reach
from lifecode.app.configs.renamed import announced, in_names, todays_overrides
from lifecode.app.configs.required_values import require_values
from lifecode.app.explain import explain
from lifecode.app.flags import hydra_flags, parse_flags, shown
from lifecode.app.job_place import give_own_place, job_name, leave_multirun
from lifecode.app.other_processes import OtherProcesses
from lifecode.app.provenance import (
    Start,
    command_line,
    handed_down,
    jobs_at_a_time,
    own_values,
    split_overrides,
    started_as,
    swept_values,
)
from lifecode.app.verb_help import config_name, require_options, verb_help
from lifecode.errors import AlreadyReported, Interrupted, UserError
from lifecode.host.safe_path import safe_children
from lifecode.host.standard_streams import hush_closed_stdout
from lifecode.host.stop_signals import ends_in_order
from lifecode.names import visible

_DONE, _USER_ERROR, INTERRUPTED, CLOSED_PIPE = 0, 2, 130, 141
_FULL_ERROR, _OURS = "HYDRA_FULL_ERROR", "LIFECODE_HYDRA_FULL_ERROR"
"""Hydra's setting, and the one that tells processes started from here that this program has set it."""
TRACEBACKS = os.environ.get(_FULL_ERROR) == "1" and _OURS not in os.environ  # as the user set it


def run_verb(verb: str, module: str, arguments: Sequence[str]) -> int:
    """Run `module.run(config)` under the overrides in `arguments` and return the exit code."""
    try:
        _require_current_folder()
        flags = parse_flags(verb, arguments)
        if flags.help:
            print(verb_help(verb, config_folder(), flags.overrides))
            code = _DONE
        elif flags.hydra_help:
            code = _hydra_help(verb)
        elif flags.shell_completion:
            raise UserError(
                "--shell-completion is one for all verbs",
                remedy='In ~/.bashrc: eval "$(lifecode --shell-completion install=bash)"',
            )
        else:
            for line in announced(verb, flags.overrides):
                _report(verb, line)
            flags.overrides = todays_overrides(verb, flags.overrides)
            require_options(verb, config_folder(), flags.overrides)
            if not flags.multirun:
                flags.overrides = lists_quoted(verb, flags.overrides)
            with safe_children(), ends_in_order():
                code = _compose_and_run(verb, module, flags, command_line(verb, arguments))
        sys.stdout.flush()
        return code
    except KeyboardInterrupt as error:
        _report(verb, str(error) or "interrupted; the same command starts it again")
        return INTERRUPTED
    except BrokenPipeError:
        if not hush_closed_stdout():
            raise
        return CLOSED_PIPE
    except Exception as error:
        line = explain(error, verb)
        if line is None or TRACEBACKS:
            raise
        _report(verb, line)
        return _USER_ERROR


def _compose_and_run(verb: str, module: str, flags: argparse.Namespace, command: str) -> int:
    """Let Hydra compose the config, or every config of a sweep, and run the verb on each."""
    with _sweep_folder(flags) as folder:
        overrides = _sweep_dir(folder, flags)
        checked = configs_checked(
            flags.config_dir, own_folder=config_folder(), config_name=config_name(verb), overrides=overrides
        )
        with checked, _hydra_command_line([*hydra_flags(flags), *overrides]), shown(flags):
            others, codes = OtherProcesses(folder), [_DONE]
            try:
                task = _task(verb, module, flags.overrides, command, others, codes)
                with others.signals_passed_on():
                    _hydra(verb)(task)()
            except Exception:
                if not others.stop_requested:
                    raise
            finally:
                leave_multirun(folder)
                for failure in others.failures():
                    _report(verb, failure)
                    codes.append(_USER_ERROR)
            if others.stop_requested:
                raise Interrupted("stopped; the same command goes on with the runs that are not finished")
    return max(codes)


def _hydra(verb: str) -> Callable[[Callable[[DictConfig], None]], Callable[[], None]]:
    return hydra.main(version_base="1.3", config_path=str(config_folder()), config_name=config_name(verb))


def _hydra_help(verb: str) -> int:
    """Prints what Hydra says of its own flags and settings."""
    with _hydra_command_line(["--hydra-help"]):
        try:
            _hydra(verb)(lambda config: None)()
        except SystemExit as end:
            return int(end.code or _DONE)
    return _DONE


def _task(
    verb: str,
    module: str,
    overrides: Sequence[str],
    command: str,
    others: OtherProcesses,
    codes: list[int],
) -> Callable[[DictConfig], None]:
    """The function Hydra calls once a job. A user error in one job of a sweep lets the others run."""
    plugins = asked_for(overrides)

    def task(config: DictConfig) -> None:
        start = _start(overrides, command)
        if others.here():
            if others.stop_requested:
                return
            others.begin_job()
        place = None
        try:
            _require_multirun(verb, start)
            place = give_own_place(config, start, HydraConfig.get())
            require_values(config, verb)
            with started_as(start), within_reach(config, plugins):
                import_module(module).run(config)
        except KeyboardInterrupt:
            if not others.here():
                raise
            others.request_stop()
        except BrokenPipeError:
            if not hush_closed_stdout():
                raise
            sys.exit(CLOSED_PIPE)  # not an Exception, which Hydra would print
        except AlreadyReported as error:
            told = f"a run ended with exit code {error.code}; its log says why"
            if others.here():
                others.fail(HydraConfig.get().job.num, f"{job_name(start)}: {told}")
            elif others.elsewhere():
                raise UserError(told) from error
            elif error.code != _USER_ERROR:
                raise
            else:
                codes.append(_USER_ERROR)
        except Exception as error:
            line = explain(error, verb)
            if line is None or TRACEBACKS:
                if others.here():
                    traceback.print_exc()  # which the error leaves behind when it travels
                raise
            if others.here():
                others.fail(HydraConfig.get().job.num, f"{job_name(start)}: {line}")
            elif others.elsewhere():  # on another machine: Hydra brings the error back
                raise
            else:
                _report(verb, line)
                codes.append(_USER_ERROR)
        finally:
            leave_multirun(others.folder, place)

    return task


def _start(overrides: Sequence[str], command: str) -> Start:
    """What this job is among those of its sweep, as far as Hydra's settings tell."""
    settings = HydraConfig.get()
    if settings.mode != RunMode.MULTIRUN:
        return handed_down() or Start(command, overrides=split_overrides(overrides)[1])
    sweep = swept_values(overrides, settings.sweeper.get("params") or {})
    own = list(settings.overrides.task)  # as the sweeper gave them; no folder adds to them (config_dir)
    varied = {in_names(key): value for key, value in own_values(own, list(sweep)).items()}
    sweep = {in_names(key): values for key, values in sweep.items()}
    return Start(command, varied, sweep, jobs_at_a_time(settings.launcher, sweep), own)


def _require_multirun(verb: str, start: Start) -> None:
    """A config that names the values of a sweep is meant for one."""
    settings = HydraConfig.get()
    params = settings.sweeper.get("params") or {}
    if settings.mode != RunMode.MULTIRUN and params and handed_down() is None:
        raise UserError(
            f"the config runs over values of {' and '.join(params)}",
            remedy=f"Add -m: {start.command.replace(f'lifecode {verb}', f'lifecode {verb} -m', 1)} "
            f"({next(iter(params))}=VALUE beside it chooses a part of them)",
        )


def _require_current_folder() -> None:
    try:
        Path.cwd()
    except FileNotFoundError as error:
        raise UserError("the current folder no longer exists", remedy="Change to another one") from error


@contextmanager
def _sweep_folder(flags: argparse.Namespace) -> Iterator[Path | None]:
    """A passing place for what the processes of a sweep tell each other."""
    if not flags.multirun:
        yield None
        return
    folder = tempfile.mkdtemp(prefix="lifecode-sweep-")
    try:
        yield Path(folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _sweep_dir(folder: Path | None, flags: argparse.Namespace) -> list[str]:
    """The overrides, and a place for the multirun.yaml that Hydra's sweeper insists on if they name none."""
    if folder is None or any(line.startswith("hydra.sweep.dir=") for line in flags.overrides):
        return flags.overrides
    quoted = str(folder).replace("'", r"\'")
    return [f"hydra.sweep.dir='{quoted}'", *flags.overrides]


@contextmanager
def _hydra_command_line(arguments: list[str]) -> Iterator[None]:
    """Hydra reads sys.argv, and raises its errors instead of printing them under HYDRA_FULL_ERROR."""
    command, before = sys.argv, {name: os.environ.get(name) for name in (_FULL_ERROR, _OURS)}
    sys.argv, os.environ[_FULL_ERROR] = [command[0], *arguments], "1"
    if not TRACEBACKS:
        os.environ[_OURS] = "1"
    try:
        yield
    finally:
        sys.argv = command
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


def _report(verb: str, line: str) -> None:
    print(f"lifecode {verb}: {visible(line)}", file=sys.stderr)
