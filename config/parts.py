"""Which parts an application brings."""

from importlib.util import find_spec


def brings(module: str) -> bool:
    """Does this module exist? A folder without an `__init__.py` does not count, though Python would import it."""
    spec = find_spec(module)
    return spec is not None and spec.origin is not None
