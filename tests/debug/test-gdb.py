#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks tools/asyncuv-gdb.py on a live process, and on the core that it writes of it.

A sanitizer's shadow memory has no place in a core: such a program is looked at alive only.

usage: test-gdb.py GDB ASYNCUV-GDB.PY with-core|without-core PROGRAM
"""

import pathlib
import subprocess
import sys
import tempfile
import unittest

SKIP = 77

MARK = 'echo ---\\n'
TO_BREAKPOINT = ['break everyone_waits', 'run']
COMMANDS = ['auv tasks', MARK, 'auv bt worker', MARK, 'auv bt all', MARK, 'backtrace']


def run_gdb(gdb, program, *commands, core=None):
    arguments = [gdb, '--quiet', '--nx', '--batch']
    for command in ['set confirm off', 'set breakpoint pending on', *commands]:
        arguments += ['-ex', command]
    run = subprocess.run([*arguments, program, *([core] if core else [])], stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=100)
    return run.stdout


class Gdb(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        core = str(pathlib.Path(cls.folder.name, 'core'))
        source = f'source {cls.script}'
        end = [MARK, *([f'auv core {core}'] if cls.with_core else []), 'kill']
        cls.printed = {'live': run_gdb(cls.gdb, cls.program, source, *TO_BREAKPOINT, MARK, *COMMANDS, *end)}
        if cls.with_core:
            cls.printed['core'] = run_gdb(cls.gdb, cls.program, source, MARK, *COMMANDS, core=core)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def sections(self):
        """What each command has printed, live and from the core."""
        for name, text in self.printed.items():
            parts = text.split('---\n')
            self.assertGreaterEqual(len(parts), 1 + len(COMMANDS) // 2, text)
            yield name, parts[1:]

    def test_lists_the_tasks_and_what_each_waits_for(self):
        for name, (tasks, *_) in self.sections():
            with self.subTest(name):
                self.assertRegex(tasks, r'loop 0x\w+, 6 tasks\n')
                self.assertRegex(tasks, r"'Task-1', awaits gather 0x\w+\n"
                                        r' +runs  start_all\(\) at .*gdb-program.c:\d+\n'
                                        r' +waits start_all\(\) at .*gdb-program.c:\d+\n')
                self.assertRegex(tasks, r"'worker', awaits future 0x\w+\n"
                                        r' +runs  worker\(\) at .*gdb-program.c:\d+\n'
                                        r' +waits take_job\(\) at .*gdb-program.c:\d+\n')
                self.assertRegex(tasks, r"'Task-\d+', waits for I/O\n"
                                        r' +runs  reader\(\) at .*gdb-program.c:\d+\n'
                                        r' +waits reader\(\) at .*gdb-program.c:\d+\n')
                self.assertRegex(tasks, r"'Task-\d+', awaits task 'sleeper'\n"
                                        r' +runs  waits_without_stack\(\) at .*gdb-program.c:\d+\n'
                                        r' +waits waits_without_stack\(\) at .*gdb-program.c:\d+\n')
                self.assertRegex(tasks, r"'sleeper', running\n +runs  sleeper\(\) at .*gdb-program.c:\d+\n")

    def test_gives_the_backtrace_of_a_suspended_task(self):
        for name, (_, backtrace, *_) in self.sections():
            with self.subTest(name):
                frames = [line for line in backtrace.splitlines() if line.startswith('#')]
                functions = ' '.join(frames)
                self.assertTrue(frames[0].startswith('#0 '), backtrace)
                self.assertRegex(functions, r'auv_await_queue_get '
                                            r'.*take_job \(jobs=0x\w+\) at .*gdb-program.c:\d+'
                                            r'.* worker \(arg=0x\w+, ret=0x\w+\) at .*gdb-program.c:\d+')

    def test_gives_the_backtraces_of_all(self):
        for name, (_, _, backtraces, *_) in self.sections():
            with self.subTest(name):
                self.assertEqual(backtraces.count('take_job ('), 2, backtraces)
                self.assertEqual(backtraces.count('auv_await_gather ('), 1, backtraces)
                self.assertIn('it is on the stack of its thread', backtraces)
                self.assertIn('it has no stack, and waits waits_without_stack() at ', backtraces)

    def test_leaves_the_process_as_it_was(self):
        for name, (_, _, _, backtrace, *_) in self.sections():
            with self.subTest(name):
                self.assertRegex(backtrace, r'#0 +everyone_waits \(\)')
                self.assertRegex(backtrace, r'#1 .* sleeper \(arg=')

    def test_says_so_where_there_is_no_such_task(self):
        commands = [f'source {self.script}', *TO_BREAKPOINT, 'auv bt nobody', 'kill']
        text = run_gdb(self.gdb, self.program, *commands)
        self.assertIn('there is no task nobody', text)


def main(gdb, script, with_core, program):
    if not gdb:
        print('there is no gdb')
        return SKIP
    if 'Cannot' in run_gdb(gdb, program, 'break main', 'run', 'kill'):
        print('gdb may not run programs here')
        return SKIP
    Gdb.gdb, Gdb.script, Gdb.program, Gdb.with_core = gdb, script, program, with_core == 'with-core'
    return 0 if unittest.main(argv=sys.argv[:1], exit=False).result.wasSuccessful() else 1


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
