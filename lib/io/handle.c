/* SPDX-License-Identifier: MIT */

#include "io/handle.h"

#include "base/alloc.h"
#include "loop/reactor.h"

#include <stddef.h>

/* What a loop has for its open handles. */
struct handles {
        struct auv__guest guest;
        struct auv__handle *first;
};

static void close_handles(struct auv__guest *guest, auv_loop *loop)
{
        struct handles *handles = auv__container_of(guest, struct handles, guest);

        while (handles->first) {
                struct auv__handle *handle = handles->first;

                auv__handle_close(handle);
                if (handle->functions->loop_closed)
                        handle->functions->loop_closed(handle);
        }
        auv__free(handles);
}

static struct handles *handles_of(const auv_loop *loop)
{
        struct auv__guest *guest = auv__loop_guest(loop, close_handles);

        return guest ? auv__container_of(guest, struct handles, guest) : NULL;
}

int auv__handle_prepare(struct auv__handle *handle, auv_loop *loop,
                        const struct auv__handle_functions *functions)
{
        struct handles *handles = handles_of(loop);

        if (!handles) {
                handles = auv__calloc(sizeof(*handles));
                if (!handles)
                        return AUV_ENOMEM;
                handles->guest.close = close_handles;
                auv__loop_add_guest(loop, &handles->guest);
        }
        *handle = (struct auv__handle) { .functions = functions, .loop = loop, .reactor = loop->reactor };
        return 0;
}

uv_loop_t *auv__handle_uv_loop(const struct auv__handle *handle)
{
        return auv__reactor_uv(handle->reactor);
}

void auv__handle_open(struct auv__handle *handle, uv_handle_t *uv)
{
        struct handles *handles = handles_of(handle->loop);

        auv__reactor_adopt(handle->reactor, uv);
        uv->data = handle;
        handle->uv = uv;
        handle->link = &handles->first;
        handle->next = handles->first;
        if (handle->next)
                handle->next->link = &handle->next;
        handles->first = handle;
}

static void on_closed(uv_handle_t *uv)
{
        struct auv__handle *handle = auv__handle_of(uv);
        struct auv__reactor *reactor = handle->reactor;

        handle->functions->closed(handle);
        auv__reactor_let_go(reactor);
}

void auv__handle_close(struct auv__handle *handle)
{
        uv_handle_t *uv = handle->uv;

        if (!uv)
                return;
        *handle->link = handle->next;
        if (handle->next)
                handle->next->link = handle->link;
        handle->uv = NULL;
        auv__reactor_close_handle(handle->reactor, uv, on_closed);
}
