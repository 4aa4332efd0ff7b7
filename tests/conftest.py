"""What every test finds: Ctrl-C works in the processes it starts.

A shell starts its background jobs with the signal ignored, and they pass that on: the tests of Ctrl-C would then fail.
"""

from __future__ import annotations

import signal

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
