#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""examples/redis-client against a real redis-server; redis-cli says what it should print.

usage: test-redis-client.py PROGRAM [TEST...]
"""

import contextlib
import random
import shutil
import subprocess
import sys
import tempfile
import threading
import time

from server import PATIENCE, expect_usage, listener, main, need, run, run_example, some, wait_until

need('redis-cli')
PROGRAM = sys.argv[1]


# Debian has the server in redis-tools, under another of its names; the package redis-server only starts it.
SERVER = shutil.which('redis-server') or shutil.which('redis-check-rdb')


@contextlib.contextmanager
def redis():
    """A redis-server that keeps nothing, on a port that is free. Gives the port."""
    with tempfile.TemporaryDirectory() as folder:
        while True:
            with listener() as sock:
                port = sock.getsockname()[1]
            process = subprocess.Popen(['redis-server', '--port', str(port), '--bind', '127.0.0.1', '--save', '',
                                        '--dir', folder], executable=SERVER, stdout=subprocess.DEVNULL)
            wait_until(lambda: process.poll() is not None or
                       run('redis-cli', '-p', port, 'PING').stdout == b'PONG\n')
            if process.poll() is None:
                break
        try:
            yield port
        finally:
            process.terminate()
            process.wait()


def ask(port, *command):
    return run_example(PROGRAM, '-p', port, '-t', PATIENCE, *command)


def fake(data, *command, split=None):
    """What the client says to a server that sends just this, and then nothing more."""
    with listener() as sock:
        def serve():
            peer, _ = sock.accept()
            with peer:
                with contextlib.suppress(ConnectionError):
                    peer.recv(65536)
                    peer.sendall(data[:split])
                    if split is not None:
                        time.sleep(0.0005)
                        peer.sendall(data[split:])
        thread = threading.Thread(target=serve)
        thread.start()
        result = ask(sock.getsockname()[1], *(command or ['PING']))
        thread.join()
        return result


def test_usage():
    expect_usage(PROGRAM, [], ['-p', '6379'], ['-n', '0', 'PING'], ['-n', 'x', 'PING'], ['-t', '0', 'PING'], ['-x'])


def test_prints_what_redis_cli_prints():
    commands = [
        ['PING'], ['ECHO', ''], ['ECHO', 'quote " slash \\ bell \a tab \t new\nline é'],
        ['SET', 'a', '1'], ['GET', 'a'], ['GET', 'none'], ['INCR', 'a'], ['DEL', 'none'], ['NO-SUCH'],
        ['LPUSH', 'a', 'x'], ['RPUSH', 'list', *'abcdefghijkl'],
        ['LRANGE', 'list', '0', '-1'], ['LRANGE', 'list', '5', '1'],
        ['HSET', 'hash', 'f', 'v', 'g', 'w'], ['HGETALL', 'hash'],
        ['SADD', 'set', 'one'], ['SMEMBERS', 'set'], ['SMEMBERS', 'none'],
        ['ZADD', 'z', '1.5', 'x'], ['ZRANGE', 'z', '0', '-1', 'WITHSCORES'], ['ZSCORE', 'z', 'x'],
        ['XADD', 'x', '1-1', 'f', 'v'], ['XRANGE', 'x', '-', '+'], ['CONFIG', 'GET', 'maxmemory'],
        ['COMMAND', 'INFO', 'get', 'none'], ['COMMAND', 'GETKEYS', 'GET', 'x'], ['SLOWLOG', 'GET'],
        ['EVAL', 'return {1, {2, {3, {}, "x"}}, false, {err="E nested"}, {ok="fine"}}', '0'],
        ['EVAL', 'redis.setresp(3); return {double=3.25}', '0'],
        ['EVAL', 'redis.setresp(3); return {map={a={1, 2}}}', '0'],
        ['EVAL', 'redis.setresp(3); return {set={x=true}}', '0'],
        ['EVAL', 'redis.setresp(3); return true', '0'],
        ['EVAL', 'redis.setresp(3); return {verbatim_string={format="txt", string="a text"}}', '0'],
    ]
    with redis() as port, redis() as other_port:
        for version in [], ['-3']:
            for command in some(commands):
                expected = run('redis-cli', '--no-raw', '-p', other_port, *version, *command).stdout
                result = ask(port, *version, *command)
                assert result.stdout == expected, (version, command, result, expected)
                assert result.returncode == expected.startswith(b'(error)'), (version, command, result)


def test_many_commands_in_a_pipeline():
    with redis() as port:
        result = ask(port, '-n', 100000, 'SET', 'key:{}', 'value-{}-{}')
        assert result.stdout == b'100000 replies, 0 errors\n' and result.returncode == 0, result
        assert run('redis-cli', '-p', port, 'DBSIZE').stdout == b'100000\n'
        assert run('redis-cli', '-p', port, 'GET', 'key:99999').stdout == b'value-99999-99999\n'
        # Each sends more than fits anywhere, and gets more than that back.
        n = len(some(range(2000)))
        result = ask(port, '-n', n, 'ECHO', 'x' * 50000)
        assert result.stdout == b'%d replies, 0 errors\n' % n, result
        result = ask(port, '-n', 1000, 'INCR', 'key:{}')
        assert result.stdout == b'1000 replies, 1000 errors\n' and result.returncode == 1, result


def test_a_large_string():
    data = 'y' * 5000000
    with redis() as port:
        with tempfile.NamedTemporaryFile('w') as file:
            file.write(data)
            file.flush()
            run('redis-cli', '-p', port, '-x', 'SET', 'large', stdin=open(file.name, 'rb'))
        assert ask(port, 'GET', 'large').stdout.decode() == f'"{data}"\n'


def test_replies_may_be_split_anywhere():
    reply = (b'*7\r\n$5\r\nhello\r\n:42\r\n*2\r\n+OK\r\n-ERR no\r\n$-1\r\n'
             b'%1\r\n+k\r\n,1.5\r\n~1\r\n#t\r\n(12345678901234567890\r\n')
    expected = fake(reply).stdout
    assert expected == (b'1) "hello"\n2) (integer) 42\n3) 1) OK\n   2) (error) ERR no\n4) (nil)\n'
                        b'5) 1# k => (double) 1.5\n6) 1~ (true)\n7) 12345678901234567890\n'), expected
    for split in some(range(1, len(reply))):
        assert fake(reply, split=split).stdout == expected, split


def test_attributes_are_passed_over():
    assert fake(b'|1\r\n+ttl\r\n*1\r\n:3600\r\n$2\r\nhi\r\n').stdout == b'"hi"\n'


def test_hostile_servers_do_no_harm():
    bad = [b'', b'+OK', b'+OK\n', b'\r\n', b'?\r\n', b'$5\r\nhel', b'$5\r\nhelloxx', b'$-2\r\n',
           b'$99999999999999999999\r\n', b'$x\r\n', b'*1\r\n', b'*-5\r\n', b'*1\r\n' * 100, b'|0\r\n' * 1000,
           b'$ 1\r\nx\r\n', b'=2\r\nab\r\n', b'+' + b'x' * 100000, b'$9223372036854775807\r\nabc',
           b'*9223372036854775807\r\n:1\r\n', b'$\r\n']
    generator = random.Random(4)
    good = b'*3\r\n$5\r\nhello\r\n:42\r\n*2\r\n+OK\r\n-ERR no\r\n'
    for _ in range(100):
        data = bytearray(good)
        data[generator.randrange(len(data))] = generator.randrange(256)
        bad.append(bytes(data))
    for data in some(bad):
        result = fake(data)
        assert result.returncode in (0, 1), (data, result)
        assert result.returncode == 0 or result.stderr or b'(error)' in result.stdout, (data, result)
    for data in some(bad[:20]):
        assert fake(data).returncode == 1, data
        assert fake(data, '-n', 3, 'PING').returncode == 1, data


def test_says_why_there_is_no_connection():
    with listener() as sock:
        port = sock.getsockname()[1]
    result = ask(port, 'PING')
    assert result.returncode == 1 and b'ECONNREFUSED' in result.stderr, result
    with listener() as sock:
        result = run_example(PROGRAM, '-p', sock.getsockname()[1], '-t', '0.2', 'PING')
        assert result.returncode == 1 and b'ETIMEDOUT' in result.stderr, result


main(globals())
