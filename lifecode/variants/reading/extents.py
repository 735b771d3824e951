"""What a record says of the stretch that a symbolic ALT such as `<DEL>` is about: END, SVLEN, IMPRECISE."""

from collections.abc import Mapping

from lifecode.variants.alleles import Extent, symbol_kind


def info_fields(info: str) -> dict[str, str]:
    """The INFO column by its keys; a flag has an empty value."""
    fields = (field.partition("=") for field in info.split(";"))
    return {key: value for key, _, value in fields}


def extent_of(alt: str, position: int, info: Mapping[str, str], place: int, *, alone: bool) -> Extent:
    """The stretch of one symbol.

    END speaks of a record, SVLEN of each ALT: so END counts where the symbol is the only one of its record,
    and SVLEN where it is not, or where there is no END behind POS. Either sign of SVLEN means a length.

    Args:
        alt: the symbol.
        position: POS, which is the letter before the stretch.
        info: fields of INFO.
        place: 0-based number of the ALT in its record.
        alone: whether no other ALT of the record is a symbol with a stretch.
    """
    end = _number(info.get("END", ""))
    sizes = info.get("SVLEN", "").split(",")
    size = _number((sizes[place] if place < len(sizes) else sizes[0] if len(sizes) == 1 else "").lstrip("+-"))
    exact = "IMPRECISE" not in info
    if symbol_kind(alt) == "INS":
        return Extent(None, size, exact)
    by_size = position + size if size else None
    by_end = end if end is not None and end > position else None
    return Extent(by_end or by_size if alone else by_size or by_end, size, exact)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
