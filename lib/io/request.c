/* SPDX-License-Identifier: MIT */

#include "io/request.h"

#include "base/alloc.h"
#include "io/thread_pool.h"
#include "loop/reactor.h"

void *auv__request_new(const struct auv__task *task, size_t size,
                       void (*discard)(struct auv__request *request))
{
        struct auv__reactor *reactor = task->future.loop->reactor;
        struct auv__request *request = auv__calloc(size);

        if (!request) {
                auv_raise(AUV_ENOMEM, NULL);
                return NULL;
        }
        request->loop = auv__reactor_uv(reactor);
        request->reactor = reactor;
        request->discard = discard;
        return request;
}

void auv__request_free(struct auv__request *request)
{
        if (request->discard)
                request->discard(request);
        auv__free(request);
}

void auv__request_end(struct auv__request *request, int status)
{
        struct auv__reactor *reactor = request->reactor;

        request->ended = true;
        request->status = status;
        if (request->waiting)
                auv__arrive(&request->waiting, 0);
        else
                auv__request_free(request);
        auv__reactor_let_go(reactor);
}

int auv__await_request(struct auv__task *task, struct auv__request *request, int begun)
{
        bool arrived;
        int r = begun;

        if (begun == 0) {
                auv__thread_pool_use();
                auv__reactor_hold(request->reactor);
                r = auv__await_arrival(task, &request->waiting, &arrived);
                if (!request->ended) {
                        /* libuv cannot take back every kind, and one that has begun never. */
                        (void)uv_cancel((uv_req_t *)&request->uv);
                        return r;
                }
                if (arrived && request->status >= 0)
                        return request->status;
                if (!arrived) {
                        auv__request_free(request);
                        return r;
                }
                r = request->status;
        }
        auv__request_free(request);
        return auv_raise(r, NULL);
}
