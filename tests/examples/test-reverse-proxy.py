#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""examples/reverse-proxy between curl, nc and wrk and several upstreams: Python's, examples/http-server, and
hostile ones that the test plays itself.

usage: test-reverse-proxy.py PROXY HTTP_SERVER [TEST...]
"""

import contextlib
import http.server
import random
import re
import socket
import sys
import tempfile
import threading
import time

from server import Server, expect_usage, listener, main, need, receive_all, run, some, wait_until

need('curl', 'nc', 'wrk')
PROGRAM, HTTP_SERVER = sys.argv[1:3]
del sys.argv[1]

GET = b'GET /hello HTTP/1.1\r\nHost: a\r\n\r\n'
FAILED = rb'(127\.0\.0\.1:\d+: ECONNREFUSED.*\n)*'


def proxy(*upstreams, options=(), errors=rb''):
    ports = [upstream if isinstance(upstream, int) else upstream.getsockname()[1] for upstream in upstreams]
    return Server(PROGRAM, *options, *[f'127.0.0.1:{port}' for port in ports], errors=errors)


@contextlib.contextmanager
def upstream(serve):
    """Serves each connection by serve(socket) in a thread. Gives the port."""
    def serve_one(peer):
        with peer, contextlib.suppress(ConnectionError, socket.timeout):
            serve(peer)

    def accept():
        while True:
            try:
                peer, _ = sock.accept()
            except OSError:
                return
            threads.append(threading.Thread(target=serve_one, args=[peer]))
            threads[-1].start()

    threads = []
    with listener() as sock:
        threads.append(threading.Thread(target=accept))
        threads[0].start()
        yield sock.getsockname()[1]
        sock.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


def saying(answer):
    """An upstream that reads a head and says this, whatever it was asked."""
    def serve(peer):
        read_head(peer)
        peer.sendall(answer)

    return upstream(serve)


def receive(peer, size=1000000):
    data = peer.recv(size)
    if not data:
        raise ConnectionResetError('the peer has ended')
    return data


def read_head(peer):
    head = b''
    while not head.endswith(b'\r\n\r\n'):
        head += receive(peer, 1)
    return head


def join_chunks(data):
    joined = b''
    while data != b'0\r\n\r\n':
        length, _, data = data.partition(b'\r\n')
        joined += data[:int(length, 16)]
        assert data[int(length, 16):].startswith(b'\r\n'), data
        data = data[int(length, 16) + 2:]
    return joined


def unused_port():
    with listener() as sock:
        return sock.getsockname()[1]


def curl(*arguments):
    result = run('curl', '-sS', '--max-time', 50, *arguments)
    assert result.returncode == 0, result
    return result.stdout


def status(answer):
    return int(re.match(rb'HTTP/1\.1 (\d+) ', answer)[1])


def test_usage():
    expect_usage(PROGRAM, [], ['-p', 'x', 'a:1'], ['a'], ['a:0'], ['a:x'], [':80'], ['[]:80'],
                 ['-t', '0', 'a:1'], ['-x', 'a:1'])


def test_curl_gets_large_files():
    with tempfile.TemporaryDirectory() as folder:
        data = random.Random(5).randbytes(20000000)
        with open(f'{folder}/file', 'wb') as file:
            file.write(data)

        class Handler(http.server.SimpleHTTPRequestHandler):
            def __init__(self, *args):
                super().__init__(*args, directory=folder)

            def log_message(self, *_):
                pass

        with http.server.ThreadingHTTPServer(('127.0.0.1', 0), Handler) as files:
            threading.Thread(target=files.serve_forever).start()
            with proxy(files.socket) as server:
                url = server.url + '/file'
                assert curl(url) == data
                assert curl('-0', url) == data
                assert curl(url, url) == data + data
                assert b'content-length: 20000000' in curl('-I', url).lower()
                assert curl('-o', '/dev/null', '-w', '%{http_code}', server.url + '/none') == b'404'
                server.wait_until_idle()
            files.shutdown()


def test_bodies_go_both_ways():
    data = random.Random(6).randbytes(1000000)
    with Server(HTTP_SERVER) as echo, proxy(echo.port) as server, tempfile.NamedTemporaryFile() as file:
        file.write(data)
        file.flush()
        url, body = server.url + '/echo', f'@{file.name}'
        assert curl('--data-binary', body, url) == data
        assert curl('--data-binary', body, '-H', 'Transfer-Encoding: chunked', url) == data
        result = run('curl', '-sSv', '--data-binary', body, '-H', 'Expect: 100-continue', url)
        assert result.stdout == data and b'< HTTP/1.1 100 Continue' in result.stderr, result.stderr
        result = run('nc', '-N', '127.0.0.1', server.port, input=GET * 20)
        assert result.stdout.count(b'Hello world\n') == 20, result
        server.wait_until_idle()


def test_upstreams_take_turns():
    with saying(b'HTTP/1.0 200 OK\r\n\r\na') as a, saying(b'HTTP/1.0 200 OK\r\n\r\nb') as b:
        with proxy(a, b) as server:
            assert [curl(server.url) for _ in range(4)] == [b'a', b'b', b'a', b'b']
        with proxy(a, unused_port(), b, errors=FAILED) as server:
            assert [curl(server.url) for _ in range(4)] == [b'a', b'b', b'a', b'b']
        with proxy(unused_port(), unused_port(), errors=FAILED) as server:
            assert curl('-w', '%{http_code}', server.url) == b'Bad Gateway\n502'


def test_upstreams_that_fail_give_502():
    for answer in (b'', b'HTTP/1.1', b'nonsense\r\n\r\n', b'HTTP/1.1 101 Switching Protocols\r\n\r\n', b'\0' * 200000,
                   b'HTTP/1.1 200 OK\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n',
                   b'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
                   b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\rXHTTP/1.1 200 OK\r\n\r\n'):
        with saying(answer) as port, proxy(port) as server:
            assert curl('-o', '/dev/null', '-w', '%{http_code}', server.url) == b'502', answer
            server.wait_until_idle()


def test_an_answer_that_breaks_off_breaks_off():
    for answer in (b'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc',
                   b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n',
                   b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nx\r\n'):
        with saying(answer) as port, proxy(port) as server:
            result = run('curl', '-sS', server.url)
            assert result.returncode != 0, (answer, result)
            server.wait_until_idle()


def test_silent_upstreams_give_504():
    with listener() as sock, proxy(sock, options=['-t', '0.2']) as server:
        assert curl('-o', '/dev/null', '-w', '%{http_code}', server.url) == b'504'
        server.wait_until_idle()


def test_silent_clients_give_408():
    def serve(peer):
        receive_all(peer)

    with upstream(serve) as port, proxy(port, options=['-t', '0.2', '-g', '0.2']) as server:
        for part in b'', b'GET /', b'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nabc':
            assert status(server.ask(part, end=False)) == 408, part
        server.wait_until_idle()


def test_each_length_of_a_body_arrives():
    body = b'x' * 100
    for answer in (b'Content-Length: 100\r\n\r\n' + body,
                   b'\r\n' + body,
                   b'Transfer-Encoding: chunked\r\n\r\n' + b'1\r\nx\r\n' * 100 + b'0\r\n\r\n'):
        with saying(b'HTTP/1.1 200 Fine\r\nX-Field: here\r\n' + answer) as port, proxy(port) as server:
            for option in '-0', '--http1.1':
                received = curl('-i', option, server.url)
                assert received.startswith(b'HTTP/1.1 200 Fine\r\nX-Field: here\r\n'), received
                assert received.endswith(b'\r\n\r\n' + body), received
    for head in b'204 No Content\r\n', b'304 Not Modified\r\nContent-Length: 100\r\n':
        with saying(b'HTTP/1.1 ' + head + b'\r\n') as port, proxy(port) as server:
            assert server.ask(GET + GET).count(b'HTTP/1.1 ' + head) == 2


def test_fields_for_the_neighbour_are_not_passed_on():
    seen = []

    def serve(peer):
        seen.append(read_head(peer))
        peer.sendall(b'HTTP/1.1 100 Continue\r\n\r\n'
                     b'HTTP/1.1 200 OK\r\nConnection: close, X-Mine\r\nX-Mine: 1\r\nKeep-Alive: 5\r\n\r\n')

    with upstream(serve) as port, proxy(port) as server:
        answer = server.ask(b'GET /path?query HTTP/1.1\r\nHost: a\r\nConnection: keep-alive,  x-private,close\r\n'
                            b'X-Private: 1\r\nX-Public: 2\r\nTE: trailers\r\nUpgrade: h2c\r\n\r\n')
    assert re.fullmatch(rb'GET /path\?query HTTP/1\.1\r\nHost: a\r\nX-Public: 2\r\n'
                        rb'Via: 1\.1 reverse-proxy\r\n'
                        rb'Forwarded: for="127\.0\.0\.1:\d+"\r\nConnection: close\r\n\r\n', seen[0]), seen
    assert answer == (b'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nConnection: close\r\n'
                      b'Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n'), answer


def test_connection_does_not_take_away_where_a_message_ends():
    seen = []

    def serve(peer):
        seen.append(read_head(peer))
        peer.sendall(b'HTTP/1.1 200 OK\r\nConnection: Content-Length\r\nContent-Length: 2\r\n\r\nok')

    with upstream(serve) as port, proxy(port) as server:
        answer = server.ask(b'POST /a HTTP/1.1\r\nConnection: content-length, Host\r\n'
                            b'Content-Length: 5\r\nHost: a\r\n\r\nhello')
    assert b'\r\nContent-Length: 5\r\nHost: a\r\n' in seen[0], seen
    assert answer == b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok', answer


def test_a_request_without_host_is_given_one():
    seen = []

    def serve(peer):
        seen.append(read_head(peer))
        peer.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')

    with upstream(serve) as port, proxy(port) as server:
        assert status(server.ask(b'GET / HTTP/1.0\r\n\r\n')) == 200
        assert status(server.ask(b'GET / HTTP/1.0\r\nHost: a\r\n\r\n')) == 200
    assert [re.findall(rb'(?i)host: (.*)\r\n', head) for head in seen] == [[b'127.0.0.1:%d' % port], [b'a']], seen
    assert all(b'\r\nVia: 1.0 reverse-proxy\r\n' in head for head in seen), seen


def test_bad_requests_are_not_passed_on():
    seen = []

    def serve(peer):
        seen.append(read_head(peer))

    with upstream(serve) as port, proxy(port) as server:
        for request in (b'nonsense\r\n\r\n', b'CONNECT a:80 HTTP/1.1\r\nHost: a\r\n\r\n',
                        b'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n',
                        b'POST / HTTP/1.1\r\nHost: a\r\nContent-Length : 5\r\n\r\nhello',
                        b'POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
                        b'GET /\ta HTTP/1.1\r\nHost: a\r\n\r\n',
                        b'GET /a HTTP/1.1\r\nHost: a\r\n\rXPOST /b HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello',
                        b'GET / HTTP/2.0\r\n\r\n',
                        b'GET / HTTP/1.1\r\n\r\n',
                        b'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
                        b'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n'):
            assert status(server.ask(request)) == 400, request
        assert status(server.ask(b'GET / HTTP/1.1\r\nX: ' + b'x' * 200000)) in (400, 431)
    assert not seen, seen


def test_a_bad_body_is_the_clients_fault():
    def serve(peer):
        receive_all(peer)

    with upstream(serve) as port, proxy(port) as server:
        head = b'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n'
        assert status(server.ask(head + b'3\r\nabc\r\nnonsense\r\n')) == 400
        assert status(server.ask(head + b'3\r\nab')) == 400
        server.wait_until_idle()


def test_an_upstreams_fault_is_not_the_clients_whose_body_is_not_all_there():
    head = b'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n'
    for answer in b'', b'nonsense\r\n\r\n':
        with saying(answer) as port, proxy(port) as server:
            assert status(server.ask(head + b'abc', end=False)) == 502, answer
            server.wait_until_idle()
    with listener() as sock, proxy(sock, options=['-t', '2']) as server:
        with server.connect() as client:
            client.sendall(head)
            client.setblocking(False)
            # The answer comes when nothing more goes to the upstream, which takes nothing.
            answer = b''
            while not answer:
                with contextlib.suppress(BlockingIOError):
                    client.send(bytes(100000))
                with contextlib.suppress(BlockingIOError):
                    answer = client.recv(65536)
                time.sleep(0.0005)
            assert status(answer) == 504, answer


def test_an_early_answer_ends_the_request():
    with saying(b'HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno') as port, proxy(port) as server:
        with server.connect() as sock:
            sock.sendall(b'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n')
            answer = receive_all(sock)
            assert status(answer) == 413 and answer.endswith(b'\r\n\r\nno'), answer
            assert b'Connection: close\r\n' in answer, answer
        server.wait_until_idle()


def test_memory_stays_small_when_a_client_does_not_read():
    size = 100000000
    sent = [0]

    def serve(peer):
        read_head(peer)
        peer.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n' % size)
        while sent[0] < size:
            sent[0] += peer.send(bytes(min(100000, size - sent[0])))

    with upstream(serve) as port, proxy(port) as server:
        before = server.memory()
        with server.connect(receive_buffer=4096) as sock:
            sock.sendall(GET)
            read_head(sock)
            last = -1
            while sent[0] != last: # until it stands still
                last = sent[0]
                threading.Event().wait(0.2)
            assert sent[0] < size / 2
            assert server.memory() - before < 8000000
            received = 0
            while received < size:
                received += len(receive(sock))
            assert received == size and server.memory() - before < 8000000
        server.wait_until_idle()


def test_memory_stays_small_when_an_upstream_does_not_read():
    size = 100000000
    go_on = threading.Event()
    received = [0]

    def serve(peer):
        read_head(peer)
        go_on.wait()
        while received[0] < size:
            received[0] += len(receive(peer))
        peer.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')

    with upstream(serve) as port, proxy(port) as server:
        before = server.memory()
        with server.connect() as sock:
            sock.sendall(b'PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n' % size)
            sock.settimeout(0.2)
            sent = 0
            with contextlib.suppress(socket.timeout):
                while sent < size:
                    sent += sock.send(bytes(min(100000, size - sent)))
            assert sent < size / 2
            assert server.memory() - before < 8000000
            go_on.set()
            sock.settimeout(60)
            while sent < size:
                sent += sock.send(bytes(min(100000, size - sent)))
            assert status(sock.recv(65536)) == 200
        assert received[0] == size
        server.wait_until_idle()


def test_messages_may_be_split_anywhere():
    request = (b'POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n'
               b'5\r\nhello\r\n0\r\n\r\n')

    def serve(peer):
        data = b''
        while not data.endswith(b'0\r\n\r\n'):
            data += receive(peer)
        for byte in b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n' + data.partition(b'\r\n\r\n')[2]:
            peer.sendall(bytes([byte]))

    with upstream(serve) as port, proxy(port) as server:
        for position in some(range(1, len(request))):
            with server.connect() as sock:
                sock.sendall(request[:position])
                threading.Event().wait(0.0005)
                sock.sendall(request[position:])
                answer = receive_all(sock)
                assert status(answer) == 200, answer
                assert join_chunks(answer.partition(b'\r\n\r\n')[2]) == b'hello', position
        server.wait_until_idle()


def test_random_bytes_do_no_harm():
    generator = random.Random(7)
    good = b'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'
    post = b'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n'

    def mutate(message):
        data = bytearray(message)
        for _ in range(generator.randint(0, 4)):
            data[generator.randrange(len(data))] = generator.randrange(256)
        return bytes(data)

    def serve(peer):
        peer.sendall(mutate(good))

    with upstream(serve) as port, proxy(port) as server:
        for _ in some(range(200)):
            received = server.ask(mutate(post))
            assert not received or received.startswith(b'HTTP/1.1 '), received
        server.wait_until_idle()


def test_wrk_finds_no_error():
    with Server(HTTP_SERVER) as echo, proxy(echo.port) as server:
        result = run('wrk', '-t', 1, '-c', 50, '-d', 1, server.url)
        assert re.search(rb'[1-9]\d* requests in', result.stdout), result
        assert b'Socket errors' not in result.stdout and b'Non-2xx' not in result.stdout, result
        server.wait_until_idle()


def test_a_running_request_is_finished():
    asked, go_on = threading.Event(), threading.Event()

    def serve(peer):
        read_head(peer)
        asked.set()
        go_on.wait()
        peer.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')

    with upstream(serve) as port, proxy(port) as server, server.connect() as idle, server.connect() as running:
        running.sendall(GET)
        asked.wait()
        server.terminate()
        farewell = receive_all(idle)
        go_on.set()
        assert farewell == b'', farewell
        answer = receive_all(running)
        assert answer.endswith(b'\r\n\r\nok') and b'Connection: close\r\n' in answer, answer


def test_a_running_answer_is_the_last():
    go_on = threading.Event()

    def serve(peer):
        read_head(peer)
        peer.sendall(b'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab')
        go_on.wait()
        peer.sendall(b'cd')

    with upstream(serve) as port, proxy(port) as server, server.connect() as sock:
        sock.sendall(GET)
        head = read_head(sock)
        server.terminate()
        server.wait_until_closed()
        go_on.set()
        assert b'Connection: keep-alive\r\n' in head and receive_all(sock) == b'abcd', head


main(globals())
