"""Compares what the pages say with what is there: links and headings, configuration keys, presets, samplers, packages,
and that what is too long to be run from a page is run by some test.

    python check_pages.py PROGRAM      in the repository; prints a line for each thing that is wrong, and ends with 1
"""

import pathlib
import re
import subprocess
import sys

PAGES = [pathlib.Path("README.md"), pathlib.Path("CONTRIBUTING.md"), *sorted(pathlib.Path("docs").glob("*.md"))]
wrong = []


def without_code(text):
    return re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)


def anchors(page):
    """Of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", without_code(page.read_text()), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def links():
    for page in PAGES:
        for target in re.findall(r"\]\(([^)\s]+)\)", without_code(page.read_text())):
            if target.startswith("https://"):
                continue
            name, _, anchor = target.partition("#")
            file = page.parent / name if name else page
            if not file.exists():
                wrong.append(f"{page}: there is no {target}")
            elif anchor and anchor not in anchors(file):
                wrong.append(f"{page}: {file} has no heading #{anchor}")
        for path in re.findall(r"`((?:Sources|Tests|scripts|cluster|docs)/[\w./+-]+)`", page.read_text()):
            if not pathlib.Path(path).exists():
                wrong.append(f"{page}: there is no {path}")
    named = set(re.findall(r"\(docs/([\w-]+\.md)\)", pathlib.Path("README.md").read_text()))
    for page in pathlib.Path("docs").glob("*.md"):
        if page.name not in named:
            wrong.append(f"README.md does not lead to {page}")


def rows(page, heading):
    """The rows of the first table below a heading, each as the list of its cells."""
    section = pathlib.Path(page).read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    table = re.search(r"(?:^\|.*\n)+", section, re.MULTILINE).group(0)
    return [[cell.strip() for cell in row.strip("|\n ").split("|")] for row in table.strip().split("\n")[2:]]


def output(program, *arguments):
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=True).stdout


def same(page, what, told, there):
    for name in there - told:
        wrong.append(f"{page}: {what} {name} is missing")
    for name in told - there:
        wrong.append(f"{page}: there is no {what} {name}")


def keys(program):
    page = "docs/configuration.md"
    told = {re.match(r"`([\w.]+)`", row[0]).group(1): row for row in rows(page, "Keys")}
    there, section = {}, ""
    for line in output(program, "presets", "quickstart").splitlines():
        if match := re.match(r"(\w+):$", line):
            section = match.group(1) + "."
        elif match := re.match(r"(\s*)(\w+): *(\S.*)$", line):
            there[(section if match.group(1) else "") + match.group(2)] = match.group(3)
    same(page, "key", set(told), set(there))
    listed = re.findall(r"^([a-z]+(?:\.[a-z0-9_]+)?)$", output(program, "train", "--help"), re.MULTILINE)
    for key in there:
        if key not in listed:
            wrong.append(f"train --help does not list {key}")
        if key in told and told[key][3].strip("`") != there[key]:
            wrong.append(f"{page}: {key} is {there[key]} by default, not {told[key][3]}")


def presets(program):
    page = "docs/configuration.md"
    told = {name for row in rows(page, "Presets") for name in re.findall(r"`([\w-]+)`", row[0])}
    there = set(re.findall(r"^([a-z][\w-]*)(?:$|  )", output(program, "presets"), re.MULTILINE))
    same(page, "preset", told, there)


def samplers(program):
    page = "docs/sampling.md"
    told = {name for row in rows(page, "Samplers") for name in re.findall(r"`([\w+-]+)`", row[0])}
    there = set(re.findall(r"^([a-z][\w+-]*) ", output(program, "samplers"), re.MULTILINE))
    same(page, "sampler", told, there)


def packages():
    told = re.search(r"^sudo apt-get install --no-install-recommends (libopenmpi-dev .*)$",
                     pathlib.Path("README.md").read_text(), re.MULTILINE).group(1)
    listed = pathlib.Path("scripts/install-dependencies.sh").read_text().split("packages=(\n")[1].split('"$@"')[0]
    same("README.md", "package", set(told.split()), set(re.sub(r"#.*", "", listed).split()))


# scripts/build.sh would compile everything anew, with Swift's libraries inside.
NOT_RUN = {"scripts/build.sh", "scripts/test.sh"}


def scripts():
    """Those that pages show in blocks that are not run from there."""
    tests = [*pathlib.Path("scripts").glob("test-*.sh"), *pathlib.Path("scripts/peer-tests").glob("*.sh"),
             *pathlib.Path("scripts/cluster-tests").glob("*.sh")]
    run = "".join(test.read_text() for test in tests)
    for page in PAGES:
        for block in re.findall(r"^```sh [^\n]*\n(.*?)^```$", page.read_text(), re.MULTILINE | re.DOTALL):
            for script in re.findall(r"\b(?:scripts|cluster)/[\w-]+\.(?:sh|py|sbatch)", block):
                if script not in run and script not in NOT_RUN:
                    wrong.append(f"{page}: no test runs {script}")


links()
packages()
scripts()
keys(sys.argv[1])
presets(sys.argv[1])
samplers(sys.argv[1])
for line in wrong:
    print(line)
sys.exit(1 if wrong else 0)
