"""Completion of `lifecode VERB group=option key=value` in a shell, by what Hydra knows of the configs."""

import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stderr, suppress
from io import StringIO

from hydra._internal.core_plugins.bash_completion import BashCompletion
from hydra._internal.utils import create_config_search_path
from hydra.version import setbase

from lifecode.app.configs.config_loader import ConfigLoader
from lifecode.app.configs.locate_config import config_folder
from lifecode.errors import UserError

_INSTALL = """_lifecode() {
    COMPREPLY=($(COMP_LINE="${COMP_LINE:0:COMP_POINT}" lifecode --shell-completion query=bash 2> /dev/null))
}
COMP_WORDBREAKS=${COMP_WORDBREAKS//=}
complete -o nospace -o default -F _lifecode lifecode"""
_ZSH = "autoload -Uz bashcompinit && bashcompinit\n"
_SCRIPTS = {
    "install=bash": _INSTALL,
    "install=zsh": _ZSH + _INSTALL,
    "uninstall=bash": "complete -r lifecode",
    "uninstall=zsh": "compdef -d lifecode",
}


def _completion(arguments: Sequence[str], verbs: Sequence[str]) -> str:
    """What `lifecode --shell-completion` prints: a script for the shell, or the words that fit.

    Raises:
        UserError: it is asked for something else.
    """
    if list(arguments) == ["query=bash"]:
        return "\n".join(fitting(os.environ.get("COMP_LINE", ""), verbs))
    script = _SCRIPTS.get(" ".join(arguments))
    if script is None:
        raise UserError(
            "--shell-completion wants install=bash, install=zsh, uninstall=bash or uninstall=zsh",
            remedy='In ~/.bashrc: eval "$(lifecode --shell-completion install=bash)"',
        )
    return script


def fitting(line: str, verbs: Sequence[str]) -> list[str]:
    """The words that may stand at the end of a command line.

    Args:
        line: up to the cursor, from `lifecode` on.
        verbs: all of them.
    """
    words = line.split()
    if len(words) + line.endswith(" ") <= 2:
        begun = words[1] if len(words) > 1 else ""
        return [verb for verb in verbs if verb.startswith(begun)]
    verb, rest = words[1], line.split(words[1], 1)[1].lstrip()
    if verb not in verbs:
        return []
    setbase("1.3")
    loader = ConfigLoader(create_config_search_path(str(config_folder())))
    with redirect_stderr(StringIO()), suppress(SystemExit):  # of a flag that is not whole yet
        return BashCompletion(loader)._query(config_name=verb, line=rest)
    return []


def print_completion(arguments: Sequence[str], verbs: Sequence[str]) -> int:
    """Prints it, and returns the exit code."""
    try:
        print(_completion(arguments, verbs))
    except UserError as error:
        print(f"lifecode: {error}", file=sys.stderr)
        return 2
    return 0
