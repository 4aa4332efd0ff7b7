"""Fail unless the accuracy that `touchstone mine --json` reports carries what every accuracy must carry."""

from __future__ import annotations

import json
import sys
from pathlib import Path

FEWEST = 100
"""Sealed pairs that the file must leave at least: 30 % of its 765 pairs, less what whole groups cost."""


def faults(result: dict[str, object]) -> list[str]:
    """What is wrong with the reported accuracy, a sentence each."""
    vote = result.get("held_out_weighted")
    if not isinstance(vote, dict):
        return ["no held-out accuracy was reported"]
    low, accuracy, high = (float(vote[name]) for name in ("low", "accuracy", "high"))
    found = [] if vote["kind"] == "sealed" else [f"the accuracy is from {vote['kind']} pairs, not from sealed ones"]
    if not 0 <= low < accuracy < high <= 1:
        found.append(f"accuracy {accuracy} does not lie inside its interval {low} to {high}")
    if vote["n"] < FEWEST:
        found.append(f"n is {vote['n']}, fewer than {FEWEST}")
    if not 0 < float(vote["coverage"]) <= 1:
        found.append(f"coverage is {vote['coverage']}, outside (0, 1]")
    return found


def main() -> int:
    """Check the file named on the command line."""
    result = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))["result"]
    wrong = faults(result)
    for sentence in wrong:
        print(f"sealed accuracy: {sentence}", file=sys.stderr)
    if not wrong:
        vote = result["held_out_weighted"]
        interval = f"{vote['low']:.3f} to {vote['high']:.3f}"
        print(f"sealed accuracy {vote['accuracy']:.3f} ({interval}), n {vote['n']}, coverage {vote['coverage']:.2f}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
