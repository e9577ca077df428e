"""ddpm-mpi as the documentation calls it, but for a moment: what takes hours there takes seconds here.

    python brief.py PROGRAM ARGUMENT...

Long runs, many images and many steps are cut down; everything else is passed on as it is.
"""

import os
import sys

STEPS = 4
# More than these is cut down; less is small enough to be done as it is written.
LONGEST_RUN = 100
MOST_IMAGES = 64
MOST_SAMPLING_STEPS = 10

# What is given, whichever value it has, is not set again.
TRAINING = {
    "training.steps": STEPS, "training.checkpoint_every": STEPS, "sampling.steps": 2, "sampling.count": 4,
    "training.log_every": 1,
}


def cut(arguments, option, most):
    for place, argument in enumerate(arguments[:-1]):
        if argument == option and arguments[place + 1].isdigit():
            arguments[place + 1] = str(min(int(arguments[place + 1]), most))


def settings(arguments):
    return {
        arguments[place + 1].split("=")[0]: place + 1
        for place, argument in enumerate(arguments[:-1]) if argument == "--set"
    }


def brief(arguments):
    command, rest = arguments[0], arguments[1:]
    if command in ("train", "train-classifier"):
        given = settings(rest)
        for key in ("training.steps", "evaluation.every", "evaluation.count"):
            if key in given:
                name, value = rest[given[key]].split("=")
                most = {"training.steps": STEPS, "evaluation.every": 2, "evaluation.count": 16}[key]
                if key != "training.steps" or int(value) > LONGEST_RUN:
                    rest[given[key]] = f"{name}={most}"
        if "--help" not in rest:
            for key, value in TRAINING.items():
                if key not in given:
                    rest += ["--set", f"{key}={value}"]
    if command in ("sample", "evaluate"):
        if "--steps" not in rest and "--help" not in rest:
            rest += ["--steps", str(MOST_SAMPLING_STEPS)]
        cut(rest, "--steps", MOST_SAMPLING_STEPS)
    if command == "benchmark" and "--steps" not in rest and "start" not in rest:
        rest += ["--steps", "1"]
    cut(rest, "--count", MOST_IMAGES)
    return [command, *rest]


if __name__ == "__main__":
    os.execv(sys.argv[1], ["ddpm-mpi", *(brief(sys.argv[2:]) if len(sys.argv) > 2 else [])])
