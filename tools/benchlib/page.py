# SPDX-License-Identifier: MIT
"""The report: one page that needs nothing else, for someone who has never seen the project."""

import os

from . import columns, plots
from .markup import folded, paragraph, plot, section, table, values_table
from .numbers import with_unit
from .results import Subject
from .svg import element, text
from .targets import verdicts

PEERS = {
    'libuv': 'raw libuv timers with a callback in C, no tasks: the floor for what libuv offers',
    'asio': 'C++20 coroutines on Asio',
    'tokio': 'async Rust on Tokio, on one thread',
    'st': 'State Threads, coroutines with stacks in C',
    'go': 'goroutines',
    'erlang': 'Erlang processes',
    'node': 'JavaScript promises on Node.js',
    'uvloop': "Python's asyncio on uvloop",
    'asyncio': "CPython's own asyncio",
}


def line_plot_of(results, workload, metric, title, y_title, n_min=1, x_title='tasks'):
    lines = []
    for subject in results.subjects(workload):
        points = []
        for series in sorted(results.find(workload, metric, subject), key=lambda s: s.n):
            summary = series.summary
            if series.n >= n_min and summary.median > 0:
                points.append((series.n, summary.median, max(summary.low, summary.median / 100), summary.high))
        if points:
            lines.append(plots.Line(subject.name, tuple(points)))
    if not any(len(line.points) > 1 for line in lines):
        return ''
    return plots.line_plot(title, x_title, y_title, lines)


def bars_of(results, workload, metric, n, title, x_title, factor=1.0, most_first=False):
    rows = []
    for subject in results.subjects(workload):
        summary = results.summary(workload, metric, subject, n)
        if summary:
            rows.append(plots.Row(subject.name, *(value * factor for value in (summary.median, summary.low,
                                                                               summary.high))))
    rows.sort(key=lambda row: row.value, reverse=most_first)
    return plots.bar_plot(title, x_title, rows) if rows else ''


def lateness_of(results, workload, n, title):
    rows = []
    for subject in results.subjects(workload):
        near = results.summary(workload, 'lateness_p50_us', subject, n)
        far = results.summary(workload, 'lateness_p99_us', subject, n)
        if near and far:
            early = results.summary(workload, 'early', subject, n)
            note = f', and {early.median:,.0f} early' if early and early.median else ''
            rows.append(plots.Row(subject.name, near.median, near.low, near.high, far.median, note))
    rows.sort(key=lambda row: row.value)
    return plots.range_plot(title, 'microseconds late: median (filled) to 99th percentile (hollow)', rows,
                            floor=1) if rows else ''


def summary_table(results, chosen):
    rows = columns.rows_of(chosen, results)
    used = [i for i in range(len(chosen)) if any(texts[i] != '-' for _, texts in rows)]
    best = {i: columns.best_of(chosen[i], results) for i in used}
    return table(['', *(chosen[i].title for i in used)],
                 [('ours' if subject.is_ours else None,
                   [subject.name, *((texts[i], 'best' if subject == best[i] else None) for i in used)])
                  for subject, texts in rows]) if used else ''


def head_section(results):
    machine = results.machine
    figures = []
    for form in ('stackless', 'stackful'):
        subject, n = Subject('asyncuv', form), results.largest('sleep')
        memory = results.summary('sleep', 'memory_per_task_total', subject, n)
        cpu = results.summary('sleep', 'cpu_per_task', subject, n)
        if memory:
            figures.append((f'{memory.median:,.0f} bytes', f'for each of {n:,} sleeping {form} tasks'))
        if cpu:
            figures.append((with_unit(cpu.median, 'ns'), f'of CPU for the whole life of each, {form}'))
    few = min(results.sizes('storm'), default=None)
    late = [s for s in (results.summary('storm', 'lateness_p50_us', Subject('asyncuv', form), few)
                        for form in ('stackless', 'stackful')) if s]
    if late:
        figures.append((with_unit(late[0].median, 'us'), f'late is the median sleep, among {few:,} busy tasks'))
    items = ''.join(element('li', element('strong', text(value)), element('span', text(what)))
                    for value, what in figures)
    return (element('h1', text('What does a sleeping task cost?'))
            + paragraph("asyncuv is Python's asyncio for C: tasks, cancellation, timeouts and queues on libuv's event "
                        'loop. This page measures what its tasks cost, beside other runtimes that do the same work '
                        'in the same minutes on the same machine.', 'lead')
            + (element('ul', items, class_='figures') if items else '')
            + paragraph(f"Measured on {machine.get('date')}: {machine.get('CPU')}, {machine.get('cores')} cores, "
                        f"{machine.get('memory')} of memory, {machine.get('kernel')}."))


def reading_section(results):
    return section(
        'How to read it',
        paragraph('A task here is whatever a runtime offers for something that goes on beside other things: a task, '
                  'a goroutine, a process, a promise, a thread in user space. asyncuv has two forms of it. A stackful '
                  'task is a plain C function with a small stack of its own; a stackless one is a state machine '
                  'written with macros, and keeps only what it names.'),
        paragraph(f'Each figure is the median of {results.runs()}{results.interrupted()}. What takes long has '
                  'fewer. All programs take turns within each run, so that what disturbs the machine disturbs all of '
                  'them. Thin lines through marks and bars, and the ± in tables, go from the lowest to the highest '
                  'run. Less is better everywhere but where it says otherwise. Axes with steps 1, 10, 100 are '
                  'logarithmic: as far again means ten times as much.'))


def overview_section(results):
    found = summary_table(results, columns.sleep_columns(results))
    return section('At a glance',
                   element('ul', *(element('li', element('strong', text(names)), text(': ' + what))
                                   for names, what in columns.sleep_legend(results))),
                   paragraph('A star marks the best of a column; of lateness, the best without a sleep that ended '
                             'early.'), found) if found else ''


def sleep_section(results):
    memory, cpu = 'memory_per_task_total', 'cpu_per_task'
    grown = line_plot_of(results, 'sleep', memory, 'Memory per sleeping task', 'bytes per task', n_min=100)
    spent = line_plot_of(results, 'sleep', cpu, 'CPU per sleeping task', 'nanoseconds per task', n_min=100)
    if not results.find('sleep'):
        return ''
    return section(
        'Sleep: many tasks that wait',
        paragraph('N tasks start, sleep for some seconds, and are waited for. While they sleep, nothing happens: what '
                  'one of them costs is the memory it needs, and the processor time to make it, put it to sleep, wake '
                  'it and collect its result.'),
        grown and plot('Memory per task, the whole process at its peak, page tables included', grown,
                       folded('The figures, in bytes', values_table(results, 'sleep', memory, 'tasks'))),
        grown and paragraph('With few tasks this is mostly the runtime itself, divided among them; the right end shows '
                            'the task.'),
        spent and plot('CPU per task', spent,
                       folded('The figures, in nanoseconds', values_table(results, 'sleep', cpu, 'tasks'))),
        folded('Time beyond the sleep, in milliseconds: from the first task made to the last one collected',
               values_table(results, 'sleep', 'wall_beyond', 'tasks', 1000, '{:,.2f}')))


def storm_section(results):
    if not results.find('storm'):
        return ''
    most, few = results.largest('storm'), min(results.sizes('storm'))
    early = [(s.subject.name, s.n, s.summary.high) for s in results.find('storm', 'early') if s.summary.high > 0]
    told = ('; '.join(f'{name} {count:,.0f} among {n:,} tasks' for name, n, count in early)
            if early else 'none, in no program')
    return section(
        'Storm: timers that never rest',
        paragraph('N tasks sleep 1 to 10 milliseconds, by chance but the same for every program, again and again. With '
                  'many tasks the processor has no rest, and what counts is how many sleeps end for each second that '
                  'it works. With few, what counts is how late a sleep ends; a sleep must never end early.'),
        plot(f'Sleeps that end per CPU second, {most:,} tasks (more is better)',
             bars_of(results, 'storm', 'fires_per_cpu_s', most, 'Sleeps per CPU second',
                     'millions of sleeps per CPU second', 1e-6, most_first=True)),
        plot(f'How late sleeps end, {few:,} tasks', lateness_of(results, 'storm', few, 'Lateness in the storm')),
        paragraph(f'Sleeps that ended early: {told}.'))


def stagger_section(results):
    n = results.largest('stagger')
    return section(
        'Stagger: a loop that is mostly idle',
        paragraph('One task is started each millisecond, and sleeps 1 to 100 milliseconds. Little happens at a time, '
                  'so that this shows how precisely a runtime lets the kernel wake it.'),
        plot(f'How late sleeps end, {n:,} tasks', lateness_of(results, 'stagger', n, 'Lateness, staggered')),
        plot('CPU per task, with the wakeups of the loop',
             bars_of(results, 'stagger', 'cpu_per_task', n, 'CPU per staggered task',
                     'microseconds per task', 1e-3))) if n else ''


def timeouts_section(results):
    n, m = results.largest('timeouts'), results.largest('cancel')
    never = n and bars_of(results, 'timeouts', 'never_ns', n, 'A timeout that never fires', 'nanoseconds per wait')
    always = n and bars_of(results, 'timeouts', 'always_ns', n, 'A timeout that fires', 'nanoseconds per wait')
    cancelled = m and bars_of(results, 'cancel', 'cancel_ns', m, 'Cancelling a sleep', 'nanoseconds per task')
    return section(
        'Timeouts and cancellation',
        paragraph('What servers do all day: wait for something, but not for ever. The CPU for a task that waits under '
                  'a timeout, from its making to its end; and for asking a sleeping task to stop and collecting it.')
        if never or cancelled else '',
        never and plot(f'{n:,} waits under a timeout that never fires', never),
        always and plot(f'{n:,} waits under a timeout that fires', always),
        cancelled and plot(f'{m:,} sleeping tasks cancelled', cancelled))


def primitives_section(results):
    found = summary_table(results, columns.primitive_columns(results))
    sizes = [(s.metric.replace('size_', ''), s.summary.median) for s in results.find('primitives')
             if s.metric.startswith('size_') and s.subject.form == 'stackful']
    return section(
        'Primitives',
        paragraph('The single steps, in nanoseconds, each measured in a loop that does nothing else. A star marks the '
                  'lowest of a column. A dash: the runtime has nothing of that kind.'),
        found,
        paragraph('Structures of asyncuv: ' + ', '.join(f'{name} {size:.0f} bytes' for name, size in sizes) + '.')
        if sizes else '') if found else ''


def echo_section(results):
    """For results of a workload "echo": n are connections, and the variant has the size of a message."""
    sizes = sorted({s.variant.get('size', 0) for s in results.find('echo')})
    titles = [('req_per_cpu_s', 'Requests per second of the server’s CPU time (more is better)',
               'requests per CPU second'),
              ('req_per_s', 'Requests per second (more is better)', 'requests per second'),
              ('latency_p50_us', 'Latency, median', 'microseconds'),
              ('latency_p99_us', 'Latency, 99th percentile', 'microseconds')]
    parts = []
    for size in sizes:
        only = results.where(lambda s, size=size: s.workload == 'echo' and s.variant.get('size', 0) == size)
        parts.append(element('h3', text(f'Messages of {size:,} bytes')))
        for metric, title, unit in titles:
            drawn = line_plot_of(only, 'echo', metric, title, unit, x_title='connections')
            if not drawn and only.largest('echo', metric):
                n = only.largest('echo', metric)
                drawn = bars_of(only, 'echo', metric, n, title, f'{unit}, {n:,} connections',
                                most_first='req' in metric)
            if drawn:
                parts.append(plot(title, drawn, folded(f'The figures, in {unit}',
                                                       values_table(only, 'echo', metric, 'connections'))))
    return section('Echo: a server that sends back what it gets',
                   paragraph('Connections over the loopback each send a message, wait until it has come back, and send '
                             'the next. Of asyncuv there is a server of protocols, which are callbacks, and two of '
                             'streams: with a stack for each connection, and without (stackless).'),
                   *parts) if parts else ''


def comparison_section(results):
    rows = [(None, [v.what, v.measured, v.aim, ('yes', 'yes') if v.holds else ('no', 'no')])
            for v in verdicts(results)]
    return section('How it compares with what it aims at',
                   paragraph('The project has set itself these aims.'),
                   table(['', 'measured', 'aim', 'holds'], rows, 'words')) if rows else ''


def skipped_section(results):
    """Those with the same reason are in one row."""
    together = {}
    for s in results.skipped:
        together.setdefault((s['workload'], s['n'], s['why']), []).append(s['subject'])
    rows = [(None, [workload, f'{n:,}', ', '.join(subjects), why])
            for (workload, n, why), subjects in together.items()]
    fewer = results.fewer_runs()
    return section('What was left out',
                   table(['workload', 'tasks', 'programs', 'why'], rows, 'words') if rows else '',
                   paragraph(f'Run less often than others, and how often: {"; ".join(fewer)}.') if fewer else ''
                   ) if rows or fewer else ''


def machine_section(results):
    machine = [(None, [name, str(value)]) for name, value in results.machine.items()]
    programs = [(None, [peer, PEERS.get(peer, 'this project'), version or ''])
                for peer, version in results.versions.items()]
    return section('Machine, programs and versions',
                   table(['', ''], machine, 'words'),
                   table(['program', 'what it is', 'version'], programs, 'words') if programs else '',
                   element('p', 'To repeat it: ', element('code', text('tools/bench')),
                           text(' in the project’s folder. The file results.json beside this page has every value of '
                                'every run; docs/benchmarks.md says exactly what each workload does.')))


def page(results):
    with open(os.path.join(os.path.dirname(__file__), 'page.css'), encoding='utf-8') as file:
        css = file.read()
    sections = [head_section, reading_section, overview_section, sleep_section, storm_section, stagger_section,
                timeouts_section, primitives_section, echo_section, comparison_section, skipped_section,
                machine_section]
    head = (element('meta', charset='utf-8') + element('title', 'What a sleeping task costs: asyncuv and others')
            + element('meta', name='viewport', content='width=device-width, initial-scale=1')
            + f'<style>\n{css}</style>')
    body = '\n'.join(made for made in (make(results) for make in sections) if made)
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n</body></html>\n'
