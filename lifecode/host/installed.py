"""Which versions of which packages are installed, from their metadata: nothing is imported."""

import platform
from importlib.metadata import PackageNotFoundError, version


def installed_version(package: str) -> str | None:
    """Version of an installed distribution, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def installed_versions(*packages: str) -> dict[str, str]:
    """Version of Python and of each of the packages that is installed."""
    found = {"python": platform.python_version()}
    return found | {package: known for package in packages if (known := installed_version(package))}
