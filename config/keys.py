"""Keys that a demo or a developer's checkout makes for itself, once, in the var folder. Production never comes here."""

import os
import tempfile
from collections.abc import Callable
from pathlib import Path


def local_key(path: Path, make: Callable[[], str]) -> str:
    """The key kept in `path`; made there (readable by its owner only) if it does not exist yet.

    Two processes that start together end with the same key: the file appears whole, by a link that only one can make.
    """
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, draft = tempfile.mkstemp(dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(make())
            os.link(draft, path)
        except FileExistsError:
            pass
        finally:
            Path(draft).unlink()
    return path.read_text(encoding="utf-8").strip()
