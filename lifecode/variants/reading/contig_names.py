"""Names of contigs in a file of variants matched to those of the genome; what differs is said."""

from collections.abc import Collection, Iterable

_MITOCHONDRIA = frozenset({"M", "MT", "chrM", "chrMT", "mitochondrion_genome"})


def matched_names(asked: Iterable[str], known: Collection[str]) -> tuple[dict[str, str], list[str]]:
    """The genome's name of each asked one that it knows, by its own or one that differs in form alone.

    `chr2L` is `2L`, `NC_000913` is `NC_000913.3` and the other way round, `chrM` is `MT`, as long as one
    contig alone answers to it.

    Returns:
        Names by name asked for, without those that nothing answers to, and a line for each that differs.
    """
    names: dict[str, str] = {}
    notes: list[str] = []
    for name in dict.fromkeys(asked):
        if name in known:
            names[name] = name
            continue
        fitting = [one for one in known if _same(name, one)]
        if len(fitting) == 1:
            names[name] = fitting[0]
            notes.append(f"contig {name} of the variants is {fitting[0]} of the genome")
    return names, notes


def _same(one: str, other: str) -> bool:
    if one in _MITOCHONDRIA and other in _MITOCHONDRIA:
        return True
    return bool(_forms(one) & _forms(other))


def _forms(name: str) -> set[str]:
    forms = {name}
    if name[:3].lower() == "chr" and len(name) > 3:
        forms.add(name[3:])
    bare, dot, version = name.rpartition(".")
    if dot and version.isdecimal() and "_" in bare:
        forms.add(bare)
    return forms
