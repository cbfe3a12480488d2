# SPDX-License-Identifier: MIT
"""What the tests of the network examples share: a server of examples/ as a child process.

With EXAMPLES_WRAPPER in the environment, as in "valgrind --error-exitcode=9", the programs run under
that.
"""

import contextlib
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import traceback

WRAPPER = shlex.split(os.environ.get('EXAMPLES_WRAPPER', ''))

# So long anything may take that has to happen. Nothing is expected not to happen within a time.
PATIENCE = 60


def need(*programs):
    """Skips the test where one of the clients is not installed."""
    for program in programs:
        if not shutil.which(program):
            print(f'{program} is not installed')
            sys.exit(77)


def run(*command, **options):
    """Runs a client to its end; what it printed is in the result."""
    return subprocess.run([str(word) for word in command], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          timeout=PATIENCE, **options)


def run_example(*command, **options):
    return run(*WRAPPER, *command, **options)


def some(cases):
    """All of many cases; of those under a wrapper, which makes each of them slow, every tenth."""
    return cases[::10] if WRAPPER else cases


def wait_until(condition):
    """Waits for something that another process brings about."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, 'it did not come about'
        time.sleep(0.01)


class Server:
    """A running server. Leaving the scope stops it by SIGTERM; it must then end well, and have said nothing."""

    def __init__(self, *command, errors=rb''):
        self.program = command[0]
        self.errors = errors
        self.told_to_end = False
        self.stderr = tempfile.TemporaryFile()
        self.process = subprocess.Popen([*WRAPPER, *command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=self.stderr)
        match = re.fullmatch(rb'port (\d+)\n', self.process.stdout.readline())
        if not match:
            self.process.kill()
            raise AssertionError(f'{command[0]} does not listen: {self.read_errors()!r}')
        self.port = int(match[1])
        self.url = f'http://127.0.0.1:{self.port}'
        self.idle_descriptors = self.descriptors()

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if kind:
            self.process.kill()
            self.process.wait()
            print(f'standard error: {self.read_errors()!r}')
            return
        if not self.told_to_end and self.process.poll() is None:
            self.terminate()
        self.expect_end()

    def read_errors(self):
        self.stderr.seek(0)
        return self.stderr.read()

    def expect_end(self):
        status = self.process.wait(PATIENCE)
        errors = self.read_errors()
        assert status == 0, f'status {status}, {errors!r}'
        assert re.fullmatch(self.errors, errors), f'on standard error: {errors!r}'

    def terminate(self):
        """Once: a second signal may find the program after its loop, and end it before it has ended well."""
        assert not self.told_to_end
        self.told_to_end = True
        self.process.send_signal(signal.SIGTERM)

    def wait_until_closed(self):
        """It takes no connections any more."""
        def is_refused():
            with socket.socket() as sock:
                return sock.connect_ex(('127.0.0.1', self.port)) != 0

        wait_until(is_refused)

    def connect(self, receive_buffer=None, segment=None):
        sock = socket.socket()
        sock.settimeout(PATIENCE)
        if segment: # how much the system keeps for the peer to send is counted in these
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, segment)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        sock.connect(('127.0.0.1', self.port))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def ask(self, data, end=True):
        """Sends bytes, as far as the server takes them, and returns all that comes until it ends."""
        with self.connect() as sock:
            with contextlib.suppress(OSError):
                sock.sendall(data)
                if end:
                    sock.shutdown(socket.SHUT_WR)
            return receive_all(sock)

    def descriptors(self):
        return len(os.listdir(f'/proc/{self.process.pid}/fd'))

    def wait_until_idle(self):
        """Every connection is over, and none has left a descriptor behind."""
        wait_until(lambda: self.descriptors() == self.idle_descriptors)

    def memory(self):
        """Bytes of memory that the process has in use; 0 where that would say something about a checker of memory."""
        with open(self.program, 'rb') as file:
            if WRAPPER or re.search(rb'__[at]san_init', file.read()):
                return 0
        with open(f'/proc/{self.process.pid}/status', encoding='ascii') as file:
            return int(re.search(r'VmRSS:\s+(\d+) kB', file.read())[1]) * 1024


def receive_all(sock):
    received = b''
    try:
        while data := sock.recv(65536):
            received += data
    except ConnectionResetError:
        pass
    return received


def listener(host='127.0.0.1'):
    """A socket for a server that the test itself plays."""
    sock = socket.create_server((host, 0))
    sock.settimeout(PATIENCE)
    return sock


def expect_usage(program, *command_lines):
    """A bad command line gives the usage, and status 2."""
    for arguments in command_lines:
        result = run_example(program, *arguments)
        assert result.returncode == 2, (arguments, result)
        assert b'usage: ' in result.stderr and not result.stdout, (arguments, result)


def main(names):
    """Runs every function test_... of a module. Names on the command line choose some."""
    chosen = sys.argv[2:]
    failed = 0
    for name, test in list(names.items()):
        if not name.startswith('test_') or (chosen and name not in chosen):
            continue
        try:
            test()
            print(f'ok   {name}', flush=True)
        except Exception:
            failed += 1
            print(f'FAIL {name}\n{traceback.format_exc()}', flush=True)
    sys.exit(failed > 0)
