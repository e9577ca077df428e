"""Runs the code blocks of a page of the documentation in order, in the current folder.

    python run_document.py PAGE.md

Bash runs the ```sh blocks. This process runs the ```python blocks, which share their global names. A block of another
language with a file name (```yaml my-run.yaml) is written to that file. A word after `sh` or `python` says why a block
cannot be run here (`download`, `install`, `slurm`); such blocks are skipped, and listed at the end. Exits with 1 at the
first block that fails. scripts/test/documentation.sh runs this for most pages, scripts/test/peers.sh for
docs/interchange.md.
"""

import os
import re
import subprocess
import sys
import time
import traceback
from pathlib import Path


def code_blocks(text):
    """Yields (line number, language, mark, code) for each block."""
    for match in re.finditer(r"^```(\w+)([^\n]*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        language, mark, code = match.groups()
        yield text.count("\n", 0, match.start()) + 2, language, mark.strip(), code


def main(page):
    # `python3` in a command means the Python that runs this script.
    search_path = os.environ["PATH"].split(os.pathsep)
    python_folder = str(Path(sys.executable).parent)
    if python_folder not in search_path:
        os.environ["PATH"] = os.pathsep.join([python_folder, *search_path])
    global_names = {"__name__": "__main__"}
    count = 0
    skipped = []
    for line, language, mark, code in code_blocks(page.read_text()):
        try:
            if language not in ("sh", "python"):
                if mark:
                    Path(mark).write_text(code)
                continue
            if mark:
                skipped.append(mark)
                continue
            count += 1
            start = time.monotonic()
            if language == "sh":
                subprocess.run(["bash", "-euo", "pipefail", "-c", code], check=True)
            else:
                exec(compile("\n" * (line - 1) + code, str(page), "exec"), global_names)
            if (seconds := time.monotonic() - start) >= 5:
                print(f"{page.name}:{line}: {seconds:.0f} s", flush=True)
        except Exception:
            traceback.print_exc()
            print(f"{page}:{line}: this block fails", file=sys.stderr)
            sys.exit(1)
    assert count > 0, f"{page} shows nothing to run"
    print(f"{page.name}: all {count} blocks run, left out: {', '.join(skipped) or 'none'}")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
