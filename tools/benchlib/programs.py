# SPDX-License-Identifier: MIT
"""The programs that are compared: how they are built, and how they are called."""

import os
import shlex
import signal
import subprocess
import sys
from dataclasses import dataclass

from .processes import end_group, run_group
from .results import FORMS, Subject, in_order

# Workloads of which not all is in our program of the same name.
OURS = {'primitives': ['primitives', 'switch']}

# Those that take long to build come last.
PEERS = ['libuv', 'st', 'asyncio', 'uvloop', 'node', 'go', 'erlang', 'asio', 'tokio']


@dataclass(frozen=True)
class Program:
    subject: Subject
    command: tuple  # with the workload as its next argument, but for ours
    version: str

    def takes(self, case):
        return case.workload != 'echo'

    def commands_for(self, case):
        if not self.subject.is_ours:
            return [[*self.command, case.workload, *case.arguments]]
        return [[f'{self.command[0]}/bench-{name}', '--json', '--form', self.subject.form, *case.arguments]
                for name in OURS.get(case.workload, [case.workload])]


@dataclass(frozen=True)
class EchoServer:
    """A server that one and the same client drives, and of which it measures the processor time."""

    subject: Subject
    client: str
    command: tuple
    version: str

    def takes(self, case):
        return case.workload == 'echo'

    def commands_for(self, case):
        return [[self.client, '--peer', self.subject.peer, '--form', self.subject.form, *case.arguments, '--',
                 *self.command]]


# Who has more than one kind of server; we, and the peers that are told by an option.
ECHO_FORMS = {'asyncuv': ['protocol', 'streams', 'stackless'], 'asyncio': ['streams', 'protocol'],
              'uvloop': ['streams', 'protocol']}


def echo_servers(source, folder, peers):
    """Ours of each form, and those of the peers."""
    folder = os.path.join(source, folder, 'bench', 'echo')
    client = os.path.join(folder, 'bench-echo')
    servers = [EchoServer(Subject('asyncuv', form), client, (os.path.join(folder, f'echo-{form}'),), 'this')
               for form in ECHO_FORMS['asyncuv'] if os.path.exists(os.path.join(folder, f'echo-{form}'))]
    for peer in peers:
        for form in ECHO_FORMS.get(peer.subject.peer, ['']):
            chosen = ('--form', form) if form else ()
            servers.append(EchoServer(Subject(peer.subject.peer, form), client,
                                      (*peer.command, 'echo', '--port', '0', *chosen), peer.version))
    return servers


class BuildFailed(Exception):
    pass


def build_ours(source, folder):
    """A release build without tests; the programs in both forms."""
    status, _, _ = run_group(['tools/build', folder, '--buildtype=release', '-Dtests=false'], cwd=source,
                             stdout=subprocess.DEVNULL)
    if status:
        raise BuildFailed(f'tools/build {folder} failed')
    programs = os.path.join(source, folder, 'bench')
    return [Program(Subject('asyncuv', form), (programs,), 'this') for form in FORMS]


def parse_peers(text):
    """What bench/peers/build prints: lines of peer, command and version, with tabs between."""
    programs = []
    for line in text.splitlines():
        peer, _, rest = line.partition('\t')
        command, _, version = rest.partition('\t')
        if command:
            programs.append(Program(Subject(peer), tuple(shlex.split(command)), version))
    order = in_order(program.subject for program in programs)
    return sorted(programs, key=lambda program: order.index(program.subject))


class PeersBuild:
    """Goes on beside our own build; what is left out is told of on standard error."""

    def __init__(self, source, folder, chosen):
        script = os.path.join(source, 'bench', 'peers', 'build')
        self.process = subprocess.Popen([script, os.path.join(source, folder), *chosen], cwd=source, text=True,
                                        stdout=subprocess.PIPE, start_new_session=True)

    def wait(self, seconds=None):
        """Those that are there after so many seconds at the most; the build of the others is ended."""
        try:
            printed, _ = self.process.communicate(timeout=None if seconds is None else max(seconds, 0))
        except subprocess.TimeoutExpired:
            self.end()
            printed, _ = self.process.communicate()
            print('bench: there is no time to build the other peers', file=sys.stderr)
        return parse_peers(printed)

    def end(self):
        end_group(self.process, signal.SIGTERM)
