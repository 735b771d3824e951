"""Names that say that a contig is DNA of an organelle; they never say by which genetic code it is read.

Vertebrate mitochondria read code 2, those of yeast 3, of moulds 4, of flies 5, of plants 1.
"""

import re

_SHORT = {
    "m": "mitochondrion",
    "mt": "mitochondrion",
    "mit": "mitochondrion",
    "mito": "mitochondrion",
    "mtdna": "mitochondrion",
    "pt": "plastid",
    "cp": "plastid",
    "pltd": "plastid",
    "chloro": "plastid",
    "cpdna": "plastid",
    "ptdna": "plastid",
}
_BEHIND_CHR = _SHORT | {"c": "plastid", "p": "plastid"}
_BEHIND_SCAFFOLD = {name: kind for name, kind in _SHORT.items() if len(name) > 3 or name in ("mt", "cp")}
_GENOME = re.compile(r"(mt|cp|pt)[ _.-]?genome", re.IGNORECASE)
_WORDS = re.compile(
    r"(?<![a-z])(mitochondri(?:on|al|a)|mitogenome|mtdna|chloroplast|plastid|plastome|apicoplast|kinetoplast"
    r"|cyanelle|chromatophore|hydrogenosome|leucoplast|chromoplast)",
    re.IGNORECASE,
)
_PREFIX = re.compile(r"^(?:chromosome|chrom|chr)[ _.-]?", re.IGNORECASE)
_SCAFFOLD = re.compile(r"^(?:scaffold|super|contig|ctg)[_.-]", re.IGNORECASE)
_PLASMODIUM = re.compile(r"^P[A-Za-z0-9]{1,7}_(MIT|API)(?:_v\d+)?$")


def organelle_named(name: str) -> str | None:
    """The organelle that the name of a contig means (`MT`, `chrM`, `Pt`, `mitochondrion_genome`), or None."""
    if found := _WORDS.search(name):
        return found[1].lower()
    if found := _PLASMODIUM.search(name):
        return {"MIT": "mitochondrion", "API": "apicoplast"}[found[1]]
    if found := _GENOME.fullmatch(name):
        return _SHORT[found[1].lower()]
    if (bare := _SCAFFOLD.sub("", name)) != name:
        return _BEHIND_SCAFFOLD.get(bare.lower())
    return organelle_of_short_name(name)


def organelle_of_short_name(name: str) -> str | None:
    """`mitochondrion` or `plastid` where a name is one of the short ones, `MT`, `chrM`, `Pt`, else None."""
    bare = _PREFIX.sub("", name)
    return (_SHORT if bare == name else _BEHIND_CHR).get(bare.lower())
