#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Builds a peer's program, runs each workload of it with next to nothing to do, and checks what it prints.

An echo server has to give back what it gets, more than sockets hold, and to end when it is told to.

usage: check-peer.py BUILD FOLDER PEER

BUILD is bench/peers/build, FOLDER where it puts the program. Skipped where the peer's tools are not
installed; a peer whose tools are there has to build.
"""

import json
import socket
import struct
import subprocess
import sys
import threading

from results import complaints_about, results_of

SKIPPED = 77

LATENESS = ['lateness_p50_us', 'lateness_p99_us', 'lateness_max_us', 'early']
WORKLOADS = {
    'sleep': (['--tasks', '10', '--seconds', '0.01'],
              ['wall_beyond', 'cpu_per_task', 'memory_per_task', 'memory_per_task_total']),
    'storm': (['--tasks', '10', '--rounds', '2', '--seed', '7'], ['fires_per_cpu_s', *LATENESS]),
    'stagger': (['--tasks', '5', '--seed', '7'], ['cpu_per_task', *LATENESS]),
    'timeouts': (['--tasks', '10'], ['never_ns', 'always_ns']),
    'cancel': (['--tasks', '10'], ['cancel_ns']),
    # Those that all have; the others are what is natural in each.
    'primitives': (['--runs', '1'], ['yield_ns', 'sleep_cancel_ns']),
}


MISTAKES = [[], ['nap'], ['sleep', '--pillows', '2'],
            ['sleep', '--tasks', 'many'], ['cancel', '--tasks', '0'], ['sleep', '--tasks', '1.5'],
            ['sleep', '--tasks', 'nan'], ['sleep', '--seconds', 'inf'], ['storm', '--rounds']]

# Of the echo server, where there is more than one.
FORMS = {'asyncio': ['streams', 'protocol'], 'uvloop': ['streams', 'protocol'], 'tokio': ['', 'multi']}


def command_of(build, folder, peer):
    """The peer's command, or None where it is left out."""
    run = subprocess.run([build, folder, peer], stdout=subprocess.PIPE, text=True, check=True)
    lines = [line.split('\t') for line in run.stdout.splitlines()]
    if not lines:
        return None
    [(name, command, version)] = lines
    if name != peer or not version:
        raise ValueError(f'not what was asked for: {run.stdout}')
    return command


def complaints_about_peer(command, peer):
    for workload, (options, metrics) in WORKLOADS.items():
        yield from complaints_about(results_of([command, workload, *options]), peer, workload, metrics)
    for mistake in MISTAKES:
        run = subprocess.run([command, *mistake], capture_output=True, text=True, check=False)
        if run.returncode != 2 or run.stdout or not run.stderr:
            yield f'{mistake}: status {run.returncode}, {run.stdout}{run.stderr}'


def echoed(port, message):
    """What comes back of the message, which is sent while it is read."""
    received = bytearray()
    with socket.create_connection(('127.0.0.1', port)) as connection:
        def send():
            connection.sendall(message)
            connection.shutdown(socket.SHUT_WR)

        sender = threading.Thread(target=send)
        sender.start()
        while data := connection.recv(1 << 16):
            received += data
        sender.join()
    return bytes(received)


def complaints_about_echo(command, peer, form):
    message = bytes(range(251)) * 20_000
    server = subprocess.Popen([command, 'echo', '--port', '0', *(['--form', form] if form else [])],
                              stdout=subprocess.PIPE, text=True)
    try:
        word, port = server.stdout.readline().split()
        if word != 'port':
            yield f'{form}: {word} {port}'
        for part in (message[:1], message):
            if echoed(int(port), part) != part:
                yield f'{form}: {len(part)} bytes did not come back as they were sent'
        with socket.create_connection(('127.0.0.1', int(port))) as reset:
            reset.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))
        # Connections are accepted in order: when this one is answered, the one before was accepted. It
        # is open when the server has to end.
        with socket.create_connection(('127.0.0.1', int(port))) as idle:
            idle.sendall(b'x')
            if idle.recv(1) != b'x':
                yield f'{form}: no answer after a reset'
            server.terminate()
            results = [json.loads(line) for line in server.stdout]
        if server.wait() != 0:
            yield f'{form}: status {server.returncode}'
        yield from complaints_about(results, peer, 'echo', ['cpu_s'])
        if [(result['form'], result['n']) for result in results] != [(form, 4)]:
            yield f'{form}: {results}'
    finally:
        server.kill()
        server.stdout.close()
        server.wait()


def main(build, folder, peer):
    command = command_of(build, folder, peer)
    if command is None:
        return SKIPPED
    complaints = list(complaints_about_peer(command, peer))
    for form in FORMS.get(peer, ['']):
        complaints += complaints_about_echo(command, peer, form)
    print('\n'.join(complaints) or 'as it should be')
    return bool(complaints)


sys.exit(main(*sys.argv[1:]))
