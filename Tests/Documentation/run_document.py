"""Runs what a page of the documentation shows, one block after the other, in this folder.

    python run_document.py PAGE.md

Blocks that begin with ```sh are run by bash, those with ```python in this process, with the names that earlier ones have
made. Other languages with a file's name (```yaml my-run.yaml) are written to that file. Any word after `sh` or `python`
marks a block that cannot be run here and says why (`download`, `install`, `slurm`); it is left out, and told. Ends with
1 at the first that fails.
"""

import os
import pathlib
import re
import subprocess
import sys
import traceback


def blocks(text):
    """(line, language, mark, code) of every block."""
    for match in re.finditer(r"^```(\w+)([^\n]*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        language, mark, code = match.groups()
        yield text.count("\n", 0, match.start()) + 2, language, mark.strip(), code


def main(page):
    # `python3` in a command is this one.
    path = os.environ["PATH"].split(os.pathsep)
    if str(pathlib.Path(sys.executable).parent) not in path:
        os.environ["PATH"] = os.pathsep.join([str(pathlib.Path(sys.executable).parent), *path])
    names = {"__name__": "__main__"}
    count = 0
    left_out = []
    for line, language, mark, code in blocks(page.read_text()):
        try:
            if language not in ("sh", "python"):
                if mark:
                    pathlib.Path(mark).write_text(code)
                continue
            if mark:
                left_out.append(mark)
                continue
            count += 1
            if language == "sh":
                subprocess.run(["bash", "-euo", "pipefail", "-c", code], check=True)
            else:
                exec(compile("\n" * (line - 1) + code, str(page), "exec"), names)
        except Exception:
            traceback.print_exc()
            print(f"{page}:{line}: this block fails", file=sys.stderr)
            sys.exit(1)
    assert count > 0, f"{page} shows nothing to run"
    print(f"{page.name}: all {count} blocks run, left out: {', '.join(left_out) or 'none'}")


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]).resolve())
