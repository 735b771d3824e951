"""Names of one sequence that differ in form alone, as `chr1` and `1`, matched where one alone can be meant.

Programs put NCBI's bars around an accession or leave them, write its version or not, and call chromosomes and
the mitochondrion what they like. A name stands for another of the same form as long as no second one does; an
accession with another version is another sequence.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from typing import NamedTuple

from lifecode.data.formats.organelles import organelle_of_short_name

_CHROMOSOME = re.compile(r"(?:chromosome|chrom|chr)[_.-]?(.+)")
_VERSION = re.compile(r"([a-z]{2}_[a-z]{0,6}\d+|[a-z]{1,6}\d{5,})[.v](\d{1,3})")
"""An accession with its version; UCSC writes `v` for the dot."""
_NUMBERED = re.compile(r"([a-z]+)[_.-](\d+)")
_UCSC_SCAFFOLD = re.compile(r"chr[^_]+_([a-z]{1,6}\d{4,}(?:v\d+)?)(?:_random|_alt|_fix)?")
_BARS = frozenset(
    {
        *("gi", "ref", "gb", "emb", "dbj", "lcl", "gnl", "ena", "jgi", "tpg", "tpe", "tpd"),
        *("gpp", "nat", "bbs", "bbm", "pat", "pdb"),
    }
)
"""What NCBI, ENA and JGI write before the first bar; behind it stands a database in `gnl` and `jgi`."""
_ORGANELLES = {
    **dict.fromkeys(
        ("mitochondrion", "mitochondria", "mitogenome", "mitochondrion_genome", "mitochondrial_genome"),
        "mitochondrion",
    ),
    **dict.fromkeys(("chloroplast", "plastid", "plastome", "chloroplast_genome"), "plastid"),
}


class Matched(NamedTuple):
    """Names that differ in form.

    Attributes:
        names: the known name by the one that was asked for.
        several: asked names that more than one known name may be, with these.
    """

    names: dict[str, str]
    several: dict[str, list[str]]


class _Form(NamedTuple):
    bare: str
    version: str = ""


def matched_names(asked: Iterable[str], known: Iterable[str]) -> Matched:
    """Which of the known names each asked one is: the same, or the only one that differs in form alone.

    `chr2L` is `2L`, `NC_000913` is `gi|556503834|ref|NC_000913.3|`, `chrM` is `MT`.

    Args:
        asked: names to be found; those that nothing answers to are in neither part of the answer.
        known: names that there are; one that comes twice counts twice.
    """
    known = list(known)
    of_bare: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    exact = frozenset(known)
    names: dict[str, str] = {}
    several: dict[str, list[str]] = {}
    for name in dict.fromkeys(asked):
        if name in exact:
            names[name] = name
            continue
        if not of_bare:
            for number, one in enumerate(known):
                for form in forms(one):
                    of_bare[form.bare].append((form.version, number))
        fitting = {
            number
            for form in forms(name)
            for version, number in of_bare.get(form.bare, ())
            if version == form.version or not (version and form.version)
        }
        if len(fitting) == 1:
            names[name] = known[fitting.pop()]
        elif fitting:
            several[name] = [known[number] for number in sorted(fitting)]
    return Matched(names, several)


def paired_names(asked: Collection[str], known: Collection[str]) -> Matched:
    """The same where every known name is meant by one asked name at most, and not by its own name already."""
    asked_names, known_names = frozenset(asked), frozenset(known)
    free = [name for name in known if name not in asked_names]
    found = matched_names((name for name in asked if name not in known_names), free)
    askers: defaultdict[str, list[str]] = defaultdict(list)
    for name, one in found.names.items():
        askers[one].append(name)
    several = dict(found.several)
    for one, names in askers.items():
        several.update({name: [one] for name in names if len(names) > 1})
    return Matched({name: one for name, one in found.names.items() if name not in several}, several)


def forms(name: str) -> set[_Form]:
    """What a name is compared by, in lower case: itself, and what is left without bars, `chr` and version."""
    found: set[_Form] = set()
    for word in _words(name.strip().lstrip(">").strip("\"'").rstrip(",;:").lower()):
        found.add(_Form(word))
        bare = word.removeprefix("nz_")  # what RefSeq takes over as it is
        if scaffold := _UCSC_SCAFFOLD.fullmatch(word):
            bare = scaffold[1]
        elif chromosome := _CHROMOSOME.fullmatch(word):
            bare = chromosome[1]
        if organelle := _ORGANELLES.get(word) or organelle_of_short_name(word):
            found.add(_Form(f"{organelle} "))
        found.add(_Form(bare.lstrip("0") or bare if bare.isdecimal() else bare))
        if numbered := _NUMBERED.fullmatch(bare):
            found.add(_Form("".join(numbered.groups())))
        if accession := _VERSION.fullmatch(bare):
            found.add(_Form(accession[1], accession[2]))
            found.discard(_Form(bare))
            found.discard(_Form(word))
    return found


def _words(name: str) -> Iterator[str]:
    """The names in one with bars, else its first word."""
    fields = [field for field in name.replace("\x01", " ").partition(" ")[0].split("|") if field]
    while fields:
        tag = fields.pop(0)
        if not fields or tag not in _BARS:
            yield from (tag, *fields)
            return
        if tag == "ena":
            yield from fields
            return
        if tag in ("gi", "gnl", "jgi"):  # a number or a database
            fields.pop(0)
        if tag != "gi" and fields:
            yield fields.pop(0)
