"""Runs ddpm-mpi as the documentation shows it, but with long jobs shortened: what takes hours there takes seconds here.

    python brief.py PROGRAM COMMAND ARGUMENT...

`brief_program` in scripts/shared/cases.sh puts this in the place of `ddpm-mpi` when pages are tested. The numbers of
training steps, images and sampling steps are reduced; all other arguments are passed on unchanged.
"""

import os
import sys

# Values of a run's keys that are not set by the arguments.
DEFAULT_SETTINGS = {
    "training.steps": 4, "training.checkpoint_every": 4, "training.log_every": 1, "sampling.steps": 2,
    "sampling.count": 4, "evaluation.reference_count": 500,
}
# More of them, for runs that begin: a run that is resumed keeps its own. A batch of 8 can have as many ranks.
FIRST_SETTINGS = {"training.batch": 8, "training.micro_batch": 1}
# For keys that are set: the maximum, and the value that replaces a larger one. A hundred steps are fast enough.
MAXIMUM_SETTINGS = {"training.steps": (100, 4), "evaluation.every": (2, 2), "evaluation.count": (16, 16)}
# Only runs on fields have this key, and the fields are few.
SETTING_OF_FIELDS = "evaluation.members"

# For options of other commands: both the maximum and the default.
MAXIMUM_OPTIONS = {
    "sample": {"--steps": 10, "--count": 64},
    "restore": {"--steps": 10, "--count": 3},
    "evaluate": {"--steps": 10, "--count": 64, "--reference-count": 500},
    "benchmark": {"--steps": 1, "--batch": 8},
    # The network evaluates each image hundreds of times.
    "likelihood": {"--count": 2},
    "encode": {"--count": 2},
    "interpolate": {"--rows": 2, "--columns": 3},
}
# Options and measures that only fields have.
SIGNS_OF_FIELDS = {"--condition", "--members", "spectrum", "histogram", "moments", "crps"}
# Maxima of options that are given. By default, an ensemble has one member, and all conditions and reference fields of a
# file are used.
MAXIMUM_MEMBERS = {"--members": 2}
MAXIMUM_FIELDS = {"--count": 4}


def shorten_settings(arguments):
    """Changes the values of `--set` in place, and adds those that are missing."""
    positions = {
        arguments[index + 1].split("=")[0]: index + 1
        for index, argument in enumerate(arguments[:-1]) if argument == "--set"
    }
    for key, (maximum, replacement) in MAXIMUM_SETTINGS.items():
        if key in positions and int(arguments[positions[key]].split("=")[1]) > maximum:
            arguments[positions[key]] = f"{key}={replacement}"
    keeps_settings = "--resume" in arguments and not {"--preset", "--config"} & set(arguments)
    for key, value in (DEFAULT_SETTINGS if keeps_settings else DEFAULT_SETTINGS | FIRST_SETTINGS).items():
        if key not in positions and not (key == "evaluation.reference_count" and SETTING_OF_FIELDS in positions):
            arguments += ["--set", f"{key}={value}"]


def limit_options(arguments, maxima):
    """Limits the options' values in place."""
    for option, maximum in maxima.items():
        if option in arguments:
            index = arguments.index(option) + 1
            arguments[index] = str(min(int(arguments[index]), maximum))


def shorten_options(arguments, maxima):
    """Limits the options' values in place, and adds those that are missing."""
    limit_options(arguments, maxima)
    for option, maximum in maxima.items():
        if option not in arguments:
            arguments += [option, str(maximum)]


def are_of_fields(arguments):
    """Whether the arguments say that the samples are fields."""
    return not SIGNS_OF_FIELDS.isdisjoint(name for argument in arguments for name in argument.split(","))


def shorten(command, arguments):
    """The command line of a shorter job."""
    arguments = list(arguments)
    if command in ("train", "train-classifier"):
        shorten_settings(arguments)
    # `benchmark --job start` takes no steps.
    elif command in MAXIMUM_OPTIONS and "start" not in arguments:
        maxima = dict(MAXIMUM_OPTIONS[command])
        limit_options(arguments, MAXIMUM_MEMBERS)
        # This sampler chooses its steps itself.
        if "ode-rk45" in arguments:
            maxima.pop("--steps", None)
        if command in ("sample", "evaluate") and are_of_fields(arguments):
            limit_options(arguments, MAXIMUM_FIELDS)
            maxima = {option: maximum for option, maximum in maxima.items() if option == "--steps"}
        shorten_options(arguments, maxima)
    # Its measurements take the longer, the larger the network is.
    elif command == "plan" and "--preset" in arguments:
        arguments[arguments.index("--preset") + 1] = "fashion-mnist"
    return [command, *arguments]


def main():
    program, command, *arguments = sys.argv[1:]
    os.execv(program, ["ddpm-mpi", *shorten(command, arguments)])


if __name__ == "__main__":
    main()
