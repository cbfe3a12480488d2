# SPDX-License-Identifier: MIT
"""How each subject looks: colours that can be told apart on white, and a mark and a dash for who sees none."""

from dataclasses import dataclass

from .svg import element


@dataclass(frozen=True)
class Style:
    colour: str
    mark: str
    dash: str = None
    width: float = 1.6


STYLES = {
    'asyncuv stackless': Style('#c1121f', 'circle', width=3.2),
    'asyncuv stackful': Style('#0b57d0', 'square', width=3.2),
    'asyncuv protocol': Style('#7b1fa2', 'diamond', width=3.2),
    'asyncuv streams': Style('#0b57d0', 'square', width=3.2),
    'libuv': Style('#111111', 'diamond'),
    'asio': Style('#6a1b9a', 'triangle', '7 3'),
    'tokio': Style('#8a5200', 'square', '7 3'),
    'st': Style('#5d7f00', 'diamond', '2 3'),
    'go': Style('#00798c', 'circle'),
    'erlang': Style('#c2185b', 'triangle'),
    'node': Style('#2e7d32', 'square', '2 3'),
    'uvloop': Style('#d35400', 'circle', '7 3'),
    'asyncio': Style('#546e7a', 'diamond', '7 3'),
}
OTHER = Style('#555555', 'circle', '1 3')


def style_of(name):
    """That of a peer is the same in all of its forms."""
    return STYLES.get(name) or STYLES.get(name.partition(' ')[0], OTHER)


def tint(colour, part=0.6):
    """A colour with the rest white."""
    parts = (int(colour[i:i + 2], 16) for i in (1, 3, 5))
    return '#' + ''.join(f'{round(255 - (255 - value) * part):02x}' for value in parts)


def mark(style, x, y, size=4.5, hollow=False):
    paint = {'fill': '#ffffff' if hollow else style.colour, 'stroke': style.colour, 'stroke_width': 1.8}
    if style.mark == 'circle':
        return element('circle', cx=x, cy=y, r=size, **paint)
    if style.mark == 'square':
        return element('rect', x=x - size * 0.9, y=y - size * 0.9, width=size * 1.8, height=size * 1.8, **paint)
    corners = {
        'diamond': [(0, -1.25), (1.25, 0), (0, 1.25), (-1.25, 0)],
        'triangle': [(0, -1.2), (1.15, 0.9), (-1.15, 0.9)],
    }[style.mark]
    points = ' '.join(f'{x + dx * size:.1f},{y + dy * size:.1f}' for dx, dy in corners)
    return element('polygon', points=points, **paint)
