import subprocess
import sys

PROGRAM = """
import os, sys
from savor.core.native_output import native_output_hidden
try:
    with native_output_hidden():
        os.write(2, b"native chatter\\n")
        if sys.argv[1] == "fail":
            raise RuntimeError
except RuntimeError:
    pass
os.write(2, b"after\\n")
"""


def said(how: str) -> str:
    done = subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, text=True, check=True)
    return done.stderr


def test_chatter_is_held_back_and_only_that() -> None:
    assert said("succeed") == "after\n"


def test_chatter_is_shown_when_the_work_fails() -> None:
    assert said("fail") == "native chatter\nafter\n"
