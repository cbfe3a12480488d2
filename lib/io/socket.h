/* SPDX-License-Identifier: MIT */
#ifndef AUV_IO_SOCKET_H
#define AUV_IO_SOCKET_H

#include "task/task.h"

#include <asyncuv/socket.h>

/* auv_await_sock_connect() without a look at who calls, and at whether the descriptor blocks. */
int auv__await_sock_connect(struct auv__task *task, int fd, const struct sockaddr *address, socklen_t size);

/* The same for auv_await_sock_sendall(). */
int auv__await_sock_sendall(struct auv__task *task, int fd, const void *data, size_t size);

#endif
