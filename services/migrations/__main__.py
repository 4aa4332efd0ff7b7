"""For whoever changes a table: `python -m services.migrations revision "what changes"` writes the next revision."""

from __future__ import annotations

import sys

from services.migrations.moving import new_revision

USAGE = 'python -m services.migrations revision "what changes"'


def main(arguments: list[str]) -> int:
    """Write a revision; its file is to be read before it is kept."""
    if len(arguments) != 2 or arguments[0] != "revision" or not arguments[1].strip():
        print(f"usage: {USAGE}", file=sys.stderr)
        return 2
    print(new_revision(arguments[1]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
