"""The pages of `docs/` that are written from the code, so that they cannot say anything else than the code does.

`python -m services.docs` writes them anew; with `--check` it only tells which are stale.
"""

from services.docs.pages import PAGES, stale, write

__all__ = ["PAGES", "stale", "write"]
