#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What tools/bench makes of results that are known.

usage: test-report.py TOOLS, the folder in which benchlib is
"""

import contextlib
import importlib.machinery
import importlib.util
import io
import json
import mmap
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
import xml.etree.ElementTree as ElementTree
from unittest import mock

sys.dont_write_bytecode = True
TOOLS = sys.argv.pop(1)
sys.path.insert(0, TOOLS)

from benchlib import columns, limits, markup, memory, numbers, page, plots, programs, readme, runner, scales, stats
from benchlib import table, targets, workloads
from benchlib.progress import Progress, duration
from benchlib.results import Results, Subject

LESS, LIBUV = Subject('asyncuv', 'stackless'), Subject('libuv')


def line(workload, subject, n, metric, value, unit, **variant):
    return {'workload': workload, 'peer': subject.peer, 'form': subject.form, 'n': n, **variant, 'metric': metric,
            'value': value, 'unit': unit}


def sample():
    """A little of each workload, for two subjects, in three runs."""
    results = Results({'CPU': 'Z80 <fast> & small', 'cores': 1, 'date': '1976-07-01'}, {'runs': 3},
                      {'asyncuv': 'abc', 'libuv': 'libuv 1.44.2'})
    for subject, factor in ((LESS, 1), (LIBUV, 2)):
        for run in (3, 1, 2):
            for n in (1000, 10_000, 1_000_000):
                results.add(line('sleep', subject, n, 'memory_per_task_total', 100 * factor + run + 1e6 / n, 'bytes'))
                results.add(line('sleep', subject, n, 'memory_per_task', 100 * factor + run, 'bytes'))
                results.add(line('sleep', subject, n, 'cpu_per_task', 300 * factor + run, 'ns'))
                results.add(line('sleep', subject, n, 'wall_beyond', 0.001 * factor * run, 's'))
            for workload, n in (('storm', 1000), ('storm', 100_000), ('stagger', 200)):
                for metric, value in (('p50', -5 * factor + run), ('p99', 90 * factor), ('max', 1000)):
                    results.add(line(workload, subject, n, f'lateness_{metric}_us', value, 'us'))
                results.add(line(workload, subject, n, 'early', factor - 1, 'fires'))
                results.add(line(workload, subject, n, 'fires_per_cpu_s', 4e6 / factor, '1/s'))
                results.add(line(workload, subject, n, 'cpu_per_task', 4000.0, 'ns'))
            results.add(line('timeouts', subject, 10, 'never_ns', 100 * factor, 'ns'))
            results.add(line('timeouts', subject, 10, 'always_ns', 200 * factor, 'ns'))
            results.add(line('cancel', subject, 10, 'cancel_ns', 70, 'ns'))
            for n in (2, 1000):
                results.add(line('primitives', subject, n, 'yield_ns', 10 * factor, 'ns'))
    results.skip(workloads.sleep(7, 1), LIBUV, 'it was <tired>')
    return results


class Stats(unittest.TestCase):
    def test_the_median_is_the_middle_of_an_odd_number(self):
        self.assertEqual(stats.median([9, 1, 5]), 5)

    def test_the_median_is_between_the_two_in_the_middle_of_an_even_number(self):
        self.assertEqual(stats.median([9, 1, 5, 4]), 4.5)

    def test_there_is_no_median_of_nothing(self):
        with self.assertRaises(ValueError):
            stats.median([])

    def test_the_spread_is_half_the_range_by_the_median(self):
        self.assertEqual(stats.summarize([8, 10, 16]).spread, 0.4)

    def test_values_around_zero_have_no_spread(self):
        self.assertEqual(stats.summarize([-1, 0, 1]).spread, 0)


class Numbers(unittest.TestCase):
    def test_three_digits_count(self):
        self.assertEqual([numbers.three_digits(v) for v in (0, 0.1234, 1.234, 12.34, 123.4, 1234.5, -12.34)],
                         ['0', '0.123', '1.23', '12.3', '123', '1,234', '-12.3'])

    def test_durations_are_in_minutes_from_one_on(self):
        self.assertEqual([duration(s) for s in (0.2, 59.4, 60, 125)], ['0 s', '59 s', '1 min 00 s', '2 min 05 s'])


class ResultsOfRuns(unittest.TestCase):
    def test_come_back_from_their_file(self):
        results = sample()
        again = Results.from_json(results.to_json())
        self.assertEqual(again, results)
        self.assertEqual(again.to_json(), results.to_json())

    def test_have_all_values_and_their_median(self):
        entry = next(e for e in json.loads(sample().to_json())['results'] if e['metric'] == 'memory_per_task')
        self.assertEqual((entry['values'], entry['median'], entry['low'], entry['high'], entry['runs']),
                         ([103, 101, 102], 102, 101, 103, 3))

    def test_say_who_was_run_less_often(self):
        results = sample()
        self.assertEqual(results.fewer_runs(), [])
        results.add(line('sleep', Subject('node'), 1000, 'cpu_per_task', 5, 'ns'))
        results.add(line('sleep', Subject('go'), 1000, 'cpu_per_task', 5, 'ns'))
        results.add(line('primitives', Subject('go'), 2, 'yield_ns', 5, 'ns'))
        results.add(line('primitives', Subject('go'), 1000, 'yield_ns', 5, 'ns'))
        self.assertEqual(results.fewer_runs(), ['sleep of 1,000: go 1, node 1', 'primitives of 2 and 1,000: go 1'])
        told = 'sleep of 1,000: go 1, node 1; primitives of 2 and 1,000: go 1.'
        self.assertIn(told, ' '.join(table.summary_lines(results)))
        self.assertIn(told, page.page(results))

    def test_keep_variants_of_a_workload_apart(self):
        results = Results()
        for size in (16, 4096):
            results.add(line('echo', LIBUV, 10, 'req_per_s', size, '1/s', size=size))
        self.assertEqual([s.values for s in results.find('echo')], [[16], [4096]])

    def test_refuse_what_is_no_result(self):
        for wrong in ({}, line('sleep', LESS, 1, 'early', 'none', 'fires'), line('sleep', LESS, 1, 'x', True, 's')):
            with self.assertRaises(ValueError):
                Results().add(wrong)

    def test_list_ours_first(self):
        self.assertEqual([s.name for s in sample().subjects()], ['asyncuv stackless', 'libuv'])


class Scales(unittest.TestCase):
    def test_a_decade_is_as_far_everywhere(self):
        scale = scales.Log([1, 1000], 0, 300)
        self.assertEqual([round(scale.place(v), 6) for v in (1, 10, 100, 1000)], [0, 100, 200, 300])

    def test_what_is_below_the_floor_stands_at_it(self):
        scale = scales.Log([-4, 0, 0.01, 1000], 0, 300, floor=1)
        self.assertEqual(scale.place(-4), 0)
        self.assertEqual(scale.place(0.01), 0)

    def test_a_single_value_has_an_axis(self):
        scale = scales.Log([7], 0, 100)
        self.assertTrue(0 < scale.place(7) < 100)
        self.assertTrue(list(scale.ticks()))

    def test_all_values_lie_on_a_linear_axis_that_begins_at_zero(self):
        for high in (0, 0.03, 1, 7, 999, 123456):
            scale = scales.Linear([high / 2, high], 0, 100)
            self.assertEqual(scale.place(0), 0)
            self.assertTrue(0 <= scale.place(high) <= 100 + 1e-9)
            self.assertLessEqual(len(list(scale.ticks())), 8)


class Plots(unittest.TestCase):
    def test_labels_keep_their_distance_and_their_order(self):
        wanted = [50, 51, 52, 10, 199]
        places = plots.apart(wanted, 17, 0, 200)
        ordered = sorted(places)
        self.assertTrue(all(b - a >= 17 for a, b in zip(ordered, ordered[1:])))
        self.assertEqual(sorted(range(5), key=places.__getitem__), sorted(range(5), key=wanted.__getitem__))
        self.assertTrue(0 <= ordered[0] and ordered[-1] <= 200)

    def test_labels_at_the_bottom_move_up(self):
        self.assertEqual(plots.apart([200, 200, 200], 17, 0, 200), [166, 183, 200])

    def check(self, drawing, names):
        root = ElementTree.fromstring(drawing)
        _, _, width, height = map(float, root.get('viewBox').split())
        for names_of_axis, end in ((('x', 'x1', 'x2', 'cx'), width), (('y', 'y1', 'y2', 'cy'), height)):
            for place in (float(node.get(key)) for node in root.iter() for key in names_of_axis if node.get(key)):
                self.assertTrue(0 <= place <= end, place)
        written = ''.join(root.itertext())
        for name in names:
            self.assertIn(name, written)

    def test_lines_are_well_formed_and_named(self):
        lines = [plots.Line(name, ((1, 5, 4, 6), (1e6, 0.5, 0.4, 0.7))) for name in ('go', 'a < b & c', 'libuv')]
        self.check(plots.line_plot('T & <t>', 'tasks', 'ns', lines), ['T & <t>', 'a < b & c', '1 M'])

    def test_bars_are_well_formed_and_named(self):
        rows = [plots.Row('asyncuv stackful', 3.0, 2.0, 4.0), plots.Row('"x"', 0, 0, 0)]
        self.check(plots.bar_plot('T', 'ns', rows), ['asyncuv stackful', '"x"', '3.00'])

    def test_ranges_are_well_formed_and_say_who_was_early(self):
        rows = [plots.Row('node', -70.0, -80.0, -60.0, 12000.0, ', and 5 early'), plots.Row('go', 5.0, 4.0, 6.0, 5.0)]
        self.check(plots.range_plot('T', 'us', rows, 1), ['node', '-70.0', '5 early'])


class Page(unittest.TestCase):
    def made(self, results):
        html = page.page(results)
        head, _, rest = html.partition('\n')
        self.assertEqual(head, '<!DOCTYPE html>')
        return html, ElementTree.fromstring(rest)

    def test_needs_nothing_from_elsewhere(self):
        html, root = self.made(sample())
        self.assertFalse(re.search(r'https?://', html.replace('http://www.w3.org/2000/svg', '')))
        self.assertFalse(re.search(r'url\(|@import', html))
        for node in root.iter():
            self.assertFalse({'src', 'href', 'srcset', 'data'} & set(node.attrib), node.tag)
            self.assertNotIn(node.tag, ('script', 'link', 'iframe', 'object', 'img'))

    def test_has_a_section_for_each_workload_that_was_run(self):
        _, root = self.made(sample())
        titles = ' '.join(''.join(h.itertext()) for h in root.iter('h2'))
        for word in ('Sleep', 'Storm', 'Stagger', 'Timeouts', 'Primitives', 'left out', 'Machine', 'aims at'):
            self.assertIn(word, titles)
        self.assertNotIn('Echo', titles)

    def test_shows_echo_where_there_is_any(self):
        results = Results({}, {'runs': 1})
        for n in (1, 100):
            for metric in ('req_per_cpu_s', 'latency_p50_us'):
                results.add(line('echo', LESS, n, metric, 10.0 * n, '1/s', size=1024))
        _, root = self.made(results)
        self.assertIn('Messages of 1,024 bytes', ''.join(root.itertext()))

    def test_is_made_of_a_single_result_too(self):
        for workload, metric in (('sleep', 'cpu_per_task'), ('storm', 'lateness_p50_us'), ('primitives', 'lock_ns')):
            results = Results({}, {'runs': 1})
            results.add(line(workload, LESS, 1, metric, 1.0, 'ns'))
            self.made(results)

    def test_escapes_what_others_have_written(self):
        _, root = self.made(sample())
        self.assertIn('Z80 <fast> & small', ''.join(root.itertext()))
        self.assertIn('it was <tired>', ''.join(root.itertext()))

    def test_shows_the_spread_in_its_tables(self):
        self.assertIn('102 ±1%', markup.values_table(sample(), 'sleep', 'memory_per_task', 'tasks'))


class Tables(unittest.TestCase):
    def test_columns_are_lined_up(self):
        lines = table.lines_of(['', 'a'], [['x', '1'], ['yy', '1,000']])
        self.assertEqual(lines, ['|    |     a |', '|----|------:|', '| x  |     1 |', '| yy | 1,000 |'])

    def test_the_best_of_lateness_is_never_early(self):
        results = sample()
        late = next(c for c in columns.sleep_columns(results) if c.title == 'p50')
        results.add(line('storm', Subject('go'), 1000, 'lateness_p50_us', 50, 'us'))
        self.assertEqual(columns.best_of(late, results), LESS)

    def test_columns_that_nobody_has_are_left_out(self):
        written = '\n'.join(table.summary_lines(sample()))
        self.assertIn('yield 1,000', written)
        self.assertNotIn('queue', written)

    def test_have_echo_by_connections_and_bytes(self):
        results = Results()
        for n, size, value in ((50, 64, 2e5), (50, 1024, 1e5), (1, 64, 3e5)):
            results.add(line('echo', LIBUV, n, 'req_per_cpu_s', value, '1/s', size=size))
        self.assertEqual(table.echo_table(results)[2:5],
                         ['|       | 1 x 64 | 50 x 64 | 50 x 1,024 |', '|-------|-------:|--------:|-----------:|',
                          '| libuv |    300 |     200 |        100 |'])

    def test_have_the_ratio_of_echo_to_libuv(self):
        results = Results()
        for subject, n, value in ((LIBUV, 1, 2e5), (LESS, 1, 1.5e5), (LESS, 50, 1e5)):
            results.add(line('echo', subject, n, 'req_per_cpu_s', value, '1/s', size=64))
        self.assertEqual(table.echo_table(results)[-2], '| asyncuv stackless |  0.750 |       - |')

    def test_stand_between_the_markers_of_the_readme(self):
        text = f'before\n{readme.BEGIN}\nold\n{readme.END}\nafter\n'
        once = readme.replace_between(text, ['new', 'table'])
        self.assertEqual(once, f'before\n{readme.BEGIN}\n\nnew\ntable\n\n{readme.END}\nafter\n')
        self.assertEqual(readme.replace_between(once, ['new', 'table']), once)

    def test_need_both_markers(self):
        for text in ('', readme.BEGIN, readme.END, f'{readme.END}\n{readme.BEGIN}\n'):
            with self.assertRaises(ValueError):
                readme.replace_between(text, [])


class Targets(unittest.TestCase):
    def verdict(self, what, results):
        return next(v for v in targets.verdicts(results) if v.what == what)

    def test_hold_or_not(self):
        results = sample()
        self.assertTrue(self.verdict('Memory of a stackless sleeping task', results).holds)
        self.assertFalse(self.verdict('CPU of a stackless sleeping task', results).holds)  # 0.5 of 0.4
        self.assertTrue(self.verdict('Storm, fires per CPU second, stackless', results).holds)
        self.assertTrue(self.verdict('Growth of CPU per stackless task', results).holds)

    def test_of_primitives_count_every_peer(self):
        results = sample()
        self.assertTrue(self.verdict('Yield among 1,000, stackless', results).holds)
        results.add(line('primitives', Subject('go'), 1000, 'yield_ns', 9, 'ns'))
        self.assertFalse(self.verdict('Yield among 1,000, stackless', results).holds)

    def test_are_silent_about_what_was_not_measured(self):
        self.assertEqual(targets.verdicts(Results()), [])


class Limits(unittest.TestCase):
    def why_not(self, peer, case, available=2**34):
        return limits.why_not(Subject(peer), case, 60, available)

    def test_leave_out_what_has_not_enough_memory(self):
        self.assertIsNone(self.why_not('go', workloads.sleep(1_000_000, 10)))
        self.assertIn('memory', self.why_not('go', workloads.sleep(1_000_000, 10), available=2**30))

    def test_leave_out_what_takes_too_long(self):
        self.assertIn('would take', self.why_not('asyncio', workloads.storm(1_000_000, 200)))

    def test_know_what_a_run_needs(self):
        self.assertGreater(limits.bytes_for(Subject('asyncuv', 'stackful'), workloads.sleep(1_000_000, 1)), 4.3e9)
        self.assertLess(limits.bytes_for(LESS, workloads.sleep(1_000_000, 1)), 3e8)
        self.assertEqual(limits.bytes_for(Subject('fortran'), workloads.sleep(1_000_000, 1)), 0)

    def test_know_nothing_of_others(self):
        self.assertIsNone(self.why_not('fortran', workloads.sleep(10**9, 1)))


def script(peer, code):
    return programs.Program(Subject(peer), (sys.executable, '-c', code), '1')


PRINTS = 'import json, sys; print(json.dumps(%r))'


class Memory(unittest.TestCase):
    def test_is_touched_and_freed(self):
        size = memory.STEP + memory.LEAST + 1
        code = ('import resource, sys; sys.path.insert(0, sys.argv[1]); from benchlib import memory\n'
                'memory.fetch(int(sys.argv[2])); print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)\n'
                'print(open("/proc/self/statm").read().split()[1])')
        run = subprocess.run([sys.executable, '-c', code, TOOLS, str(size)], capture_output=True, text=True, check=True)
        most, pages = map(int, run.stdout.split())
        self.assertGreater(most, size)
        self.assertLess(pages * mmap.PAGESIZE, size)

    def test_that_is_not_there_is_no_failure(self):
        self.assertIsNone(memory.fetch(2**62))

    def test_that_is_next_to_nothing_is_not_touched(self):
        with mock.patch.object(mmap, 'mmap') as mapped:
            memory.fetch(memory.LEAST - 1)
        mapped.assert_not_called()


class Runner(unittest.TestCase):
    def run_programs(self, compared, runs=2, budget=None):
        results = Results()
        cases = [workloads.Case('sleep', 1, (), 0.01), workloads.Case('storm', 1, (), 0.01)]
        self.told = io.StringIO()
        runner.Runner(cases, compared, runs, results, Progress(self.told), budget).run()
        return results

    def test_collects_a_value_from_each_run(self):
        results = self.run_programs([script('a', PRINTS % line('sleep', Subject('a'), 1, 'm', 5, 'ns'))], 3)
        self.assertEqual([s.values for s in results.find('sleep')], [[5] * 6])

    def test_fetches_the_memory_that_a_run_needs(self):
        with mock.patch.object(memory, 'fetch') as fetch:
            self.run_programs([script('go', '')], 1)
        self.assertEqual(fetch.mock_calls, [mock.call(limits.LIMITS['go'].bytes_per_task)] * 2)

    def test_gives_the_programs_turns(self):
        order = []
        original = runner.run_program
        runner.run_program = lambda command, seconds: order.append((command[-1], command[-2])) or []
        try:
            self.run_programs([programs.Program(Subject(p), (p,), '') for p in 'ab'])
        finally:
            runner.run_program = original
        once = [('sleep', 'a'), ('sleep', 'b'), ('storm', 'a'), ('storm', 'b')]
        self.assertEqual(order, once * 2)

    def test_leaves_out_what_fails_and_says_why(self):
        results = self.run_programs([script('a', 'import sys; sys.exit("no luck today")')])
        self.assertEqual({s['why'] for s in results.skipped}, {'failed with status 1: no luck today'})
        self.assertIn('no luck today', self.told.getvalue())

    def test_leaves_out_what_prints_no_results(self):
        for code in ('pass', 'print("hello")', 'print("{}")', 'print("[1]")'):
            self.assertTrue(self.run_programs([script('a', code)]).skipped)

    def test_leaves_out_what_cannot_be_started(self):
        results = self.run_programs([programs.Program(Subject('a'), ('/nonexistent',), '')])
        self.assertIn('cannot be started', results.skipped[0]['why'])

    def test_ends_what_takes_longer_than_it_may(self):
        results = self.run_programs([script('a', 'while True: pass')], 1, runner.Budget(run=0.2))
        self.assertIn('was ended', results.skipped[0]['why'])

    def test_runs_what_takes_long_as_often_as_there_is_time(self):
        jobs = {}
        for peer, seconds in (('asyncio', 30), ('node', 9), ('erlang', 1), ('go', 30)):
            job = runner.Job(workloads.Case('sleep', 1, ()), script(peer, ''), [seconds])
            jobs[peer] = job.runs_left(5, 20)
        self.assertEqual(jobs, {'asyncio': 0, 'node': 1, 'erlang': 4, 'go': 4})  # an aim is about Go

    def test_does_not_begin_what_the_time_is_too_short_for(self):
        results = self.run_programs([script('a', 'print()')], 1, runner.Budget(total=0))
        self.assertEqual({s['why'] for s in results.skipped}, {'no time was left for it'})


# Measures a timeout; to cancel, it ends the test instead. It and its child live as long as the connection.
ENDS_THE_TEST = """
import os, socket, subprocess, sys, time
if sys.argv[1] == 'timeouts':
    print(%r)
    sys.exit()
connection = socket.create_connection(('127.0.0.1', %d))
subprocess.Popen(['sleep', '1000'], pass_fds=[connection.fileno()])
os.kill(os.getppid(), %d)
time.sleep(1000)
"""


class Command(unittest.TestCase):
    """tools/bench itself."""

    def setUp(self):
        loader = importlib.machinery.SourceFileLoader('bench', os.path.join(TOOLS, 'bench'))
        self.bench = importlib.util.module_from_spec(importlib.util.spec_from_loader('bench', loader))
        loader.exec_module(self.bench)
        for number in (signal.SIGINT, signal.SIGTERM):
            self.addCleanup(signal.signal, number, signal.getsignal(number))

    def run_bench(self, build, *arguments):
        """The exit status or message, what was printed, and what is in the files that were written."""
        self.bench.build = build
        written, printed = {}, io.StringIO()
        with tempfile.TemporaryDirectory() as folder:
            command = ['bench', '--out', folder, *arguments]
            with mock.patch.object(sys, 'argv', command), self.assertRaises(SystemExit) as end:
                with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                    self.bench.main()
            for name in os.listdir(folder):
                with open(os.path.join(folder, name), encoding='utf-8') as file:
                    written[name] = file.read()
        return end.exception.code, printed.getvalue(), written

    def test_interrupted_ends_the_program_that_runs_and_reports_what_there_is(self):
        for number, expected in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            with socket.create_server(('127.0.0.1', 0)) as server:
                result = json.dumps(line('timeouts', LIBUV, 100_000, 'never_ns', 5, 'ns'))
                code = ENDS_THE_TEST % (result, server.getsockname()[1], number)
                status, printed, written = self.run_bench(lambda *_: [script('libuv', code)],
                                                          '--workloads', 'timeouts,cancel')
                with server.accept()[0] as connection:
                    self.assertEqual(connection.recv(1), b'')
            self.assertEqual(status, expected)
            results = Results.from_json(written['results.json'])
            self.assertEqual([(s.workload, s.values) for s in results.find('timeouts')], [('timeouts', [5])])
            for text in (printed.replace('\n', ' '), written['report.html']):
                self.assertIn('interrupted in run 1 of 5', text)

    def test_interrupted_in_the_build_reports_nothing(self):
        status, _, written = self.run_bench(lambda *_: signal.raise_signal(signal.SIGTERM))
        self.assertEqual((status, written), (143, {}))

    def test_reports_what_was_measured_before(self):
        with tempfile.NamedTemporaryFile('w', encoding='utf-8') as file:
            file.write(sample().to_json())
            file.flush()
            status, printed, written = self.run_bench(None, '--from', file.name)
        self.assertEqual((status, written['results.json']), (0, sample().to_json()))
        self.assertIn('CPU of a stackless sleeping task', printed)

    def test_says_what_it_cannot_read(self):
        for content in ('', 'word', '{}', '[]', '{"machine":1,"settings":1,"versions":1,"skipped":1,"results":[1]}'):
            with tempfile.NamedTemporaryFile('w', encoding='utf-8') as file:
                file.write(content)
                file.flush()
                self.assertIn('has no results', self.run_bench(None, '--from', file.name)[0])
        self.assertIn('No such file', self.run_bench(None, '--from', '/nonexistent')[0])

    def test_refuses_what_has_no_meaning(self):
        for mistake in (['--workloads', 'nap'], ['--workloads', ''], ['--peers', 'go,'], ['--peers', 'none,go'],
                        ['--runs', '0'], ['--runs', 'x'], ['word'], ['--pillows']):
            status, printed, written = self.run_bench(None, *mistake)
            self.assertEqual((status, written), (2, {}), mistake)
            self.assertIn('usage: ', printed)


class Peers(unittest.TestCase):
    def test_are_read_from_lines_with_tabs(self):
        read = programs.parse_peers('go\t/out/go -x\tgo1.19\nlibuv\t/out/libuv\tlibuv 1.44\nnonsense\n')
        self.assertEqual([(p.subject.peer, p.command, p.version) for p in read],
                         [('libuv', ('/out/libuv',), 'libuv 1.44'), ('go', ('/out/go', '-x'), 'go1.19')])

    def test_are_called_with_the_workload_first(self):
        [command] = script('a', 'x').commands_for(workloads.cancel(5))
        self.assertEqual(command[-3:], ['cancel', '--tasks', '5'])

    def test_ours_are_a_program_for_each_workload_and_form(self):
        ours = programs.Program(LESS, ('/b',), '')
        self.assertEqual(ours.commands_for(workloads.cancel(5)),
                         [['/b/bench-cancel', '--json', '--form', 'stackless', '--tasks', '5']])
        self.assertEqual([command[0] for command in ours.commands_for(workloads.primitives(1))],
                         ['/b/bench-primitives', '/b/bench-switch'])

    def test_have_servers_that_are_called_by_the_client(self):
        peers = [script('uvloop', 'x'), script('go', 'y')]
        servers = programs.echo_servers('/s', 'b', peers)
        self.assertEqual([s.subject.name for s in servers], ['uvloop streams', 'uvloop protocol', 'go'])
        [command] = servers[0].commands_for(workloads.echo(50, 64))
        self.assertEqual(command[:7], ['/s/b/bench/echo/bench-echo', '--peer', 'uvloop', '--form', 'streams',
                                       '--connections', '50'])
        self.assertEqual(command[command.index('--') + 1:],
                         [*peers[0].command, 'echo', '--port', '0', '--form', 'streams'])


class Cases(unittest.TestCase):
    def test_are_all_but_echo_where_none_are_named(self):
        for quick in (False, True):
            self.assertEqual({c.workload for c in workloads.chosen(None, quick)}, {*workloads.NAMES} - {'echo'})

    def test_are_those_that_are_named(self):
        for name in workloads.NAMES:
            for quick in (False, True):
                self.assertEqual({c.workload for c in workloads.chosen([name], quick)}, {name})

    def test_of_echo_get_warm_by_messages_of_each_connection(self):
        self.assertEqual([workloads.echo_warmup(n, size) for n, size in ((1, 64), (50, 65536), (5000, 64))],
                         [0.3, 0.3, 0.75])
        many = workloads.echo(5000, 65536)
        self.assertEqual(many.arguments[-2:], ('--warmup', '3.73'))
        self.assertGreater(many.seconds, 4.7)

    def test_of_echo_are_run_by_servers_and_the_others_by_programs(self):
        server = programs.EchoServer(LIBUV, 'client', (), '')
        for case in workloads.FULL + workloads.ECHO:
            self.assertNotEqual(server.takes(case), script('a', 'x').takes(case))


if __name__ == '__main__':
    unittest.main()
