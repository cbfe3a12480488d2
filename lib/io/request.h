/* SPDX-License-Identifier: MIT */
#ifndef AUV_IO_REQUEST_H
#define AUV_IO_REQUEST_H

#include "task/arrival.h"

#include <uv.h>

/*
 * Request
 *
 * A request of libuv's that a task awaits, and that a thread of libuv's pool works on. It begins a block
 * of the library's own, with whatever the request reads and writes behind it, and that block stays until
 * libuv has given the request back. A task that is cancelled leaves it behind: libuv is asked to cancel
 * it, and its late end frees it.
 *
 *      struct lookup { struct auv__request request; struct addrinfo *found; };
 *
 *      lookup = auv__request_new(task, sizeof(*lookup), discard);
 *      r = uv_getaddrinfo(lookup->request.loop, &lookup->request.uv.getaddrinfo, on_found, ...);
 *      AUV_TRY(auv__await_request(task, &lookup->request, r));
 *      *ret = lookup->found;
 *      lookup->found = NULL;
 *      auv__request_free(&lookup->request);
 *
 * on_found() stores the result, and calls auv__request_end().
 */
struct auv__request {
        union uv_any_req uv; /* first, so that libuv's callback finds the rest */
        uv_loop_t *loop;     /* to begin the request on */
        struct auv__reactor *reactor;
        struct auv__task *waiting; /* NULL: nobody, the task has gone on without it */
        void (*discard)(struct auv__request *request);
        int status;
        bool ended;
};

/*
 * A zeroed block that begins with a request, or NULL, and then the reason is the current error.
 * @discard, which may be NULL, gives back what the rest of the block holds; called once, before it is freed.
 */
void *auv__request_new(const struct auv__task *task, size_t size,
                       void (*discard)(struct auv__request *request));

void auv__request_free(struct auv__request *request);

/* In libuv's callback, as the last thing: the request may be gone then. */
void auv__request_end(struct auv__request *request, int status);

/*
 * Waits for the end of a request; @begun is what libuv returned from beginning it. Returns 0 or a positive
 * status, and then the request is the caller's to free. Or a negative error, with its object, and then the
 * request is not the caller's any more.
 */
int auv__await_request(struct auv__task *task, struct auv__request *request, int begun);

#endif
