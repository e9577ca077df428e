"""Links one of the programs in .build/release again, as `swift build -c release` or the build of the tests linked it,
with changes:

    python3 scripts/build/relink.py ddpm-mpi OUTPUT [--object NAME=FILE] [--without REGEX]... [-- OPTION...]

--object puts FILE in the place of the object whose path ends in NAME, --without leaves out options of the linker that
match, and options after -- come before all others. It takes seconds.
"""

import argparse
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("program")
    parser.add_argument("output")
    parser.add_argument("--object", action="append", default=[])
    parser.add_argument("--without", action="append", default=[])
    options = []
    if "--" in sys.argv:
        end = sys.argv.index("--")
        options, sys.argv[end:] = sys.argv[end + 1 :], []
    arguments = parser.parse_args()

    # The commands of the last build.
    build = Path(".build/release.yaml")
    if not build.exists():
        sys.exit("Nothing has been built yet. Run swift build -c release --build-tests.")
    lines = re.findall(r'^ +args: (\[.*"-emit-executable".*\])$', build.read_text(), re.M)
    module = arguments.program.replace("-", "_")
    commands = [c for c in map(json.loads, lines) if c[c.index("-module-name") + 1] == module]
    if not commands:
        sys.exit(f"{build} has no program {arguments.program}.")
    command = commands[0]
    command[command.index("-o") + 1] = arguments.output
    [position] = [i for i, option in enumerate(command) if option.startswith("@")]
    list_of_objects = Path(command[position][1:])
    if not list_of_objects.exists():
        sys.exit(f"{arguments.program} has not been built. Run swift build -c release --build-tests.")
    objects = shlex.split(list_of_objects.read_text())
    for replacement in arguments.object:
        name, file = replacement.split("=", 1)
        [index] = [i for i, path in enumerate(objects) if path.endswith("/" + name)]
        objects[index] = file
    files = Path(arguments.output + ".objects")
    files.write_text("\n".join(map(shlex.quote, objects)) + "\n")
    command[position] = f"@{files}"
    command = [option for option in command if not any(re.fullmatch(r, option) for r in arguments.without)]
    command[1:1] = [option for option in options if option]
    result = subprocess.run(command)
    files.unlink()
    sys.exit(result.returncode)


main()
