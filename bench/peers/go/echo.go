// SPDX-License-Identifier: MIT

package main

import (
	"fmt"
	"net"
	"os"
	"os/signal"
	"syscall"
)

const bufferSize = 65536

func echo(connection net.Conn) {
	defer connection.Close()
	buffer := make([]byte, bufferSize)
	for {
		n, err := connection.Read(buffer)
		if err != nil {
			return
		}
		if _, err := connection.Write(buffer[:n]); err != nil {
			return
		}
	}
}

// A TCP echo server, a goroutine for each connection.
func serveEcho(o *options) {
	terminated := make(chan os.Signal, 1)
	signal.Notify(terminated, syscall.SIGTERM)

	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", o.port))
	if err != nil {
		fail(err.Error())
	}
	cpu := cpuTime()
	fmt.Println("port", listener.Addr().(*net.TCPAddr).Port)

	accepted := make(chan int)
	go func() {
		count := 0
		for {
			connection, err := listener.Accept()
			if err != nil {
				accepted <- count
				return
			}
			count++
			go echo(connection)
		}
	}()
	<-terminated
	listener.Close()
	o.report(<-accepted, "cpu_s", (cpuTime() - cpu).Seconds(), "s")
}
