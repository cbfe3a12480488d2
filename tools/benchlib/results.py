# SPDX-License-Identifier: MIT
"""All that was measured: every value of every run, and what it was measured on."""

import json
from dataclasses import asdict, dataclass, field

from .stats import summarize

# The rest of what a line may have tells variants of a workload apart, as the size of a message does.
KEYS = ('workload', 'peer', 'form', 'n', 'metric', 'value', 'unit')


@dataclass(frozen=True)
class Subject:
    """What is compared: asyncuv in one of its forms, or a peer."""

    peer: str
    form: str = ''

    @property
    def name(self):
        return f'{self.peer} {self.form}' if self.form else self.peer

    @property
    def is_ours(self):
        return self.peer == 'asyncuv'


# In this order wherever they are listed: ours, then what needs least, more or less.
ORDER = ['asyncuv', 'libuv', 'asio', 'tokio', 'st', 'go', 'erlang', 'node', 'uvloop', 'asyncio']
FORMS = ['stackless', 'stackful']


def in_order(subjects):
    def place(value, values):
        return values.index(value) if value in values else len(values)

    return sorted(subjects, key=lambda s: (place(s.peer, ORDER), place(s.form, FORMS), s.name))


@dataclass
class Series:
    """The values of one metric, one for each run."""

    workload: str
    subject: Subject
    n: int
    variant: dict
    metric: str
    unit: str
    values: list

    @property
    def summary(self):
        return summarize(self.values)


@dataclass
class Results:
    machine: dict = field(default_factory=dict)
    settings: dict = field(default_factory=dict)
    versions: dict = field(default_factory=dict)  # of each peer
    skipped: list = field(default_factory=list)   # {'workload', 'n', 'subject', 'why'}
    series: dict = field(default_factory=dict)

    def add(self, line):
        """Takes one line of JSON, as a dict. What is no result is an error: ValueError."""
        missing = [key for key in KEYS if key not in line]
        if missing:
            raise ValueError(f'a result without {", ".join(missing)}')
        if not isinstance(line['value'], (int, float)) or isinstance(line['value'], bool):
            raise ValueError(f"a value that is no number: {line['value']!r}")
        subject = Subject(line['peer'], line['form'])
        variant = {key: value for key, value in line.items() if key not in KEYS}
        key = (line['workload'], subject, line['n'], json.dumps(variant, sort_keys=True), line['metric'])
        if key not in self.series:
            self.series[key] = Series(line['workload'], subject, line['n'], variant, line['metric'], line['unit'], [])
        self.series[key].values.append(line['value'])

    def skip(self, case, subject, why):
        self.skipped.append({'workload': case.workload, 'n': case.n, 'subject': subject.name, 'why': why})

    def find(self, workload, metric=None, subject=None, n=None):
        return [s for s in self.series.values()
                if s.workload == workload and metric in (None, s.metric) and subject in (None, s.subject)
                and n in (None, s.n)]

    def summary(self, workload, metric, subject, n=None):
        """Of one series, the first where n is left out and there are several; None where there is none."""
        found = self.find(workload, metric, subject, n)
        return found[0].summary if found else None

    def subjects(self, workload=None):
        return in_order({s.subject for s in self.series.values() if workload in (None, s.workload)})

    def sizes(self, workload, metric=None):
        return sorted({s.n for s in self.find(workload, metric)})

    def largest(self, workload, metric=None):
        """The largest n that we were measured with; None where the workload was not run."""
        ours = [s.n for s in self.find(workload, metric) if s.subject.is_ours]
        return max(ours or self.sizes(workload, metric), default=None)

    def runs(self):
        """How many there are of each figure: "5 runs", or "2 to 5 runs" where some took too long for more."""
        counts = {len(s.values) for s in self.series.values()} or {0}
        if len(counts) > 1:
            return f'{min(counts)} to {max(counts)} runs'
        return f'{max(counts)} runs' if max(counts) != 1 else 'one run'

    def fewer_runs(self):
        """A text for each workload that some were run less often for than others."""
        counts, sizes = {}, {}
        for s in self.series.values():
            counts.setdefault((s.workload, s.n), {})[s.subject] = len(s.values)
        for (workload, n), runs in counts.items():
            fewer = in_order(subject for subject in runs if runs[subject] < max(runs.values()))
            if fewer:
                told = ', '.join(f'{subject.name} {runs[subject]}' for subject in fewer)
                sizes.setdefault((workload, told), []).append(f'{n:,}')
        return [f'{workload} of {" and ".join(sizes[workload, told])}: {told}' for workload, told in sizes]

    def interrupted(self):
        """Nothing, or where a signal has ended it, as the rest of a sentence."""
        where = self.settings.get('interrupted')
        return f', as it was interrupted {where}' if where else ''

    def where(self, wanted):
        """Of the same machine, with the series that wanted(series) says."""
        return Results(self.machine, self.settings, self.versions, self.skipped,
                       {key: series for key, series in self.series.items() if wanted(series)})

    def to_json(self):
        series = [{'workload': s.workload, 'peer': s.subject.peer, 'form': s.subject.form, 'n': s.n, **s.variant,
                   'metric': s.metric, 'unit': s.unit, 'values': s.values, **asdict(s.summary)}
                  for s in self.series.values()]
        return json.dumps({'machine': self.machine, 'settings': self.settings, 'versions': self.versions,
                           'skipped': self.skipped, 'results': series}, indent=1) + '\n'

    @classmethod
    def from_json(cls, text):
        read = json.loads(text)
        results = cls(read['machine'], read['settings'], read['versions'], read['skipped'])
        for entry in read['results']:
            line = {key: value for key, value in entry.items()
                    if key not in ('values', 'median', 'low', 'high', 'runs')}
            for value in entry['values']:
                results.add({**line, 'value': value})
        return results
