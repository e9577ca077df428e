"""The plot of quality.py: distances against minutes of training, as an SVG."""

from html import escape
from math import ceil, floor, log

WIDTH, HEIGHT = 560, 360
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 12, 44
# Told apart without colours by their dashes.
STYLES = [("#1f77b4", ""), ("#d62728", "7 3")]


def ticks(low, high):
    """1, 2 and 5 times powers of ten within a range."""
    decades = range(floor(log(low, 10)), ceil(log(high, 10)) + 1)
    return [tick for decade in decades for factor in (1, 2, 5) if low <= (tick := factor * 10.0**decade) <= high]


def plot(points, curves):
    """The lines of an SVG, on logarithmic axes: a line through the means, and a dot for each seed.

    points: the minutes. curves: for each name, a list of the seeds' distances at each point.
    """
    values = [value for distances in curves.values() for seeds in distances for value in seeds]
    left, right = points[0] / 1.1, points[-1] * 1.1
    # From a tick to a tick, and a little more than the values.
    low, high = min(values) / 1.05, max(values) * 1.05
    bottom, top = ticks(low / 10, low)[-1], ticks(high, 10 * high)[0]

    def x(minutes):
        return LEFT + (WIDTH - LEFT - RIGHT) * log(minutes / left) / log(right / left)

    def y(distance):
        return TOP + (HEIGHT - TOP - BOTTOM) * log(top / distance) / log(top / bottom)

    yield (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
           'font-size="12">')
    yield f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>'
    for tick in ticks(bottom, top):
        yield f'<path d="M{LEFT} {y(tick):.1f}H{WIDTH - RIGHT}" stroke="#dddddd"/>'
        yield f'<text x="{LEFT - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>'
    for minutes in points:
        yield f'<path d="M{x(minutes):.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#dddddd"/>'
        yield f'<text x="{x(minutes):.1f}" y="{HEIGHT - BOTTOM + 16}" text-anchor="middle">{minutes:g}</text>'
    yield f'<text x="{(LEFT + WIDTH - RIGHT) / 2}" y="{HEIGHT - 8}" text-anchor="middle">minutes of training</text>'
    middle = (TOP + HEIGHT - BOTTOM) / 2
    yield f'<text transform="translate(14 {middle}) rotate(-90)" text-anchor="middle">Fréchet distance</text>'
    for number, (name, distances) in enumerate(curves.items()):
        colour, dashes = STYLES[number]
        style = f'fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dashes}"'
        means = [sum(seeds) / len(seeds) for seeds in distances]
        line = " ".join(f"{x(minutes):.1f},{y(mean):.1f}" for minutes, mean in zip(points, means))
        yield f'<polyline points="{line}" {style}/>'
        for minutes, seeds in zip(points, distances):
            for value in seeds:
                yield f'<circle cx="{x(minutes):.1f}" cy="{y(value):.1f}" r="3" fill="{colour}"/>'
        # In the upper right corner, which falling curves leave empty.
        height = TOP + 16 + 18 * number
        yield f'<path d="M{WIDTH - RIGHT - 120} {height}h32" {style}/>'
        yield f'<text x="{WIDTH - RIGHT - 80}" y="{height + 4}">{escape(name)}</text>'
    yield "</svg>"
