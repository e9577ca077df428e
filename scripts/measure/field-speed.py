"""Times training on fields against training on images of the same size, and periodic borders against zeros, in turn.

    field-speed.py PROGRAM RANKS

The network is that of the preset fashion-mnist, with attention one level lower. Prints a table in Markdown; runs are kept in .build/benchmarks/<time>.
scripts/measure/fields.sh runs this, and describes the environment variables.
"""

import os
import sys

from contest import Contest, Report, Side


def count_from_environment(name, default):
    text = os.environ.get(name, str(default))
    if not text.isdecimal() or int(text) < 1:
        sys.exit(f"{name}={text} is no number of at least 1; the default is {default}.")
    return int(text)


program, ranks = sys.argv[1:]
SIZE = count_from_environment("SPEED_SIZE", 128)
ROUNDS = count_from_environment("SPEED_ROUNDS", 3)
STEPS = count_from_environment("SPEED_STEPS", 5)
BATCH = 16
# At the second level, as in the preset, attention to 64x64 points would take most of the time; here it is at the third.
NETWORK = ["model.channels=64", "model.groups=32", "model.blocks=2", "model.multipliers=[1,2,2]", "model.dropout=0.1",
           f"model.attention_resolutions=[{SIZE // 4}]"]


def side(name, preset, *settings):
    command = ["scripts/mpirun.sh", ranks, program, "benchmark", "--json", "--preset", preset, "--image-size", str(SIZE),
               "--batch", str(BATCH), "--micro-batch", "2", "--steps", str(STEPS)]
    for setting in [*NETWORK, *settings]:
        command += ["--set", setting]
    return Side(name, command, is_ours=True)


periodic = side("fields of 4 channels, model.periodic=both", "fields", "data.channels=4")
zeros = side("fields of 4 channels, model.periodic=none", "fields", "data.channels=4", "model.periodic=none")
colour = side("images of 3 channels", "shapes")
grey = side("images of 1 channel", "fashion-mnist")
CHANNELS = {periodic: 4, zeros: 4, colour: 3, grey: 1}

contest = Contest("fields", list(CHANNELS))
contest.run_all(ROUNDS, Report())


def values_per_second(side):
    return contest.median(side, "images_per_second_median") * SIZE * SIZE * CHANNELS[side]


print(f"{SIZE}x{SIZE} points, batch {BATCH}, {ranks} rank{'s' * (ranks != '1')}, the network of fashion-mnist; medians of "
      f"{STEPS} steps, then of {ROUNDS} round{'s' * (ROUNDS != 1)}")
print()
print("| training | values/s | against | values/s | ratio | goal | reached |")
print("|---|---|---|---|---|---|---|")
for first, second, goal in [(periodic, zeros, 0.97), (periodic, colour, 1), (periodic, grey, 1)]:
    one, other = values_per_second(first), values_per_second(second)
    print(f"| {first.name} | {one:.3g} | {second.name} | {other:.3g} | {one / other:.3f} | ≥ {goal} "
          f"| {'yes' if one / other >= goal else 'no'} |")
