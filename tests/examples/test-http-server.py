#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""examples/http-server, as curl, nc, socat and wrk see it, and as hostile clients do.

usage: test-http-server.py PROGRAM [TEST...]
"""

import random
import re
import socket
import sys
import tempfile
import time

from server import WRAPPER, Server, expect_usage, main, need, receive_all, run, some, wait_until

need('curl', 'nc', 'socat', 'wrk')
PROGRAM = sys.argv[1]

GET = b'GET /hello HTTP/1.1\r\nHost: a\r\n\r\n'
POST = b'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nhello there'
CHUNKED = (b'POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
           b'5\r\nhello\r\n6;extension=1\r\n there\r\n0\r\nTrailer: field\r\n\r\n')
EXPECTING = POST.replace(b'\r\n\r\n', b'\r\nExpect: 100-continue\r\n\r\n')
LAST = b'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'


def answers(data):
    """The answers to requests that were not HEAD, as (status, body)."""
    found = []
    while data:
        head, _, data = data.partition(b'\r\n\r\n')
        status = int(re.match(rb'HTTP/1\.1 (\d+) ', head)[1])
        size = int(re.search(rb'(?i)content-length: (\d+)', head)[1]) if status != 100 else 0
        assert len(data) >= size, (head, data)
        found.append((status, data[:size]))
        data = data[size:]
    return found


def curl(*arguments):
    result = run('curl', '-sS', '--max-time', 50, *arguments)
    assert result.returncode == 0, result
    return result.stdout


def test_usage():
    expect_usage(PROGRAM, ['-p', '65536'], ['-p', 'x'], ['-t', '0'], ['-t', 'nan'], ['-g', '-1'], ['-x'], ['word'])


def test_curl_gets_texts():
    with Server(PROGRAM) as server:
        assert curl(server.url + '/hello?query') == b'Hello world\n'
        assert curl('-0', server.url + '/hello') == b'Hello world\n'
        head = curl('-I', server.url + '/hello')
        assert head.startswith(b'HTTP/1.1 200 OK\r\n') and b'Content-Length: 12\r\n' in head, head
        assert curl('-w', '%{http_code}', server.url + '/none') == b'Not Found\n404'
        assert b'Allow: GET, HEAD\r\n' in curl('-i', '-X', 'DELETE', server.url + '/')
        assert curl('-w', '%{http_code} %{num_connects} ', *[server.url + '/none'] * 3).endswith(b'404 0 ')
        server.wait_until_idle()


def test_the_host_may_stand_in_the_url():
    with Server(PROGRAM) as server:
        for url, expected in ((b'http://a/hello', (200, b'Hello world\n')),
                              (b'http://a:80/hello?query', (200, b'Hello world\n')),
                              (b'HTTP://a', (200, b'This is an example of asyncuv.\n')),
                              (b'http://a?/hello', (200, b'This is an example of asyncuv.\n')),
                              (b'http:///hello', (404, b'Not Found\n')),
                              (b'http://hello', (200, b'This is an example of asyncuv.\n')),
                              (b'//a/hello', (404, b'Not Found\n')),
                              (b'*', (404, b'Not Found\n'))):
            assert answers(server.ask(GET.replace(b'/hello', url))) == [expected], url


def test_curl_has_its_data_echoed():
    data = random.Random(1).randbytes(1000000)
    with Server(PROGRAM) as server, tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        url, body = server.url + '/echo', f'@{file.name}'
        assert curl('--data-binary', body, url) == data
        assert curl('-T', file.name, url) == data
        assert curl('--data-binary', body, '-H', 'Transfer-Encoding: chunked', url) == data
        result = run('curl', '-sSv', '--data-binary', body, '-H', 'Expect: 100-continue', url)
        assert result.stdout == data and b'< HTTP/1.1 100 Continue' in result.stderr, result.stderr
        assert curl('--data-binary', '', url) == b''


def test_curl_is_told_of_limits():
    with Server(PROGRAM) as server, tempfile.NamedTemporaryFile() as file:
        file.write(bytes(3000000))
        file.flush()
        for extra in ('Expect:',), ('Expect: 100-continue',), ('Expect:', 'Transfer-Encoding: chunked'):
            headers = [word for header in extra for word in ('-H', header)]
            assert curl('-o', '/dev/null', '-w', '%{http_code}', '--data-binary', f'@{file.name}', *headers,
                        server.url + '/echo') == b'413', extra
        assert curl('-w', '%{http_code}', '-o', '/dev/null', '-H', 'X: ' + 'x' * 20000, server.url) == b'431'
        assert curl('-w', '%{http_code}', '-o', '/dev/null', '-H', 'Expect: magic', server.url) == b'417'
        server.wait_until_idle()


def test_nc_pipelines():
    with Server(PROGRAM) as server:
        result = run('nc', '-N', '127.0.0.1', server.port, input=(GET + POST + CHUNKED) * 50)
        assert answers(result.stdout) == [(200, b'Hello world\n'), (200, b'hello there'),
                                          (200, b'hello there')] * 50, result


def test_socat_half_closes():
    with Server(PROGRAM) as server:
        result = run('socat', '-t', '30', '-', f'TCP:127.0.0.1:{server.port}', input=b'GET /hello HTTP/1.0\r\n\r\n')
        assert answers(result.stdout) == [(200, b'Hello world\n')], result


def test_wrk_finds_no_error():
    with Server(PROGRAM) as server:
        result = run('wrk', '-t', 1, '-c', 50, '-d', 1, server.url)
        assert re.search(rb'[1-9]\d* requests in', result.stdout), result
        assert b'Socket errors' not in result.stdout and b'Non-2xx' not in result.stdout, result
        server.wait_until_idle()


def test_requests_may_be_split_anywhere():
    requests = GET + POST + b'\r\n' + CHUNKED + LAST
    expected = [(200, b'Hello world\n'), (200, b'hello there'), (200, b'hello there'),
                (200, b'This is an example of asyncuv.\n')]
    with Server(PROGRAM) as server:
        for position in some(range(1, len(requests))):
            with server.connect() as sock:
                sock.sendall(requests[:position])
                time.sleep(0.0005)
                sock.sendall(requests[position:])
                assert answers(receive_all(sock)) == expected, position
        with server.connect() as sock:
            for byte in requests:
                sock.sendall(bytes([byte]))
            assert answers(receive_all(sock)) == expected
        server.wait_until_idle()


def test_what_can_be_understood_in_two_ways_is_refused():
    bad = [
        b'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
        b'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nContent-Length: 5\r\n\r\nabcde',
        b'POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
        b'POST /echo HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
        b'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: -4\r\n\r\nabcd',
        b'POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n',
        b'POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n' + b'0' * 20000,
        b'GET / HTTP/1.1\r\nHost: a\r\nFolded: a\r\n b\r\n\r\n',
        b'POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n',
        b'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\nhello',
        b'GET / HTTP/1.1\r\nHost: a\r\nHost : b\r\n\r\n',
        b'GET /hello?\ta HTTP/1.1\r\nHost: a\r\n\r\n',
        b'GET /hello HTTP/1.1\r\nHost: a\r\n\rX\r\n\r\n',
        b'GET /hello HTTP/1.1\r\nHost: a\r\n\rXPOST /echo HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello',
        b'GET / HTTP/1.1\r\nno colon\r\n\r\n',
        b'GET / HTTP/1.1\r\n\r\n',
        b'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
        b'GET / HTTP/1.0\r\nHost: a\r\nhost: a\r\n\r\n',
        b'not a request at all\r\n\r\n',
        b'\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\n\n',
    ]
    with Server(PROGRAM) as server:
        for request in bad:
            assert [status for status, _ in answers(server.ask(request))] == [400], request
        assert answers(server.ask(b'GET / HTTP/2.0\r\nHost: a\r\n\r\n'))[0][0] == 505
        many = b''.join(b'F%d: x\r\n' % i for i in range(100))
        assert answers(server.ask(b'GET / HTTP/1.1\r\n' + many + b'\r\n'))[0][0] == 400
        assert server.ask(b'') == b''
        server.wait_until_idle()


def test_each_line_of_a_chunked_body_ends_as_it_should():
    head = CHUNKED.partition(b'\r\n\r\n')[0] + b'\r\n\r\n'
    bad = [
        b'5\r\nhelloXX0\r\n\r\n',
        b'5\r\nhello\n0\r\n\r\n',
        b'5\r\nhello\r\r\n0\r\n\r\n',
        b'5\r\nhelloX\r\n0\r\n\r\n',
        b'3\rXabcXX3\rXdefXX0\r\n\r\n',
        b'3\rXabcXX0\rX\rX',
        b'5;a\nb\r\nhello\r\n0\r\n\r\n',
        b'5\r\nhello\r\n0\rX\r\n',
        b'5\r\nhello\r\n0\r\n\rX\r\n',
        b'5\r\nhello\r\n0\r\nTrailer: field\n\r\n',
    ]
    with Server(PROGRAM) as server:
        for body in bad:
            assert [status for status, _ in answers(server.ask(head + body))] == [400], body
        assert answers(server.ask(head + b'5 ; a="b"\r\nhello\r\n00\r\n\r\n')) == [(200, b'hello')]
        server.wait_until_idle()


def test_random_bytes_do_no_harm():
    generator = random.Random(2)
    requests = GET + POST + CHUNKED + LAST
    with Server(PROGRAM) as server:
        for _ in some(range(300)):
            data = bytearray(requests)
            for _ in range(generator.randint(1, 8)):
                position = generator.randrange(len(data))
                choice = generator.randrange(3)
                if choice == 0:
                    data[position] = generator.randrange(256)
                elif choice == 1:
                    del data[position:position + generator.randint(1, 20)]
                else:
                    data[position:position] = generator.randbytes(generator.randint(1, 20))
            received = server.ask(data)
            assert not received or received.startswith(b'HTTP/1.1 '), received
        assert answers(server.ask(GET)) == [(200, b'Hello world\n')]
        server.wait_until_idle()


def test_slow_requests_end():
    with Server(PROGRAM, '-t', '0.2', '-g', '0.2') as server:
        for part in b'', b'GET / HT', POST[:-3], CHUNKED[:-20]:
            assert answers(server.ask(part, end=False)) == [(408, b'Request Timeout\n')], part


def test_a_client_that_never_reads_ends():
    with Server(PROGRAM, '-t', '0.2', '-g', '0.2') as server:
        request = b'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n' + bytes(1000000)
        before = server.memory()
        with server.connect(receive_buffer=4096) as sock:
            try:
                while True:
                    sock.sendall(request)
            except (ConnectionResetError, BrokenPipeError):
                pass
        assert server.memory() - before < 16000000
        server.wait_until_idle()


def test_reset_clients_leave_nothing():
    with Server(PROGRAM) as server:
        for position in range(0, len(POST), 7):
            with server.connect() as sock:
                sock.sendall(GET * 3 + POST[:position])
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
        server.wait_until_idle()
        assert answers(server.ask(GET)) == [(200, b'Hello world\n')]


def test_it_goes_on_when_it_has_run_out_of_descriptors():
    if WRAPPER: # which needs some itself
        return
    said = rb'(.*EMFILE.*\n)+'
    with Server('prlimit', '--nofile=40', PROGRAM, errors=said) as server:
        clients = [server.connect() for _ in range(60)]
        for client in clients:
            client.sendall(GET)
        wait_until(server.read_errors)
        # Those that were accepted are served; the others are when these have gone.
        for client in clients:
            assert answers(client.recv(65536)) == [(200, b'Hello world\n')]
            client.close()
        server.wait_until_idle()


def begin_request(server):
    """A connection on which a request has begun: the server says so itself."""
    sock = server.connect()
    sock.sendall(EXPECTING[:-3])
    assert sock.recv(65536) == b'HTTP/1.1 100 Continue\r\n\r\n'
    return sock


def test_a_running_request_is_finished():
    with Server(PROGRAM) as server:
        with server.connect() as idle, begin_request(server) as running:
            idle.sendall(GET)
            assert answers(idle.recv(65536)) == [(200, b'Hello world\n')]
            server.terminate()
            assert receive_all(idle) == b''
            with socket.socket() as sock:
                assert sock.connect_ex(('127.0.0.1', server.port)) != 0
            running.sendall(EXPECTING[-3:])
            answer = receive_all(running)
            assert answers(answer) == [(200, b'hello there')] and b'Connection: close\r\n' in answer
        server.expect_end()


def test_a_running_answer_is_the_last():
    size = 1000000
    request = b'POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n' % size + bytes(size)
    with Server(PROGRAM) as server:
        with server.connect(receive_buffer=4096, segment=536) as sock:
            sock.sendall(request)
            answer = sock.recv(1)
            server.terminate()
            server.wait_until_closed()
            answer += receive_all(sock)
            assert answers(answer) == [(200, bytes(size))] and b'Connection: keep-alive\r\n' in answer


def test_a_stuck_request_is_aborted():
    with Server(PROGRAM, '-g', '0.2', errors=rb'some clients did not end in time\n') as server:
        with begin_request(server) as sock:
            server.terminate()
            assert receive_all(sock) == b''
        server.expect_end()


main(globals())
