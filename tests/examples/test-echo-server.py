#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""examples/echo-server, talked to by nc and socat; and its end while there are clients.

usage: test-echo-server.py PROGRAM [TEST...]
"""

import random
import sys
import threading

from server import Server, expect_usage, main, need, receive_all, run

need('nc', 'socat')
PROGRAM = sys.argv[1]


def serve(*arguments, **options):
    return Server(PROGRAM, *arguments, **options)


def test_answers_nc():
    with serve() as server:
        for data in (b'one\ntwo\n', b'', b'\0\xff' * 5000):
            result = run('nc', '-N', '127.0.0.1', server.port, input=data)
            assert result.returncode == 0 and result.stdout == data, result


def test_answers_socat_with_every_byte_of_much():
    data = random.Random(1).randbytes(3_000_000)
    with serve() as server:
        result = run('socat', '-t', '60', '-', f'TCP:127.0.0.1:{server.port}', input=data)
        assert result.stdout == data, len(result.stdout)


def test_serves_many_at_a_time():
    with serve() as server:
        clients = [server.connect() for _ in range(200)]
        for number, client in enumerate(clients):
            client.sendall(b'%d\n' % number)
        for number, client in enumerate(clients):
            assert client.recv(100) == b'%d\n' % number
            client.close()
        server.wait_until_idle()


def test_does_not_hoard_for_who_does_not_read():
    with serve() as server:
        with server.connect(receive_buffer=10_000) as client:
            client.sendall(b'begin')
            assert client.recv(5) == b'begin'
            before = server.memory()
            client.settimeout(0.5)
            try:
                for _ in range(1000):
                    client.sendall(bytes(100_000))
                assert False, 'the server takes without end'
            except TimeoutError:
                pass
            assert server.memory() < before + 2_000_000


def test_survives_clients_that_vanish():
    with serve() as server:
        for i in range(20):
            with server.connect() as client:
                client.sendall(bytes(100_000 if i % 2 else 0))
        server.wait_until_idle()


def test_ends_what_runs_before_it_stops():
    data = random.Random(2).randbytes(200_000)
    server = serve('-g', '60')
    with server.connect() as client, server.connect() as idle:
        sender = threading.Thread(target=client.sendall, args=(data,))
        sender.start()
        received = client.recv(1)
        server.terminate()
        assert receive_all(idle) == b''
        idle.close()
        received += receive_all(client)
        sender.join()
        assert data.startswith(received)
    server.expect_end()


def test_cuts_off_who_does_not_end():
    server = serve('-g', '0.2', errors=rb'some clients did not end in time\n')
    with server.connect() as client:
        client.sendall(b'here')
        assert client.recv(4) == b'here'
        server.terminate()
        server.expect_end()


def test_ends_at_once_where_there_is_nobody():
    with serve('-p', '0', '-g', '60'):
        pass


def test_tells_its_usage():
    expect_usage(PROGRAM, ['-p', 'x'], ['-p', '70000'], ['-g', '0'], ['-x'], ['7'])


main(globals())
