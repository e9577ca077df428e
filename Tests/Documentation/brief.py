"""ddpm-mpi as the documentation calls it, but for a moment: what takes hours there takes seconds here.

    python brief.py PROGRAM ARGUMENT...

Long runs, many images and many steps are cut down; everything else is passed on as it is.
"""

import os
import sys

# Settings of a run: what is not given is set so.
SETTINGS = {
    "training.steps": 4, "training.checkpoint_every": 4, "training.log_every": 1, "sampling.steps": 2,
    "sampling.count": 4, "evaluation.reference_count": 500,
}
# What is given and larger than the first number becomes the second: a hundred steps are quickly done.
LARGEST_SETTINGS = {"training.steps": (100, 4), "evaluation.every": (2, 2), "evaluation.count": (16, 16)}

# Options of other commands: the same, with the one number for both.
OPTIONS = {
    "sample": {"--steps": 10, "--count": 64},
    "evaluate": {"--steps": 10, "--count": 64, "--reference-count": 500},
    "benchmark": {"--steps": 1, "--batch": 16},
    # Each image is looked at hundreds of times.
    "likelihood": {"--count": 2},
    "encode": {"--count": 2},
    "interpolate": {"--rows": 2, "--columns": 3},
}


def brief_settings(arguments):
    given = {
        arguments[place + 1].split("=")[0]: place + 1
        for place, argument in enumerate(arguments[:-1]) if argument == "--set"
    }
    for key, (largest, value) in LARGEST_SETTINGS.items():
        if key in given and int(arguments[given[key]].split("=")[1]) > largest:
            arguments[given[key]] = f"{key}={value}"
    for key, value in SETTINGS.items():
        if key not in given:
            arguments += ["--set", f"{key}={value}"]


def brief_options(arguments, limits):
    for option, limit in limits.items():
        if option in arguments:
            place = arguments.index(option) + 1
            arguments[place] = str(min(int(arguments[place]), limit))
        else:
            arguments += [option, str(limit)]


def brief(command, arguments):
    arguments = list(arguments)
    if command in ("train", "train-classifier"):
        brief_settings(arguments)
    # The way to the first step has no steps.
    elif command in OPTIONS and "start" not in arguments:
        limits = dict(OPTIONS[command])
        # It chooses its steps itself.
        if "ode-rk45" in arguments:
            limits.pop("--steps", None)
        brief_options(arguments, limits)
    return [command, *arguments]


if __name__ == "__main__":
    program, command, *rest = sys.argv[1:]
    os.execv(program, ["ddpm-mpi", *brief(command, rest)])
