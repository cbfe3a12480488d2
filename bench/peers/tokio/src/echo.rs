// SPDX-License-Identifier: MIT

//! A TCP echo server, a task for each connection.

use crate::measure::{cpu_ns, Options};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::signal::unix::{signal, SignalKind};

const BUFFER_SIZE: usize = 65536;

async fn echo(mut stream: TcpStream) -> std::io::Result<()> {
    let mut buffer = vec![0; BUFFER_SIZE];
    stream.set_nodelay(true)?;
    loop {
        let n = stream.read(&mut buffer).await?;
        if n == 0 {
            return Ok(());
        }
        stream.write_all(&buffer[..n]).await?;
    }
}

pub async fn serve(options: &Options) {
    let mut terminated = signal(SignalKind::terminate()).unwrap();
    let listener = TcpListener::bind(("127.0.0.1", options.port)).await.unwrap();
    let mut connections = 0;
    let cpu = cpu_ns();
    println!("port {}", listener.local_addr().unwrap().port());

    loop {
        tokio::select! {
            accepted = listener.accept() => {
                let (stream, _) = accepted.unwrap();
                connections += 1;
                // A peer that vanishes ends its own task, and nothing else.
                tokio::spawn(async { drop(echo(stream).await) });
            }
            _ = terminated.recv() => break,
        }
    }
    options.report(connections, "cpu_s", (cpu_ns() - cpu) as f64 / 1e9, "s");
}
