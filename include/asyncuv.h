/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_H
#define ASYNCUV_H

/*
 * asyncuv: Python's asyncio for C, on libuv. One header for each concept; this one
 * includes them all.
 */

#include <asyncuv/address.h>
#include <asyncuv/alloc.h>
#include <asyncuv/as_completed.h>
#include <asyncuv/barrier.h>
#include <asyncuv/condition.h>
#include <asyncuv/connection.h>
#include <asyncuv/context.h>
#include <asyncuv/coro.h>
#include <asyncuv/datagram.h>
#include <asyncuv/error.h>
#include <asyncuv/event.h>
#include <asyncuv/executor.h>
#include <asyncuv/failing_allocator.h>
#include <asyncuv/future.h>
#include <asyncuv/gather.h>
#include <asyncuv/graph.h>
#include <asyncuv/lock.h>
#include <asyncuv/loop.h>
#include <asyncuv/macros.h>
#include <asyncuv/name.h>
#include <asyncuv/protocol.h>
#include <asyncuv/queue.h>
#include <asyncuv/runner.h>
#include <asyncuv/semaphore.h>
#include <asyncuv/sendfile.h>
#include <asyncuv/server.h>
#include <asyncuv/shield.h>
#include <asyncuv/signal.h>
#include <asyncuv/socket.h>
#include <asyncuv/stack.h>
#include <asyncuv/stream.h>
#include <asyncuv/stackless.h>
#include <asyncuv/task.h>
#include <asyncuv/task_group.h>
#include <asyncuv/thread_future.h>
#include <asyncuv/timeout.h>
#include <asyncuv/transport.h>
#include <asyncuv/value.h>
#include <asyncuv/wait.h>
#include <asyncuv/wait_for.h>
#include <asyncuv/watcher.h>

#endif
