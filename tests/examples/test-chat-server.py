#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""examples/chat-server, with nc and socat for people, and with people who do not listen.

usage: test-chat-server.py PROGRAM [TEST...]
"""

import random
import re
import socket
import subprocess
import sys

from server import Server, expect_usage, main, need, receive_all, run, wait_until

need('nc', 'socat')
PROGRAM = sys.argv[1]


class Person:
    """Somebody in front of a client program that is not ours."""

    def __init__(self, *command):
        self.process = subprocess.Popen([str(word) for word in command], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, bufsize=0)
        self.nick = self.hear(rb'\* you are (guest-\d+);.*')
        self.hear(rb'\* you are in lobby')

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def say(self, line):
        self.process.stdin.write(line + b'\n')

    def hear(self, pattern):
        """The next line must be like this. Returns what stands in its parentheses."""
        line = self.process.stdout.readline()
        match = re.fullmatch(pattern + rb'\n', line)
        assert match, (pattern, line)
        return match[1] if match.groups() else line

    def expect_end(self):
        self.process.stdin.close()
        assert self.process.stdout.read() == b''


def with_nc(server):
    return Person('nc', '127.0.0.1', server.port)


def with_socat(server):
    return Person('socat', '-', f'TCP:127.0.0.1:{server.port}')


def test_usage():
    expect_usage(PROGRAM, ['-p', '-1'], ['-p', ''], ['-x'], ['word'])


def test_people_talk_in_rooms():
    with Server(PROGRAM) as server, with_nc(server) as ann, with_socat(server) as bob, with_nc(server) as eve:
        ann.hear(rb'\* guest-2 has come')
        ann.hear(rb'\* guest-3 has come')
        bob.hear(rb'\* guest-3 has come')

        ann.say(b'/nick ann')
        ann.hear(rb'\* you are now ann')
        bob.hear(rb'\* guest-1 is now ann')
        eve.hear(rb'\* guest-1 is now ann')

        eve.say(b'/join attic')
        eve.hear(rb'\* you are in attic')
        ann.hear(rb'\* guest-3 has left')
        bob.hear(rb'\* guest-3 has left')

        bob.say(b'hello, \x1b[31mann\x07')
        ann.hear(rb'guest-2: hello, \?\[31mann\?')
        ann.say(b'hello bob')
        bob.hear(rb'ann: hello bob')

        bob.say(b'/who')
        assert {bob.hear(rb'\* (.*)') for _ in range(3)} == {b'lobby: ann', b'lobby: guest-2', b'attic: guest-3'}
        for bad in b'/nick ann', b'/nick a b', b'/nick ' + b'x' * 21, b'/nick', b'/join /', b'/join', b'/what':
            bob.say(bad)
            bob.hear(rb'\* .*')

        ann.say(b'/quit')
        ann.hear(rb'\* goodbye')
        ann.expect_end()
        bob.hear(rb'\* ann has gone')
        # Who hears this has not heard anything of the other room.
        eve.say(b'/join lobby')
        eve.hear(rb'\* you are in lobby')
        bob.hear(rb'\* guest-3 has come')
        eve.say(b'/quit')
        eve.hear(rb'\* goodbye')
        bob.hear(rb'\* guest-3 has gone')


def test_all_lines_come_in_their_order():
    lines = [b'%d' % i for i in range(20000)]
    with Server(PROGRAM) as server, with_nc(server) as listener:
        result = run('nc', '-N', '127.0.0.1', server.port, input=b'\n'.join(lines))
        assert result.stdout.endswith(b'* goodbye\n'), result.stdout[-100:]
        listener.hear(rb'\* guest-2 has come')
        for line in lines:
            listener.hear(b'guest-2: ' + line)
        listener.hear(rb'\* guest-2 has gone')


def test_who_does_not_listen_is_dropped():
    with Server(PROGRAM) as server, with_nc(server) as listener:
        before = server.memory()
        with server.connect(receive_buffer=4096):
            listener.hear(rb'\* guest-2 has come')
            with with_socat(server) as speaker:
                listener.hear(rb'\* guest-3 has come')
                n_heard = 0
                while True:
                    speaker.say(b'x' * 1000)
                    line = listener.process.stdout.readline()
                    if line == b'* guest-2 has gone\n':
                        break
                    n_heard += 1
                    assert line == b'guest-3: ' + b'x' * 1000 + b'\n', line
                    assert n_heard < 100000
                assert server.memory() - before < 8000000
                # Nobody else has missed anything: the line behind which the other one had gone comes as well.
                listener.hear(b'guest-3: ' + b'x' * 1000)


def test_hostile_clients_do_no_harm():
    generator = random.Random(3)
    with Server(PROGRAM) as server, with_nc(server) as listener:
        assert server.ask(b'x' * 5000).endswith(b'* the line is too long\n')
        assert server.ask(b'x' * 1024).endswith(b'* goodbye\n')
        for _ in range(100):
            with server.connect() as sock:
                sock.sendall(generator.randbytes(generator.randint(0, 500)))
                if generator.randrange(2):
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b'\1\0\0\0\0\0\0\0')
        script = b'/nick eve\n/join attic\nhello\n/quit\n'
        with server.connect() as sock:
            for byte in script:
                sock.sendall(bytes([byte]))
            lines = receive_all(sock).split(b'\n')
            # The others may still come, talk and go.
            assert [line for line in lines if not line.startswith((b'* guest-', b'guest-'))][2:] == [
                b'* you are now eve', b'* you are in attic', b'* goodbye', b''], lines
        wait_until(lambda: server.descriptors() == server.idle_descriptors + 1)
        listener.say(b'/quit')
        while listener.process.stdout.readline() != b'* goodbye\n':
            pass


def test_all_are_told_of_the_end():
    with Server(PROGRAM) as server, with_nc(server) as ann, with_socat(server) as bob:
        ann.hear(rb'\* guest-2 has come')
        server.terminate()
        for person in ann, bob:
            person.hear(rb'\* the server stops')
            person.expect_end()
        server.expect_end()


main(globals())
