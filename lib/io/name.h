/* SPDX-License-Identifier: MIT */
#ifndef AUV_IO_NAME_H
#define AUV_IO_NAME_H

#include "task/task.h"

#include <asyncuv/name.h>

/*
 * asyncio's _ensure_resolved(): auv_await_getaddrinfo() for a port in place of a service, and hints one
 * by one. 0 or a negative error with its object.
 */
int auv__await_getaddrinfo(struct auv__task *task, const char *host, int port, int family, int type,
                           int protocol, int flags, struct addrinfo **ret);

#endif
