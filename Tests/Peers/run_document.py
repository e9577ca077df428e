"""Runs the commands and the Python code that a page of the documentation shows, one after the other, in this folder.

    python run_document.py PAGE.md

Blocks that begin with ```sh are run by bash, those with ```python in this process, with the names that earlier ones have
made; a block marked `not-offline` is left out. Ends with 1 at the first that fails.
"""

import os
import pathlib
import re
import subprocess
import sys
import traceback


def blocks(text):
    """(line, language, code) of every block that is to be run."""
    for match in re.finditer(r"^```(sh|python)([^\n]*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        language, mark, code = match.groups()
        if mark.strip() != "not-offline":
            yield text.count("\n", 0, match.start()) + 2, language, code


def main(page):
    # `python3` in a command is this one.
    os.environ["PATH"] = os.pathsep.join([str(pathlib.Path(sys.executable).parent), os.environ["PATH"]])
    names = {"__name__": "__main__"}
    count = 0
    for line, language, code in blocks(page.read_text()):
        count += 1
        try:
            if language == "sh":
                subprocess.run(["bash", "-euo", "pipefail", "-c", code], check=True)
            else:
                exec(compile("\n" * (line - 1) + code, str(page), "exec"), names)
        except Exception:
            traceback.print_exc()
            print(f"{page}:{line}: this block fails", file=sys.stderr)
            sys.exit(1)
    assert count > 0, f"{page} shows nothing to run"
    print(f"{page.name}: all {count} blocks run")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).resolve())
