# SPDX-License-Identifier: MIT
"""Elements of SVG and HTML as text."""

from html import escape


def element(name, /, *children, **attributes):
    """
    Children are markup that is ready, from this function or text(). In the names of attributes an underscore
    stands for a hyphen, and one at the end for nothing: stroke_width, class_.
    """
    written = ''.join(f' {key.rstrip("_").replace("_", "-")}="{escape(number(value))}"'
                      for key, value in attributes.items() if value is not None)
    return f'<{name}{written}>{"".join(children)}</{name}>' if children else f'<{name}{written}/>'


def number(value):
    """A coordinate with a tenth of a pixel; anything else as it is."""
    return f'{value:.1f}'.rstrip('0').rstrip('.') if isinstance(value, float) else str(value)


def text(content):
    return escape(str(content), quote=False)


def label(x, y, content, **attributes):
    return element('text', text(content), x=x, y=y, **attributes)


def drawing(width, height, title, description, *children):
    """One plot, which scales with the page, and which a screen reader can tell of."""
    return element('svg', element('title', text(title)), element('desc', text(description)), *children,
                   xmlns='http://www.w3.org/2000/svg', viewBox=f'0 0 {width} {height}', role='img',
                   aria_label=title, class_='plot')
