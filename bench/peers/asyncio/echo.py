# SPDX-License-Identifier: MIT
"""TCP echo servers, one on asyncio's streams and one on a protocol."""

import asyncio
import signal

from measure import cpu_ns

HOST = "127.0.0.1"
BACKLOG = 4096
BUFFER_SIZE = 65536

n_connections = 0


async def echo(reader, writer):
    global n_connections
    n_connections += 1
    try:
        while data := await reader.read(BUFFER_SIZE):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    finally:
        writer.close()


class EchoProtocol(asyncio.Protocol):
    def connection_made(self, transport):
        global n_connections
        n_connections += 1
        self.transport = transport

    def data_received(self, data):
        self.transport.write(data)

    def pause_writing(self):
        self.transport.pause_reading()

    def resume_writing(self):
        self.transport.resume_reading()


async def serve_echo(options, report):
    loop = asyncio.get_running_loop()
    terminated = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, terminated.set)

    if options.form == "streams":
        server = await asyncio.start_server(echo, HOST, options.port, backlog=BACKLOG)
    else:
        server = await loop.create_server(EchoProtocol, HOST, options.port, backlog=BACKLOG)
    cpu = cpu_ns()
    print("port", server.sockets[0].getsockname()[1], flush=True)

    await terminated.wait()
    server.close()
    report.line(n_connections, "cpu_s", (cpu_ns() - cpu) / 1e9, "s")
