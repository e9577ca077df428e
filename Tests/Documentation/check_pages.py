"""Checks the pages' links and headings, and their lists of configuration keys, presets, samplers, packages and scripts.
Scripts in blocks that take too long to run from a page must be run by some test.

    python check_pages.py PROGRAM

Run by scripts/test/documentation.sh in the repository's root. Prints a line for each error, and exits with 1 if there
is one.
"""

import os
import re
import subprocess
import sys
from fnmatch import fnmatch
from pathlib import Path

PAGES = [Path("README.md"), Path("CONTRIBUTING.md"), *sorted(Path("docs").glob("*.md"))]
# Not run by any test, since these build the program again.
NOT_RUN = {"scripts/build.sh", "scripts/test.sh"}

errors = []


def without_code(text):
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(page):
    """The anchors that GitHub gives to a page's headings."""
    headings = re.findall(r"^#+ (.*)$", without_code(page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def check_links():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text())):
            if target.startswith("https://"):
                continue
            name, _, anchor = target.partition("#")
            file = page.parent / name if name else page
            if not file.exists():
                errors.append(f"{page}: there is no {target}")
            elif anchor and anchor not in anchors(file):
                errors.append(f"{page}: {file} has no heading #{anchor}")
        for path in re.findall(r"`((?:Sources|Tests|scripts|cluster|docs)/[\w./+-]+)`", page.read_text()):
            if not Path(path).exists():
                errors.append(f"{page}: there is no {path}")
    linked = set(re.findall(r"\(docs/([\w-]+\.md)\)", Path("README.md").read_text()))
    for page in Path("docs").glob("*.md"):
        if page.name not in linked:
            errors.append(f"README.md does not lead to {page}")


def table_rows(page, heading):
    """The rows of the first table below a heading, each as a list of cells."""
    section = Path(page).read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    table = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE).group(0)
    return [[cell.strip() for cell in row.strip("|\n ").split("|")] for row in table.strip().split("\n")[2:]]


def output(program, *arguments):
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=True).stdout


def compare_names(page, kind, documented, existing):
    for name in existing - documented:
        errors.append(f"{page}: {kind} {name} is missing")
    for name in documented - existing:
        errors.append(f"{page}: there is no {kind} {name}")


def check_keys(program):
    page = "docs/configuration.md"
    documented = {re.match(r"`([\w.]+)`", row[0]).group(1): row for row in table_rows(page, "Keys")}
    defaults, section = {}, ""
    for line in output(program, "presets", "quickstart").splitlines():
        if match := re.match(r"(\w+):$", line):
            section = match.group(1) + "."
        elif match := re.match(r"(\s*)(\w+): *(\S.*)$", line):
            defaults[(section if match.group(1) else "") + match.group(2)] = match.group(3)
    compare_names(page, "key", set(documented), set(defaults))
    listed = re.findall(r"^([a-z]+(?:\.[a-z0-9_]+)?)$", output(program, "train", "--help"), re.MULTILINE)
    for key, default in defaults.items():
        if key not in listed:
            errors.append(f"train --help does not list {key}")
        if key in documented and documented[key][3].strip("`") != default:
            errors.append(f"{page}: {key} is {default} by default, not {documented[key][3]}")


def check_presets(program):
    page = "docs/configuration.md"
    documented = {name for row in table_rows(page, "Presets") for name in re.findall(r"`([\w-]+)`", row[0])}
    existing = set(re.findall(r"^([a-z][\w-]*)(?:$|  )", output(program, "presets"), re.MULTILINE))
    compare_names(page, "preset", documented, existing)


def check_samplers(program):
    page = "docs/sampling.md"
    documented = {name for row in table_rows(page, "Samplers") for name in re.findall(r"`([\w+-]+)`", row[0])}
    existing = set(re.findall(r"^([a-z][\w+-]*) ", output(program, "samplers"), re.MULTILINE))
    compare_names(page, "sampler", documented, existing)


def packages(system):
    environment = {name: value for name, value in os.environ.items() if name != "DDPM_MPI"}
    return set(subprocess.run(["scripts/install-dependencies.sh", "--list", system], capture_output=True, text=True,
                              check=True, env=environment).stdout.split())


def check_packages():
    page = "README.md"
    text = Path(page).read_text()
    documented = {
        system: set(re.search(rf"^sudo {command} ({first} .*)$", text, re.MULTILINE).group(1).split())
        for system, command, first in [("debian-12", "apt-get install --no-install-recommends", "libopenmpi-dev"),
                                       ("rocky-9", "dnf install", "openmpi-devel")]}
    # What other systems have in place of two packages of Debian 12.
    rows = table_rows(page, "Installing by hand")
    replaced = set(re.findall(r"`([^`]+)`", rows[0][1]))
    for name, cell in rows[1:]:
        system = name.lower().replace(" ", "-")
        documented[system] = documented["debian-12"] - replaced | set(re.findall(r"`([^`]+)`", cell))
    if len(documented) != 5:
        errors.append(f"{page}: packages of {', '.join(documented)} only")
    for system, names in documented.items():
        compare_names(f"{page}, {system}", "package", names, packages(system))


def check_scripts():
    """Scripts in blocks that are not run from a page must be named in a test."""
    tests = [*Path("scripts/test").rglob("*.sh"), *Path("Tests/ProgramTests").glob("*.swift")]
    test_text = "".join(test.read_text() for test in tests)
    for page in PAGES:
        for block in re.findall(r"^```sh [^\n]*\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL):
            for script in re.findall(r"\b(?:scripts|cluster)/[\w/-]+\.(?:sh|py|sbatch)", block):
                if script not in test_text and script not in NOT_RUN:
                    errors.append(f"{page}: no test runs {script}")


def check_script_table():
    """Each script needs a row in CONTRIBUTING.md. The row of growth.sh is also that of growth.py, and a row that names
    a folder is for all scripts in it."""
    page = "CONTRIBUTING.md"
    named = re.findall(r"`(scripts/[\w./*-]+)`", " ".join(" ".join(row) for row in table_rows(page, "Scripts")))
    for script in sorted(Path("scripts").rglob("*")):
        if script.suffix not in {".sh", ".py", ".c"}:
            continue
        folders = {str(folder) for folder in script.parents}
        if not any(name in folders or fnmatch(script.with_suffix(""), name.split(".")[0]) for name in named):
            errors.append(f"{page}: no row describes {script}")


def main():
    program = sys.argv[1]
    check_links()
    check_packages()
    check_scripts()
    check_script_table()
    check_keys(program)
    check_presets(program)
    check_samplers(program)
    for error in errors:
        print(error)
    sys.exit(1 if errors else 0)


if __name__ == "__main__":
    main()
