"""Hostile texts: how many were put where, and how many got out.

    python -m benchmarks.bench_hostile [--write]

Each text is put into each role in each language, the prompt is made as it would be sent, and a reader of the fences
says what it sees. No model is asked: what is counted is what a text can do to a prompt and to the reading of a reply,
not what it can talk a model into.
"""

from __future__ import annotations

import argparse
import time

from benchmarks.hostile_checks import FENCE, LANGUAGES, ROLES, escapes
from benchmarks.hostile_texts import hostile_texts
from benchmarks.page import table, write_section

TOLD = {
    "a": "text a of the pair",
    "b": "text b of the pair",
    "prompt": "what both texts answer",
    "criterion": "a criterion's description",
    "worker": "a worker's reasoning, shown to the manager",
    "reply": "the model's reply",
}
"""Roles, as the page names them."""


def run() -> str:
    """A row for each role; then what was found, if anything was."""
    texts, rows, found = hostile_texts(FENCE.mark), [], []
    start = time.perf_counter()
    for role in ROLES:
        of_role = [
            f"- {role}, {language}: {name}: {escape}"
            for language in LANGUAGES for name, text in texts.items() for escape in escapes(text, role, language)
        ]  # fmt: skip
        rows.append([TOLD[role], str(len(texts)), str(len(LANGUAGES) * len(texts)), str(len(of_role))])
        found += of_role
    checks = len(ROLES) * len(LANGUAGES) * len(texts)
    head = ["where the text stands", "texts", "checked (en, zh)", "escapes"]
    end = f"{len(texts)} texts, {checks:,} checks, {len(found)} escapes; {time.perf_counter() - start:.0f} s."
    return "\n\n".join([table(head, rows), end, *(["\n".join(found)] if found else [])])


def main() -> None:
    """Run, print, and with --write put the result on the page."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--write", action="store_true", help="write the result to docs/benchmarks.md")
    write = options.parse_args().write
    told = run()
    print(told)
    if write:
        write_section("hostile", "python -m benchmarks.bench_hostile --write", told)


if __name__ == "__main__":
    main()
