"""A page as a browser would take it in."""

from html.parser import HTMLParser
from pathlib import Path


class Page(HTMLParser):
    """Text, tags and everything a browser would load."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.loads, self.tags, self.words = [], [], []
        self.feed(path.read_text(encoding="utf-8"))
        self.text = " ".join(" ".join(self.words).split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the tag and what it loads."""
        self.tags.append(tag)
        self.loads += [value for key, value in attrs if key in ("src", "href", "srcset", "data", "action")]

    def handle_data(self, data: str) -> None:
        """Keep the words."""
        self.words.append(data)
