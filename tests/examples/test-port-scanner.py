#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""examples/port-scanner, against listeners of the test's own.

usage: test-port-scanner.py PROGRAM [TEST...]
"""

import contextlib
import re
import resource
import socket
import sys

from server import PATIENCE, expect_usage, listener, main, run_example

PROGRAM = sys.argv[1]


def scan(*arguments, **options):
    """The open ports, and the three counts."""
    result = run_example(PROGRAM, '-t', PATIENCE, *arguments, **options)
    assert result.returncode == 0 and result.stderr == b'', result
    *ports, counts = result.stdout.decode().splitlines()
    return [int(port) for port in ports], tuple(int(n) for n in re.match(
        r'(\d+) open, (\d+) closed, (\d+) filtered$', counts).groups())


# An address of this host at which nobody else listens: a scan of many ports would call at other tests' servers.
QUIET = '127.4.2.1'


def closed_port():
    """A port that is taken, and at which nobody listens."""
    sock = socket.socket()
    sock.bind(('127.0.0.1', 0))
    return sock


def test_finds_a_port_that_is_open():
    with listener() as sock:
        port = sock.getsockname()[1]
        assert scan('127.0.0.1', port) == ([port], (1, 0, 0))


def test_finds_that_a_port_is_closed():
    with closed_port() as sock:
        assert scan('127.0.0.1', sock.getsockname()[1]) == ([], (0, 1, 0))


def test_finds_the_open_ones_of_a_range_in_their_order():
    with contextlib.ExitStack() as stack:
        listening = sorted(stack.enter_context(listener(QUIET)).getsockname()[1] for _ in range(10))
        first, last = listening[0], listening[-1]
        ports, (n_open, n_closed, n_filtered) = scan('-c', '50', QUIET, first, last)
        assert ports == sorted(ports) and set(listening) <= set(ports)
        assert n_open == len(ports) and n_open + n_closed == last - first + 1 and n_filtered == 0


def test_takes_a_name():
    with listener() as sock:
        port = sock.getsockname()[1]
        ports, _ = scan('localhost', port)
        # which may have an address of IPv6 first, where nobody listens
        assert ports in ([port], [])


def test_tries_no_more_at_once_than_it_may():
    def limit():
        resource.setrlimit(resource.RLIMIT_NOFILE, (40, 40))

    with listener(QUIET) as sock:
        port = sock.getsockname()[1]
        first = max(1, port - 300)
        # 10 at once need 10 descriptors; 300 do not fit
        ports, counts = scan('-c', '10', QUIET, first, port, preexec_fn=limit)
        assert port in ports and sum(counts) == port - first + 1


def test_gives_up_on_a_port_that_does_not_answer():
    # A listener whose queue is full drops what comes, as a filter does.
    with socket.socket() as sock, contextlib.ExitStack() as stack:
        sock.bind(('127.0.0.1', 0))
        sock.listen(0)
        port = sock.getsockname()[1]
        for _ in range(8):
            client = stack.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(('127.0.0.1', port))
        result = run_example(PROGRAM, '-t', '0.2', '127.0.0.1', port)
        assert result.stdout == b'0 open, 0 closed, 1 filtered\n', result


def test_ends_with_an_error_where_it_has_no_descriptors_left():
    """With so few that there is none for a socket; with fewer than that it does not even begin."""
    with listener() as sock:
        port = sock.getsockname()[1]
        results = [run_example(PROGRAM, '-t', PATIENCE, '127.0.0.1', port,
                               preexec_fn=lambda n=n: resource.setrlimit(resource.RLIMIT_NOFILE, (n, n)))
                   for n in range(4, 24)]
        assert results[-1].returncode == 0, results[-1]
        assert any(result.returncode == 1 and b'EMFILE: no socket for port' in result.stderr for result in results)


def test_tells_that_a_name_is_unknown():
    result = run_example(PROGRAM, 'no-such-host.invalid', '1')
    assert result.returncode == 1 and b'EAI_' in result.stderr, result


def test_refuses_command_lines_that_make_no_sense():
    expect_usage(PROGRAM, [], ['host'], ['host', '0'], ['host', '2', '1'], ['host', '1', '65536'], ['host', 'x'],
                 ['-c', '0', 'host', '1'], ['-t', '0', 'host', '1'], ['-t', 'x', 'host', '1'], ['-x', 'host', '1'],
                 ['host', '1', '2', '3'])


main(globals())
