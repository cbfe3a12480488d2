# SPDX-License-Identifier: MIT
"""The plots: lines against the number of tasks, bars, and ranges from median to worst."""

from dataclasses import dataclass

from .numbers import three_digits
from .scales import Linear, Log
from .styles import mark, style_of, tint
from .svg import drawing, element, label

GRID, AXIS, INK = '#dfe3e8', '#5f6b7a', '#1b1f24'
LINE_HEIGHT = 17


@dataclass(frozen=True)
class Line:
    """A curve: points are (x, y, lowest y, highest y)."""

    name: str
    points: tuple


@dataclass(frozen=True)
class Row:
    """What stands on one line of a bar or range plot."""

    name: str
    value: float       # the bar's end, or the range's filled mark
    low: float         # of several runs
    high: float
    far: float = None  # the range's other mark
    note: str = ''     # behind the figures


def apart(wanted, gap, low, high):
    """Places for labels near the @wanted ones, at least @gap apart, between @low and @high where that goes."""
    order = sorted(range(len(wanted)), key=lambda i: wanted[i])
    places = list(wanted)
    lowest, highest = low, high
    for i in order:
        places[i] = max(places[i], lowest)
        lowest = places[i] + gap
    for i in reversed(order):
        places[i] = min(places[i], highest)
        highest = places[i] - gap
    return places


def vertical_grid(scale, top, bottom):
    for value, written in scale.ticks():
        x = scale.place(value)
        yield element('line', x1=x, y1=top, x2=x, y2=bottom, stroke=GRID)
        if written:
            yield label(x, bottom + 19, written, text_anchor='middle', font_size=13, fill=AXIS)


def horizontal_grid(scale, left, right):
    for value, written in scale.ticks():
        y = scale.place(value)
        yield element('line', x1=left, y1=y, x2=right, y2=y, stroke=GRID)
        if written:
            yield label(left - 8, y + 4.5, written, text_anchor='end', font_size=13, fill=AXIS)


def curve(line, x_scale, y_scale):
    style = style_of(line.name)
    points = [(x_scale.place(x), y_scale.place(y)) for x, y, _, _ in line.points]
    yield element('polyline', points=' '.join(f'{x:.1f},{y:.1f}' for x, y in points), fill='none',
                  stroke=style.colour, stroke_width=style.width, stroke_dasharray=style.dash)
    for (x, y), (_, _, low, high) in zip(points, line.points):
        yield element('line', x1=x, x2=x, y1=y_scale.place(low), y2=y_scale.place(high), stroke=style.colour,
                      stroke_width=1.2)
        yield mark(style, x, y)


def line_plot(title, x_title, y_title, lines):
    """Both axes logarithmic; each curve is named at its right end."""
    width, height, left, right, top, bottom = 900, 470, 88, 720, 34, 414
    x_scale = Log([x for line in lines for x, *_ in line.points], left + 12, right - 12)
    y_scale = Log([y for line in lines for _, *ys in line.points for y in ys], bottom, top)
    parts = [*vertical_grid(x_scale, top, bottom), *horizontal_grid(y_scale, left, right)]
    for line in reversed(lines):
        parts += curve(line, x_scale, y_scale)
    parts.append(label(left - 60, 18, y_title, font_size=13.5, fill=INK))
    parts.append(label((left + right) / 2, bottom + 44, x_title, text_anchor='middle', font_size=13.5, fill=INK))
    ends = [y_scale.place(line.points[-1][1]) for line in lines]
    for line, end, place in zip(lines, ends, apart(ends, LINE_HEIGHT, top + 6, bottom)):
        style = style_of(line.name)
        x = x_scale.place(line.points[-1][0])
        parts.append(element('path', d=f'M{x + 8:.1f} {end:.1f} L{right + 10} {place:.1f} L{right + 16} {place:.1f}',
                             fill='none', stroke=style.colour, stroke_width=0.9, opacity=0.7))
        parts.append(mark(style, right + 22, place, size=4))
        parts.append(label(right + 32, place + 4.5, line.name, font_size=13.5, fill=style.colour,
                           font_weight=600 if line.name.startswith('asyncuv') else 400))
    names = ', '.join(f'{line.name} {three_digits(line.points[-1][1])}' for line in lines)
    return drawing(width, height, title, f'{y_title} against {x_title}. At the right end: {names}.', *parts)


def names_of(rows, left, places):
    for row, y in zip(rows, places):
        yield label(left - 12, y + 4.5, row.name, text_anchor='end', font_size=13.5,
                    fill=style_of(row.name).colour, font_weight=600 if row.name.startswith('asyncuv') else 400)


def frame(rows, row_height=28):
    """Room for as many rows: left, right, top, bottom, places."""
    left, right, top = 160, 800, 14
    places = [top + row_height * (i + 0.5) for i in range(len(rows))]
    return left, right, top, top + row_height * len(rows) + 4, places


def bar_plot(title, x_title, rows):
    """Bars from 0 on, with the value behind each, and the lowest and the highest run as a thin line."""
    left, right, top, bottom, places = frame(rows)
    scale = Linear([row.high for row in rows], left, right - 60)
    parts = list(vertical_grid(scale, top, bottom))
    for row, y in zip(rows, places):
        style = style_of(row.name)
        parts.append(element('rect', x=left, y=y - 8, width=max(scale.place(row.value) - left, 1.0), height=16,
                             fill=style.colour if row.name.startswith('asyncuv') else tint(style.colour)))
        parts.append(element('line', x1=scale.place(row.low), x2=scale.place(row.high), y1=y, y2=y, stroke=INK,
                             stroke_width=1.4))
        parts.append(label(max(scale.place(row.high), scale.place(row.value)) + 8, y + 4.5, three_digits(row.value),
                           font_size=13.5, fill=INK))
    parts += names_of(rows, left, places)
    parts.append(label((left + right) / 2, bottom + 42, x_title, text_anchor='middle', font_size=13.5, fill=INK))
    values = ', '.join(f'{row.name} {three_digits(row.value)}' for row in rows)
    return drawing(900, bottom + 54, title, f'{x_title}: {values}.', *parts)


def range_plot(title, x_title, rows, floor):
    """From a filled mark to a hollow one, logarithmic; what is below @floor stands at the left end."""
    left, right, top, bottom, places = frame(rows)
    ends = [value for row in rows for value in (row.value, row.far)]
    scale = Log(ends, left + 10, right - 110, floor)
    parts = list(vertical_grid(scale, top, bottom))
    for row, y in zip(rows, places):
        style = style_of(row.name)
        near, far = scale.place(row.value), scale.place(row.far)
        parts.append(element('line', x1=near, x2=far, y1=y, y2=y, stroke=style.colour, stroke_width=2.4))
        parts.append(mark(style, near, y, size=5.5))
        parts.append(mark(style, far, y, size=5.5, hollow=True))
        written = f'{three_digits(row.value)} – {three_digits(row.far)}{row.note}'
        parts.append(label(max(near, far) + 12, y + 4.5, written, font_size=12.5, fill=AXIS))
    parts += names_of(rows, left, places)
    parts.append(label((left + right) / 2, bottom + 42, x_title, text_anchor='middle', font_size=13.5, fill=INK))
    values = ', '.join(f'{row.name} {three_digits(row.value)} to {three_digits(row.far)}' for row in rows)
    return drawing(900, bottom + 54, title, f'{x_title}: {values}.', *parts)
