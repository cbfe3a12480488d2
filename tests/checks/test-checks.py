#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that the checks can fail: each runs on small projects with one fault each."""

import pathlib
import subprocess
import sys
import tempfile
import unittest

FOLDER = pathlib.Path(__file__).parent

SOUND = {
    'include/asyncuv/noun.h': '\n'.join([
        '/**',
        ' * auv_verb() - do it',
        ' * @noun:        to what',
        ' *',
        ' * Return: 0.',
        ' * Suspends: no.    Thread: any.',
        ' */',
        'AUV_API int auv_verb(int noun);',
        '']),
    'docs/parity.md': '| `verb()` | `auv_verb` | |\n',
    'lib/libasyncuv.sym': 'ASYNCUV_0 {\nglobal:\n        auv_verb;\nlocal:\n        *;\n};\n',
    'lib/base/noun.h': '#include <stdio.h>\n',
    'lib/loop/turn.c': '#include "base/noun.h"\n#include <uv.h>\n',
    'tests/api/test.c': 'int main(void)\n{\n        return auv_verb(1);\n}\n',
}


class Checks(unittest.TestCase):
    def run_check(self, script, files):
        """Runs a check on a project of these files; gives its exit status and what it printed."""
        with tempfile.TemporaryDirectory() as project:
            for name, text in files.items():
                path = pathlib.Path(project, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text, encoding='utf-8')
            run = subprocess.run([sys.executable, FOLDER / script, project], stdout=subprocess.PIPE, text=True)
            return run.returncode, run.stdout

    def assert_finds(self, script, name, old, new, expected):
        self.assertIn(old, SOUND.get(name, ''))
        status, printed = self.run_check(script, {**SOUND, name: SOUND.get(name, '').replace(old, new, 1)})
        self.assertEqual(status, 1, printed)
        self.assertIn(expected, printed)

    def test_a_sound_project_passes(self):
        for script in ['check-layers.py', 'check-api.py']:
            status, printed = self.run_check(script, SOUND)
            self.assertEqual(status, 0, printed)

    def test_layers(self):
        for name, text, expected in [
                ('lib/base/noun.h', '#include "nowhere.h"\n', 'is no file of a layer'),
                ('lib/base/noun.h', '#include "loop/turn.h"\n', 'base/ includes "loop/turn.h"'),
                ('lib/base/noun.h', '#include "../loop/turn.c"\n', 'of the higher layer loop/'),
                ('lib/base/noun.h', '# include <uv.h>\n', '<uv.h> in base/'),
                ('lib/util/noun.c', '\n', 'not in one of the layers'),
                ('lib/base/noun.c', 801 * '\n', '801 lines')]:
            with self.subTest(expected):
                self.assert_finds('check-layers.py', name, '', text, expected)

    def test_api(self):
        header, symbols = 'include/asyncuv/noun.h', 'lib/libasyncuv.sym'
        for name, old, new, expected in [
                (symbols, 'auv_verb;', 'auv_other;', 'auv_verb: declared, but not exported'),
                (symbols, 'auv_verb;', 'auv_verb;\nauv_zero;', 'auv_zero: exported by libasyncuv.sym, but not'),
                (symbols, 'auv_verb;', 'auv_*;', 'plain names'),
                ('tests/api/test.c', 'return auv_verb(1);', '/* auv_verb(1) */', 'but not called in tests/api'),
                ('docs/parity.md', '`auv_verb`', '', 'but not in docs/parity.md'),
                ('docs/parity.md', '`auv_verb`', '`auv_verb`, `auv_gone`', 'auv_gone: in docs/parity.md, but not'),
                (header, '/**', '/*', 'auv_verb() has no description'),
                (header, 'auv_verb() - ', 'verb - ', 'does not begin with'),
                (header, '@noun:', 'noun:', '@noun is not described'),
                (header, '@noun:', '@noun, @verb:', '@verb is described, and is no parameter'),
                (header, 'Thread: any.', '', 'no "Thread:"'),
                (header, 'Suspends: no.', '', 'no "Suspends:"'),
                (header, 'Suspends: no.', 'Suspends: yes.', '"await" stands in the names'),
                (header, 'AUV_API int', 'AUV_API void', 'nothing is returned')]:
            with self.subTest(expected):
                self.assert_finds('check-api.py', name, old, new, expected)


if __name__ == '__main__':
    unittest.main()
