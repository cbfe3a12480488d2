/* SPDX-License-Identifier: MIT */
#ifndef EXAMPLES_REDIS_H
#define EXAMPLES_REDIS_H

/*
 * Replies of a Redis server, read from a stream
 *
 * A reply is printed while it is read, so that one of any size needs no memory, and nothing that a
 * server says can make a program reserve some. Replies are nested, and so are the calls that read them:
 * a coroutine may await at any depth of calls.
 */

#include <asyncuv.h>
#include <stdio.h>

struct redis_printer {
        auv_stream_reader *reader;
        FILE *output;
        FILE *nowhere; /* for what is not to be seen */
};

/*
 * Reads a reply of any type, of either version of the protocol, and prints it in the form of redis-cli,
 * without a line's end. Returns 1, it is an error; 0, it is none; or a negative error: AUV_EPROTO, this is
 * no reply; the stream's.
 */
int redis_await_reply(const struct redis_printer *printer);

#endif
