"""Keys whose value is a list with commas, such as `keep=1-10,40`: Hydra would take it for values of a sweep.

Outside of `-m` such a value is put between quotes before Hydra sees it; with `-m` commas sweep as ever.
"""

from collections.abc import Iterable

_OF_VERB = {"optimize": ("keep", "constraints.forbidden_sites", "constraints.fixed_codons")}
_ENCLOSED = ("'", '"', "[", "{", "$")


def lists_quoted(verb: str, overrides: Iterable[str]) -> list[str]:
    """The overrides with the lists of a verb's keys in quotes."""
    return [_quoted(verb, line) for line in overrides]


def _quoted(verb: str, line: str) -> str:
    key, _, value = line.partition("=")
    is_list = key.lstrip("+") in _OF_VERB.get(verb, ()) and ("," in value or ":" in value)
    if not is_list or value.lstrip().startswith(_ENCLOSED) or "'" in value:
        return line
    return f"{key}='{value}'"
