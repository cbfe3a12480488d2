#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Checks that the lists of the public functions are one and the same list.

They are those that the headers declare, those that the headers describe, those that
lib/libasyncuv.sym exports, those that the library has, those that tests/api calls, and those
that docs/parity.md sets beside asyncio's. A description also has to have the form that the
others have.

usage: check-api.py PROJECT_FOLDER [LIBRARY.so]
"""

import pathlib
import re
import subprocess
import sys

# A comment that ends right before a declaration, or none; then the declaration up to its ';'.
DECLARATION = re.compile(r'(?:/\*\*\n(?P<comment>(?: \*[^\n]*\n)*?) \*/\n)?^AUV_API\b(?P<prototype>[^;]*);',
                         re.MULTILINE)
COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*', re.DOTALL)


class Function:
    def __init__(self, path, match):
        prototype = ' '.join(re.sub(r'__attribute__.*|AUV_(PRINTF|MUST_CHECK).*', '', match['prototype']).split())
        before, parameters = re.match(r'(.*?)\((.*)\)$', prototype).groups()
        self.path = path
        self.comment = match['comment']
        self.name = before.split()[-1].lstrip('*')
        self.returns_nothing = before.split()[-2:] == ['void', self.name]
        self.parameters = [name_of_parameter(p) for p in split_parameters(parameters) if p not in ('void', '...')]


def split_parameters(text):
    """Splits at the commas that are not inside the parameters of a function pointer."""
    parts, depth = [''], 0
    for character in text:
        depth += {'(': 1, ')': -1}.get(character, 0)
        if character == ',' and depth == 0:
            parts.append('')
        else:
            parts[-1] += character
    return [part.strip() for part in parts]


def name_of_parameter(parameter):
    pointer = re.search(r'\(\*(\w+)\)', parameter)
    return pointer[1] if pointer else re.search(r'(\w+)(?:\[\])?$', parameter)[1]


def declared_functions(project):
    for path in sorted((project / 'include').rglob('*.h')):
        for match in DECLARATION.finditer(path.read_text(encoding='utf-8')):
            yield Function(path, match)


def exported_names(symbol_file):
    text = COMMENT.sub('', symbol_file.read_text(encoding='utf-8'))
    for node in re.findall(r'global:(.*?)local:', text, re.DOTALL):
        yield from (name.strip() for name in node.split(';') if name.strip())


def names_in_library(library):
    table = subprocess.run(['nm', '-D', '--defined-only', library], check=True, stdout=subprocess.PIPE, text=True)
    for line in table.stdout.splitlines():
        kind, name = line.split()[-2:]
        if kind != 'A':  # the version itself
            yield name.split('@')[0]


def called_names(folder):
    for path in sorted(folder.glob('*.c')):
        text = COMMENT.sub('', path.read_text(encoding='utf-8'))
        yield from re.findall(r'\b(auv_\w+)\s*\(', text)
        # What a scope calls by itself when it ends.
        if 'AUV_AUTO ' in text:
            yield 'auv_unref_at'


def check_parity(project, declared):
    """Every function stands in the table, and the table has no name that the headers do not have."""
    named = set(re.findall(r'\bauv_\w+', (project / 'docs' / 'parity.md').read_text(encoding='utf-8')))
    headers = '\n'.join(path.read_text(encoding='utf-8') for path in (project / 'include').rglob('*.h'))
    yield from compare('declared', declared, 'in docs/parity.md', named)
    yield from compare('in docs/parity.md', named, 'in the headers', re.findall(r'\bauv_\w+', headers))


def check_description(function):
    where = f'{function.path}: {function.name}()'
    if function.comment is None:
        yield f'{where} has no description'
        return
    comment = function.comment
    if not comment.startswith(f' * {function.name}() - '):
        yield f'{where}: the description does not begin with "{function.name}() - "'
    described = set()
    for line in re.findall(r'^ \* (@[^:]+):', comment, re.MULTILINE):
        described.update(re.findall(r'@(\w+)', line))
    for name in function.parameters:
        if name not in described:
            yield f'{where}: @{name} is not described'
    for name in sorted(described - set(function.parameters)):
        yield f'{where}: @{name} is described, and is no parameter'
    for field in ['Suspends', 'Thread']:
        if not re.search(rf'\b{field}: ', comment):
            yield f'{where}: the description has no "{field}:"'
    if 'Return:' in comment and function.returns_nothing:
        yield f'{where}: the description has "Return:", and nothing is returned'
    if ('Suspends: yes' in comment) != ('_await' in function.name):
        yield f'{where}: "await" stands in the names of the functions that suspend, and in no other'


def compare(name_a, list_a, name_b, list_b):
    for name in sorted(set(list_a) - set(list_b)):
        yield f'{name}: {name_a}, but not {name_b}'


def check(project, library):
    functions = list(declared_functions(project))
    declared = [function.name for function in functions]
    exported = list(exported_names(project / 'lib' / 'libasyncuv.sym'))

    if not declared:
        yield f'{project}/include: no public function'
    for name in exported:
        if not re.fullmatch(r'auv_\w+', name):
            yield f'{name}: libasyncuv.sym is to have plain names, each with auv_'
    if exported != sorted(set(exported)):
        yield 'libasyncuv.sym is to be sorted, each name once'
    yield from compare('declared', declared, 'exported by libasyncuv.sym', exported)
    yield from compare('exported by libasyncuv.sym', exported, 'declared', declared)
    yield from compare('declared', declared, 'called in tests/api', called_names(project / 'tests' / 'api'))
    yield from check_parity(project, declared)
    if library is not None:
        present = list(names_in_library(library))
        yield from compare('declared', declared, 'in the library', present)
        yield from compare('in the library', present, 'declared', declared)
    for function in functions:
        yield from check_description(function)


def main(project, library=None):
    problems = list(check(pathlib.Path(project), library))
    print('\n'.join(problems) or 'the lists agree')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
