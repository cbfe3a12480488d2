# SPDX-License-Identifier: MIT
"""The pieces that the sections of the page are made of."""

from .svg import element, text


def paragraph(content, class_=None):
    return element('p', text(content), class_=class_)


def section(title, *parts):
    """Nothing where there are no parts to show."""
    parts = [part for part in parts if part]
    return element('section', element('h2', text(title)), *parts) if parts else ''


def plot(title, drawing, *below):
    return element('h3', text(title)) + drawing + ''.join(below)


def folded(title, content):
    return element('details', element('summary', text(title)), content)


def table(head, rows, class_=None):
    """
    Rows are (class of the row, cells); a cell is a text, or a text and its class.
    """
    def cell(content):
        content, cell_class = content if isinstance(content, tuple) else (content, None)
        return element('td', text(content), class_=cell_class)

    first = element('tr', *(element('th', text(title), scope='col') for title in head))
    body = ''.join(element('tr', *(cell(content) for content in cells), class_=row_class)
                   for row_class, cells in rows)
    return element('div', element('table', element('thead', first), element('tbody', body), class_=class_),
                   class_='scroll')


def values_table(results, workload, metric, x_title, factor=1.0, form='{:,.0f}'):
    """All medians of a metric: a row for each subject, a column for each n; with the spread of the runs."""
    sizes = results.sizes(workload, metric)
    rows = []
    for subject in results.subjects(workload):
        cells = [subject.name]
        for n in sizes:
            summary = results.summary(workload, metric, subject, n)
            if summary is None:
                cells.append('-')
                continue
            spread = f'±{summary.spread:.0%}' if summary.runs > 1 else '(one run)'
            cells.append(f'{form.format(summary.median * factor)} {spread}')
        if set(cells[1:]) != {'-'}:
            rows.append(('ours' if subject.is_ours else None, cells))
    return table([x_title, *(f'{n:,}' for n in sizes)], rows)
