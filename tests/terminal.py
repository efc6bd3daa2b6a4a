"""az at a pseudo-terminal of its own."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import shutil
import signal
import struct
import termios
import time
from collections.abc import Sequence

from tests.support import Sandbox

COLOUR = re.compile(r"\x1b\[[0-9;]*[mK]")


def run_at_terminal(
    box: Sandbox,
    *arguments: str,
    columns: int = 100,
    keys: Sequence[bytes] = (),
    after: bytes = b"",
    **environment: str,
) -> tuple[int, str]:
    """Exit code and output of az at a terminal of this width; stdout and stderr together, as a person sees them.

    The first of the keys is pressed when the output contains what is given as after, each other one a second later.
    """
    az = shutil.which("az", path=box.env["PATH"]) or "az"
    process, terminal = pty.fork()
    if process == 0:
        # A runner in the background hands an ignored SIGINT down.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        os.chdir(box.folder)
        os.execve(az, ["az", *arguments], {**box.env, **environment})
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    output, left, due = b"", list(keys), 0.0
    while True:
        if left and after in output and time.monotonic() >= due:
            os.write(terminal, left.pop(0))
            due = time.monotonic() + 1
        if not select.select([terminal], [], [], 0.1)[0]:
            continue
        try:
            part = os.read(terminal, 65536)
        except OSError:
            break
        if not part:
            break
        output += part
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    return code, output.decode().replace("\r\n", "\n")
