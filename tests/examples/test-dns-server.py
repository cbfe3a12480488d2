#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""examples/dns-server, asked by dig; and with messages that dig would not send.

usage: test-dns-server.py PROGRAM [TEST...]
"""

import random
import re
import socket
import struct
import sys

from server import PATIENCE, Server, expect_usage, main, need, run

need('dig')
PROGRAM = sys.argv[1]

QUERY = struct.pack('>HHHHHH', 0x1234, 0x0100, 1, 0, 0, 0)
WWW = b'\3www\7example\4test\0'
NO_ERROR, FORMAT_ERROR, NO_SUCH_NAME, NOT_IMPLEMENTED, REFUSED = 0, 1, 3, 4, 5


def serve():
    return Server(PROGRAM, '0', errors=rb'\d+ queries, \d+ answers\n')


def dig(server, *question):
    """What dig says about a question: its whole text."""
    result = run('dig', '@127.0.0.1', '-p', server.port, '+time=20', '+tries=1', '+noedns', *question)
    assert result.returncode == 0, result
    return result.stdout.decode()


def short(server, *question):
    return sorted(dig(server, '+short', *question).split('\n')[:-1])


def status(text):
    return re.search(r'status: (\w+)', text)[1]


def flags(text):
    return re.search(r';; flags: ([a-z ]+);', text)[1].split()


class Client:
    """Sends datagrams of any kind, and waits for an answer to an honest question after them."""

    def __init__(self, server):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(('127.0.0.1', server.port))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.sock.close()

    def ask(self, message):
        self.sock.send(message)
        return self.sock.recv(65536)

    def expect_alive(self):
        """The server still answers; all that it said to what came before has come before this."""
        honest = struct.pack('>H', 0xbeef) + QUERY[2:] + WWW + struct.pack('>HH', 1, 1)
        answer = self.ask(honest)
        while answer[:2] != b'\xbe\xef':
            assert answer[2] & 0x80, answer
            answer = self.sock.recv(65536)
        assert code(answer) == NO_ERROR and counts(answer)[1] == 2


def code(answer):
    return answer[3] & 15


def counts(answer):
    return struct.unpack('>HHHH', answer[4:12])


def test_gives_addresses():
    with serve() as server:
        assert short(server, 'www.example.test', 'A') == ['192.0.2.80', '192.0.2.81']
        assert short(server, 'www.example.test', 'AAAA') == ['2001:db8::80']
        text = dig(server, 'example.test', 'A')
        assert status(text) == 'NOERROR' and 'aa' in flags(text)
        assert re.search(r'^example\.test\.\s+3600\s+IN\s+A\s+192\.0\.2\.1$', text, re.MULTILINE)


def test_gives_texts_and_what_the_zone_is_of():
    with serve() as server:
        assert short(server, 'notes.example.test', 'TXT') == ['"one"', '"two words"']
        assert short(server, 'example.test', 'NS') == ['ns.example.test.']
        assert short(server, 'example.test', 'SOA') == [
            'ns.example.test. hostmaster.example.test. 2026010100 7200 900 1209600 300']


def test_gives_a_long_text_in_strings():
    with serve() as server:
        text, = short(server, 'long.example.test', 'TXT')
        assert [len(string) for string in re.findall(r'"([^"]*)"', text)] == [255, 5]
        assert text.replace('" "', '') == '"' + ''.join(chr(ord('a') + i) * 10 for i in range(26)) + '"'


def test_says_when_an_answer_is_truncated():
    with serve() as server:
        text = dig(server, '+ignore', 'huge.example.test', 'TXT')
        assert 'tc' in flags(text) and 'ANSWER: 1' in text


def test_does_not_mind_capitals():
    with serve() as server:
        text = dig(server, 'WwW.eXample.TEST', 'AAAA')
        assert '2001:db8::80' in text and 'WwW.eXample.TEST.' in text


def test_says_that_there_is_no_such_name():
    with serve() as server:
        text = dig(server, 'nothing.example.test', 'A')
        assert status(text) == 'NXDOMAIN' and 'ANSWER: 0' in text and 'SOA' in text
        # a name that ends in the same letters is another zone's
        assert status(dig(server, 'badexample.test', 'A')) == 'REFUSED'
        assert status(dig(server, 'example.org', 'A')) == 'REFUSED'
        assert status(dig(server, '.', 'NS')) == 'REFUSED'


def test_says_that_a_name_has_nothing_of_a_type():
    with serve() as server:
        text = dig(server, 'notes.example.test', 'A')
        assert status(text) == 'NOERROR' and 'ANSWER: 0' in text and 'SOA' in text
        assert status(dig(server, 'www.example.test', 'A', '-c', 'CH')) == 'REFUSED'


def test_gives_all_that_a_name_has():
    with serve() as server:
        text = dig(server, '+notcp', 'www.example.test', 'ANY')
        assert 'ANSWER: 3' in text and '192.0.2.80' in text and '2001:db8::80' in text


def test_does_not_mind_extensions():
    with serve() as server:
        result = run('dig', '@127.0.0.1', '-p', server.port, '+time=20', '+tries=1', '+short', '+bufsize=1232',
                     'www.example.test', 'AAAA')
        assert result.stdout == b'2001:db8::80\n', result


def test_answers_malformed_queries():
    with serve() as server, Client(server) as client:
        end = struct.pack('>HH', 1, 1)
        for name in [b'\xc0\x0c', b'\3www\xc0\x0c', b'\77' + 63 * b'x', b'\100' + 64 * b'x' + b'\0', b'\1.\0',
                     b'\2a\0\0', 4 * (b'\77' + 63 * b'x') + b'\0', b'']:
            answer = client.ask(QUERY + name + end[:3])
            assert code(answer) == FORMAT_ERROR, (name, answer)
            assert answer[:2] == QUERY[:2] and counts(answer) == (0, 0, 0, 0) and len(answer) == 12
        assert code(client.ask(QUERY[:4] + b'\0\0' + QUERY[6:])) == FORMAT_ERROR
        assert code(client.ask(QUERY[:4] + b'\0\2' + QUERY[6:] + WWW + end)) == FORMAT_ERROR
        assert code(client.ask(QUERY[:2] + b'\x28\0' + QUERY[4:] + WWW + end)) == NOT_IMPLEMENTED
        client.expect_alive()


def test_a_name_has_255_bytes_at_most():
    with serve() as server, Client(server) as client:
        for last, expected in (61, REFUSED), (62, FORMAT_ERROR), (63, FORMAT_ERROR):
            name = 3 * (b'\77' + 63 * b'x') + bytes([last]) + last * b'x' + b'\0'
            answer = client.ask(QUERY + name + struct.pack('>HH', 1, 1))
            assert code(answer) == expected, (len(name), answer)
        most = 127 * b'\1x'
        assert code(client.ask(QUERY + most + b'\0' + struct.pack('>HH', 1, 1))) == REFUSED
        assert code(client.ask(QUERY + most + b'\1x\0' + struct.pack('>HH', 1, 1))) == FORMAT_ERROR
        client.expect_alive()


def test_ignores_what_is_no_query():
    with serve() as server, Client(server) as client:
        answer = QUERY[:2] + b'\x81\x80' + QUERY[4:] + WWW + struct.pack('>HH', 1, 1)
        for message in [b'', b'x', QUERY[:11], answer]:
            client.sock.send(message)
        client.sock.send(struct.pack('>H', 0xbeef) + QUERY[2:] + WWW + struct.pack('>HH', 1, 1))
        # the first that comes is the answer to the last
        assert client.sock.recv(65536)[:2] == b'\xbe\xef'


def test_survives_truncated_queries():
    with serve() as server, Client(server) as client:
        whole = QUERY + WWW + struct.pack('>HH', 28, 1)
        for size in range(len(whole)):
            client.sock.send(whole[:size])
        client.expect_alive()


def test_survives_garbage():
    chance = random.Random(1)
    with serve() as server, Client(server) as client:
        for _ in range(40):
            for _ in range(50):
                message = bytearray(QUERY + WWW + struct.pack('>HH', 1, 1))
                if chance.random() < 0.5:
                    message = bytearray(chance.randbytes(chance.randrange(600)))
                for _ in range(chance.randrange(4)):
                    if message:
                        message[chance.randrange(len(message))] = chance.randrange(256)
                client.sock.send(message)
            client.expect_alive()


def test_refuses_command_lines_that_make_no_sense():
    expect_usage(PROGRAM, [], ['x'], ['65536'], ['-1'], ['1', '2'], [''])


main(globals())
