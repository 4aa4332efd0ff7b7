"""Ties a process to the one that started it: on Linux it dies with its parent, even if that is killed outright.

Run as a script it ties itself and becomes the given program, which keeps the tie:
`python tethered.py PARENT PROGRAM ARGUMENT...`. Only the standard library is imported, so that this takes milliseconds.
Elsewhere than on Linux there is no such tie; leftovers are then ended by the next start (see `embedded_registry`).
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1
"""From linux/prctl.h. The signal comes when the parent's *thread* that started this process ends; exec keeps it."""


def tether(parent: int) -> None:
    """Have this process killed when process `parent`, which started it, ends; end at once if it has ended already."""
    if sys.platform != "linux":
        return
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def main(arguments: list[str]) -> None:
    """Tie this process to `arguments[0]` and become the program that follows."""
    tether(int(arguments[0]))
    os.execv(arguments[1], arguments[1:])


if __name__ == "__main__":
    main(sys.argv[1:])
