"""Names that come out of files, fit to be shown: whatever stands in them is data, and is seen as what it is.

A record, a gene or a file may be named by anyone: with the codes that recolour or retitle a terminal, with
characters that turn the reading direction round, with a formula for a spreadsheet, or with a megabyte of
letters. Files of data (Parquet, .npz) keep every name as it is; everything for eyes goes through here.
"""

_FORMULA = "=+-@＝＋－＠"
"""What a spreadsheet takes for the beginning of a formula, in either width."""


def visible(text: str, *, keep: str = "") -> str:
    """The text with every character that acts instead of being seen as its escape, such as `\\x1b`.

    Those are control and format characters (line ends, terminal codes, reading directions, zero widths),
    blanks other than the space, halves of surrogate pairs, and what Unicode has not assigned.

    Args:
        text: of any origin.
        keep: characters that are wanted as they are, such as the line ends of a whole page.
    """
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() or letter in keep else _escaped(letter) for letter in text)


def display_name(name: object, max_characters: int = 100) -> str:
    """A name on one line; of one that is longer than `max_characters` both ends stay, around a `…`."""
    text = str(name)
    if len(text) > max_characters:
        end = max_characters // 3
        text = f"{text[: max_characters - end - 1]}…{text[-end:]}"
    return visible(text)


def csv_cell(value: object) -> object:
    """A value for a CSV file that spreadsheets open: text that would be a formula gets a ' in front.

    Numbers stay numbers, also as text and with a sign; control characters are escaped.
    """
    if not isinstance(value, str):
        return value
    text = visible(value)
    return f"'{text}" if text[:1] in _FORMULA and text and not _is_number(text) else text


def markdown_cell(text: str) -> str:
    """Text as a cell of a table, or a line, in Markdown: no border and no HTML in it."""
    return visible(text.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;"))


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape").decode("ascii")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
