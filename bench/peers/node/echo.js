// SPDX-License-Identifier: MIT
'use strict';

const { once } = require('node:events');
const net = require('node:net');
const { reportLine, cpuNs } = require('./measure.js');

/** A TCP echo server: each socket is piped to itself. */
async function serveEcho(options) {
  let connections = 0;
  const server = net.createServer({ noDelay: true }, (socket) => {
    connections += 1;
    socket.on('error', () => socket.destroy());
    socket.pipe(socket);
  });
  server.listen({ host: '127.0.0.1', port: options.port, backlog: 4096 });
  await once(server, 'listening');
  const cpu = cpuNs();
  console.log(`port ${server.address().port}`);

  await once(process, 'SIGTERM');
  reportLine(options, connections, 'cpu_s', (cpuNs() - cpu) / 1e9, 's');
  process.exit(0);
}

module.exports = { serveEcho };
