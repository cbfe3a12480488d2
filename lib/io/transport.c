/* SPDX-License-Identifier: MIT */

/*
 * Transport
 *
 * When a protocol is told what. connection_made() and connection_lost() come through the ready queue, so
 * that neither runs within the call that brings it about, and reading starts behind the first; all else
 * comes right from libuv's callback, in the loop's turn, when no task is running. Each may close the
 * connection or the loop, so whoever calls one looks at the state anew.
 *
 * libuv forgets a descriptor and learns it again, two calls of the system, whenever something else is to be
 * looked for. So reading is paused by a flag alone, and libuv is told when it finds the descriptor
 * ready all the same; many are resumed before that.
 */

#include "io/transport.h"

#include "base/alloc.h"
#include "base/context.h"
#include "base/error.h"
#include "io/server.h"
#include "loop/hooks.h"
#include "loop/turn.h"
#include "loop/watcher.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { DEFAULT_HIGH = 64 * 1024, WRITES_BEFORE_WARNING = 5 };

/*
 * How many transports are found to have something for a task that waits, before the tasks are run.
 * With more, what the first of them need has left the cache when it is their turn. And libuv looks again, up
 * to 48 times, when it has found 1024 descriptors ready, which would be the same ones where nobody has read
 * from them.
 */
enum { MOST_FOUND = 64 };

/* What a loop has for its transports. */
struct commons {
        struct auv__guest guest;
        unsigned n_found; /* whose tasks were woken, since tasks were run because of that */
        _Alignas(AUV__CACHE_LINE) char receive_room[AUV__RECEIVE_SIZE];
};

static void free_commons(struct auv__guest *guest, auv_loop *loop)
{
        auv__free_line(auv__container_of(guest, struct commons, guest));
}

static int require_receive_room(auv_loop *loop, char **ret_room)
{
        struct auv__guest *guest = auv__loop_guest(loop, free_commons);
        struct commons *commons;

        if (!guest) {
                commons = auv__malloc_line(sizeof(*commons));
                if (!commons)
                        return AUV_ENOMEM;
                commons->guest = (struct auv__guest) { .close = free_commons };
                commons->n_found = 0;
                auv__loop_add_guest(loop, &commons->guest);
                guest = &commons->guest;
        }
        *ret_room = auv__container_of(guest, struct commons, guest)->receive_room;
        return 0;
}

static struct commons *commons_of(const auv_transport *transport)
{
        return auv__container_of(transport->receive_room, struct commons, receive_room);
}

static bool functions_are_valid(const auv_protocol_functions *functions)
{
        return functions &&
               functions->size >= offsetof(auv_protocol_functions, released) + sizeof(void (*)(void));
}

int auv__protocol_make(auv_protocol_factory_fn factory, void *arg, auv_protocol *ret_protocol)
{
        auv_protocol protocol = { .functions = NULL };
        int r;

        r = factory(arg, &protocol);
        if (r < 0)
                return auv__error_set_current(auv__error_for(r));
        if (!functions_are_valid(protocol.functions))
                return auv_raise(AUV_EINVAL, "the protocol that was made has no functions");
        *ret_protocol = protocol;
        return 0;
}

void auv__protocol_release(const auv_protocol *protocol)
{
        if (protocol->functions && protocol->functions->released)
                protocol->functions->released(protocol->user);
}

static void set_polled(auv_transport *transport, int events);

/* What libuv should look for. */
static int wanted(const auv_transport *transport)
{
        return (auv__transport_wants_to_read(transport) ? UV_READABLE : 0)
               | (transport->buffered > 0 || transport->attempt ? UV_WRITABLE : 0);
}

static void read_ready(auv_transport *transport)
{
        if (transport->is_readable)
                return; /* libuv has looked again, before the task has run */
        transport->is_readable = transport->taker && *transport->taker;
        if (!transport->is_readable) {
                transport->kind->read_ready(transport);
                return;
        }
        commons_of(transport)->n_found++;
        auv__arrive(transport->taker, 0);
}

void auv__transport_take(auv_transport *transport, bool wanted)
{
        const bool is_readable = transport->is_readable;

        transport->is_readable = false;
        if (is_readable && wanted && auv__transport_wants_to_read(transport))
                transport->kind->read_ready(transport);
}

static void handle_ready(auv_transport *transport, int events)
{
        if (events & UV_READABLE) {
                if (auv__transport_wants_to_read(transport))
                        read_ready(transport);
                else if (transport->polled & UV_READABLE)
                        set_polled(transport, wanted(transport));
        }
        if (events & UV_WRITABLE && transport->buffered > 0)
                transport->kind->write_ready(transport);
        else if (auv__unlikely(events & UV_WRITABLE && transport->attempt))
                auv__attempt_again(transport->attempt);
}

/* In debug mode what happens in the program's functions is timed, as what comes from the ready queue. */
struct event {
        struct auv__item item;
        auv_transport *transport;
        int events;
};

static void run_event(struct auv__item *item, bool dropped)
{
        const struct event *event = auv__container_of(item, struct event, item);

        handle_ready(event->transport, event->events);
}

static __attribute__((noinline)) void handle_ready_in_debug(auv_transport *transport, int events)
{
        struct event event = { .item = { .run = run_event }, .transport = transport, .events = events };

        auv__loop_hooks(transport->handle.loop)->run(transport->handle.loop, &event.item);
}

/* Whether MOST_FOUND have been found; it counts anew then. */
static bool take_many(struct commons *commons)
{
        if (auv__likely(commons->n_found < MOST_FOUND))
                return false;
        commons->n_found = 0;
        return true;
}

AUV__HOT static void on_ready(uv_poll_t *poll, int status, int events)
{
        auv_transport *transport = auv__container_of(poll, auv_transport, poll);
        struct auv__object **outer = auv__context_enter(&transport->context);
        auv_loop *outer_loop = auv__running_loop, *loop = transport->handle.loop;
        bool many;

        auv__keep(&transport->object);
        /* Turned by a uv_run() of the program's, the loop is not running. */
        auv__running_loop = loop;
        if (auv__unlikely(status < 0)) {
                /* Reading and writing find out what it is. libuv has stopped looking. */
                transport->polled = 0;
                events = UV_READABLE | UV_WRITABLE;
        }
        if (auv__likely(!auv__loop_hooks(loop)))
                handle_ready(transport, events);
        else
                handle_ready_in_debug(transport, events);
        if (auv__unlikely(status < 0))
                auv__transport_watch(transport);
        auv__running_loop = outer_loop;
        auv__context_leave(outer);
        many = !loop->closed && take_many(commons_of(transport));
        auv__drop(&transport->object);
        if (auv__unlikely(many))
                auv__turn_ready(loop);
}

static void set_polled(auv_transport *transport, int events)
{
        /* It has worked before: nothing but a descriptor that is another handle's could fail. */
        if (events)
                (void)uv_poll_start(&transport->poll, events, on_ready);
        else
                (void)uv_poll_stop(&transport->poll);
        transport->polled = (uint8_t)events;
}

void auv__transport_watch(auv_transport *transport)
{
        const int events = wanted(transport);

        if (!auv__handle_is_open(&transport->handle) || !transport->is_made)
                return;
        /* A look for reading that is not wanted any more is left until it finds something. */
        if (events != transport->polled && (events | UV_READABLE) != transport->polled)
                set_polled(transport, events);
}

/* The connection is over, and the protocol has been told what it is to be told of that. */
static void dispose(auv_transport *transport)
{
        const auv_protocol protocol = transport->protocol;
        auv_server *server = transport->server;

        transport->is_closing = true;
        transport->is_lost = true;
        transport->lost_is_due = false;
        transport->kind->clear(transport);
        transport->buffered = 0;
        auv__handle_close(&transport->handle);
        auv__watchers_release(transport->handle.loop, transport->fd);
        close(transport->fd);
        transport->fd = -1;
        if (transport->attempt)
                auv__arrive(&transport->attempt->waiting, AUV_ECONNRESET);
        transport->error = auv_unref(transport->error);
        transport->protocol = (auv_protocol) { .functions = NULL };
        auv__protocol_release(&protocol);
        transport->server = NULL;
        if (server)
                auv__server_detach(server, transport);
}

/* libuv has let go of the handle, which has held the transport. */
static void on_closed(struct auv__handle *handle)
{
        auv__drop(&auv__container_of(handle, auv_transport, handle)->object);
}

/* In debug mode, as the destructors of Python's transports do. One whose end is due has nothing to lose. */
static void report_unclosed(const auv_transport *transport)
{
        auv_loop *loop = transport->handle.loop;
        char message[64];

        if (auv__likely(!auv__loop_hooks(loop)) || transport->is_lost)
                return;
        snprintf(message, sizeof(message), "unclosed transport <%s fd=%d>", transport->kind->descriptor_name,
                 transport->fd);
        auv_loop_call_exception_handler(loop, &(auv_exception_context) { .message = message });
}

static void on_loop_closed(struct auv__handle *handle)
{
        auv_transport *transport = auv__container_of(handle, auv_transport, handle);

        report_unclosed(transport);
        dispose(transport);
}

static const struct auv__handle_functions handle_functions = { .loop_closed = on_loop_closed,
                                                               .closed = on_closed };

void auv__transport_free(struct auv__object *object)
{
        auv_transport *transport = auv__container_of(object, auv_transport, object);
        auv_loop *loop = transport->handle.loop;

        auv__context_drop(transport->context);
        auv__free(transport);
        auv__loop_release(loop);
}

static void run_made(auv_transport *transport)
{
        const auv_protocol *protocol = &transport->protocol;

        transport->is_made = true;
        if (protocol->functions->connection_made)
                protocol->functions->connection_made(protocol->user, transport);
        auv__arrive(&transport->made, 0);
        auv__transport_watch(transport);
}

void auv__transport_end(auv_transport *transport)
{
        const auv_protocol *protocol = &transport->protocol;

        transport->lost_is_due = false;
        transport->is_lost = true;
        if (transport->is_made && protocol->functions->connection_lost)
                protocol->functions->connection_lost(protocol->user, transport->error);
        if (protocol->functions)
                dispose(transport);
}

static void schedule(auv_transport *transport)
{
        auv_loop *loop = transport->handle.loop;

        /* A task that ends with its loop may still close its transports. */
        if (transport->is_queued || loop->closed)
                return;
        transport->is_queued = true;
        auv__loop_push(loop, &transport->item);
}

static void run(struct auv__item *item, bool dropped)
{
        auv_transport *transport = auv__container_of(item, auv_transport, item);
        struct auv__object **outer;

        transport->is_queued = false;
        if (dropped)
                return;
        auv__keep(&transport->object);
        outer = auv__context_enter(&transport->context);
        if (!transport->is_made) {
                run_made(transport);
                if (transport->lost_is_due)
                        schedule(transport);
        } else if (transport->lost_is_due) {
                if (transport->kind->before_lost)
                        transport->kind->before_lost(transport);
                auv__transport_end(transport);
        }
        auv__context_leave(outer);
        auv__drop(&transport->object);
}

/* The addresses that the descriptor has; those of what is no socket are empty. */
static void find_addresses(int fd, const struct auv__address *peer, struct auv__address *ret_peer,
                           struct auv__address *ret_own)
{
        ret_own->size = sizeof(ret_own->storage);
        if (getsockname(fd, &ret_own->any, &ret_own->size) < 0)
                ret_own->size = 0;
        if (peer) {
                *ret_peer = *peer;
                return;
        }
        ret_peer->size = sizeof(ret_peer->storage);
        if (ret_own->size == 0 || getpeername(fd, &ret_peer->any, &ret_peer->size) < 0)
                ret_peer->size = 0;
}

/* Room for an address, so that the next is aligned, and a path has its zero byte. */
static size_t room_for(const struct auv__address *address)
{
        return address->size > 0 ? (address->size + sizeof(max_align_t)) & ~(sizeof(max_align_t) - 1) : 0;
}

static auv_transport *allocate(const struct auv__address *peer, const struct auv__address *own)
{
        const size_t room = room_for(peer) + room_for(own);
        auv_transport *transport = auv__malloc(sizeof(*transport) + room);

        if (!transport)
                return NULL;
        auv__clear(transport, sizeof(*transport) + room);
        transport->peer_size = (uint8_t)peer->size;
        transport->own_size = (uint8_t)own->size;
        transport->own_offset = (uint8_t)room_for(peer);
        memcpy(transport->addresses, &peer->any, peer->size);
        memcpy((char *)transport->addresses + transport->own_offset, &own->any, own->size);
        return transport;
}

int auv__transport_new(auv_loop *loop, const struct auv__transport_kind *kind, int fd,
                       const struct auv__address *peer, const auv_protocol *protocol,
                       auv_transport **ret_transport)
{
        struct auv__address own_address, peer_address;
        char *receive_room;
        auv_transport *transport;
        int r;

        AUV_TRY(require_receive_room(loop, &receive_room));
        find_addresses(fd, peer, &peer_address, &own_address);
        transport = allocate(&peer_address, &own_address);
        if (!transport)
                return AUV_ENOMEM;
        r = auv__handle_prepare(&transport->handle, loop, &handle_functions);
        if (r == 0)
                r = auv__watchers_claim(loop, fd);
        if (r == 0) {
                r = uv_poll_init(auv__handle_uv_loop(&transport->handle), &transport->poll, fd);
                if (r < 0)
                        auv__watchers_release(loop, fd);
        }
        if (r < 0) {
                auv__free(transport);
                return r;
        }
        transport->object = auv__object_init(AUV__TRANSPORT, 0);
        transport->kind = kind;
        transport->item.run = run;
        transport->protocol = *protocol;
        transport->context = auv__context_copy();
        transport->receive_room = receive_room;
        transport->high = DEFAULT_HIGH;
        transport->low = DEFAULT_HIGH / 4;
        transport->fd = fd;
        auv__loop_hold(loop);
        auv__handle_open(&transport->handle, (uv_handle_t *)&transport->poll);
        *ret_transport = transport;
        return 0;
}

void auv__transport_begin(auv_transport *transport)
{
        schedule(transport);
}

int auv__await_transport(struct auv__task *task, auv_transport *transport)
{
        bool arrived;
        int r;

        auv__keep(&transport->object);
        r = auv__await_arrival(task, &transport->made, &arrived);
        if (!arrived)
                auv_transport_close(transport);
        auv__drop(&transport->object);
        return r;
}

int auv__await_transport_attempt(struct auv__task *task, auv_transport *transport,
                                 struct auv__attempt *attempt)
{
        bool arrived;
        int r;

        if (transport->is_lost)
                return auv_raise(AUV_ECONNRESET, "the connection is lost");
        attempt->fd = transport->fd;
        r = transport->buffered > 0 ? AUV_EAGAIN : attempt->make(attempt);
        if (r != AUV_EAGAIN)
                return r < 0 ? auv_raise(r, NULL) : 0;
        transport->attempt = attempt;
        auv__transport_watch(transport);
        r = auv__await_arrival(task, &attempt->waiting, &arrived);
        transport->attempt = NULL;
        auv__transport_watch(transport);
        return arrived && r < 0 ? auv_raise(r, NULL) : r;
}

static void schedule_lost(auv_transport *transport)
{
        transport->is_lost = true;
        transport->lost_is_due = true;
        schedule(transport);
}

void auv__transport_force_close(auv_transport *transport, auv_error *error)
{
        if (transport->is_lost) {
                auv_unref(error);
                return;
        }
        transport->kind->clear(transport);
        transport->buffered = 0;
        transport->is_closing = true;
        transport->error = error;
        schedule_lost(transport);
}

void auv__transport_fail(auv_transport *transport, auv_error *error, const char *message)
{
        auv_loop_call_exception_handler(transport->handle.loop, &(auv_exception_context) {
                .message = message, .error = error });
        auv__transport_force_close(transport, error);
}

auv_error *auv__transport_system_error(int code)
{
        auv_error *error = auv__error_static(code);

        if (!error)
                error = auv_error_new(code, "%s", strerror(-code));
        return error ? error : auv__error_static(AUV_UNKNOWN);
}

void auv__transport_maybe_pause(auv_transport *transport)
{
        const auv_protocol *protocol = &transport->protocol;

        if (transport->buffered <= transport->high || transport->is_protocol_paused)
                return;
        transport->is_protocol_paused = true;
        if (protocol->functions && protocol->functions->pause_writing)
                protocol->functions->pause_writing(protocol->user);
}

void auv__transport_maybe_resume(auv_transport *transport)
{
        const auv_protocol *protocol = &transport->protocol;

        if (!transport->is_protocol_paused || transport->buffered > transport->low)
                return;
        transport->is_protocol_paused = false;
        if (protocol->functions && protocol->functions->resume_writing)
                protocol->functions->resume_writing(protocol->user);
}

void auv__transport_drop_write(auv_transport *transport, const char *warning)
{
        if (++transport->n_dropped >= WRITES_BEFORE_WARNING)
                auv_loop_call_exception_handler(transport->handle.loop, &(auv_exception_context) {
                        .message = warning });
}

void auv_transport_close(auv_transport *transport)
{
        if (!transport || transport->is_closing)
                return;
        /* What was found for a task that has not run yet came before this. */
        auv__transport_take(transport, /* wanted= */ true);
        if (transport->is_closing)
                return;
        transport->is_closing = true;
        if (transport->buffered == 0)
                schedule_lost(transport);
}

void auv_transport_abort(auv_transport *transport)
{
        if (!transport)
                return;
        auv__transport_take(transport, /* wanted= */ true);
        auv__transport_force_close(transport, /* error= */ NULL);
}

AUV__HOT bool auv_transport_is_closing(const auv_transport *transport)
{
        return !transport || transport->is_closing;
}

AUV__HOT int auv_transport_write(auv_transport *transport, const void *data, size_t size)
{
        const auv_buffer buffer = { .data = data, .size = size };

        if (!transport || (size > 0 && !data))
                return auv_raise(AUV_EINVAL, "no transport, or no data");
        if (!transport->kind->write)
                return auv_raise(AUV_ENOTSUP, "the transport does not write bytes");
        return transport->kind->write(transport, &buffer, 1);
}

int auv_transport_writelines(auv_transport *transport, const auv_buffer *buffers, size_t n)
{
        if (!transport || (n > 0 && !buffers))
                return auv_raise(AUV_EINVAL, "no transport, or no data");
        for (size_t i = 0; i < n; i++)
                if (buffers[i].size > 0 && !buffers[i].data)
                        return auv_raise(AUV_EINVAL, "buffer %zu has no data", i);
        if (!transport->kind->write)
                return auv_raise(AUV_ENOTSUP, "the transport does not write bytes");
        return transport->kind->write(transport, buffers, n);
}

int auv_transport_write_eof(auv_transport *transport)
{
        if (!transport)
                return auv_raise(AUV_EINVAL, "no transport");
        if (!transport->kind->write_eof)
                return auv_raise(AUV_ENOTSUP, "the transport has no way to send an end");
        return transport->kind->write_eof(transport);
}

bool auv_transport_can_write_eof(const auv_transport *transport)
{
        return transport && transport->kind->write_eof;
}

void auv_transport_pause_reading(auv_transport *transport)
{
        if (auv_transport_is_reading(transport))
                transport->is_paused = true;
}

void auv_transport_resume_reading(auv_transport *transport)
{
        if (!transport || transport->is_closing || !transport->is_paused)
                return;
        transport->is_paused = false;
        auv__transport_watch(transport);
}

bool auv_transport_is_reading(const auv_transport *transport)
{
        return transport && transport->kind->reads && !transport->is_closing && !transport->is_paused;
}

size_t auv_transport_get_write_buffer_size(const auv_transport *transport)
{
        return transport ? transport->buffered : 0;
}

int auv_transport_get_write_buffer_limits(const auv_transport *transport, size_t *ret_low, size_t *ret_high)
{
        if (!transport)
                return auv_raise(AUV_EINVAL, "no transport");
        if (ret_low)
                *ret_low = transport->low;
        if (ret_high)
                *ret_high = transport->high;
        return 0;
}

int auv_transport_set_write_buffer_limits(auv_transport *transport, size_t high, size_t low)
{
        if (!transport)
                return auv_raise(AUV_EINVAL, "no transport");
        if (high == AUV_DEFAULT_LIMIT && low != AUV_DEFAULT_LIMIT)
                high = low > SIZE_MAX / 4 ? low : 4 * low;
        if (high == AUV_DEFAULT_LIMIT)
                high = DEFAULT_HIGH;
        if (low == AUV_DEFAULT_LIMIT)
                low = high / 4;
        if (high < low)
                return auv_raise(AUV_EINVAL, "high (%zu) must be >= low (%zu)", high, low);
        transport->high = high;
        transport->low = low;
        auv__transport_maybe_pause(transport);
        return 0;
}

int auv_transport_get_extra_info(const auv_transport *transport, const char *name, auv_value *ret)
{
        if (!transport || !name || !ret)
                return 0;
        if (strcmp(name, "peername") == 0 && transport->peer_size > 0 && !transport->is_unconnected) {
                *ret = (auv_value) { .p = (void *)transport->addresses };
                return 1;
        }
        if (strcmp(name, "sockname") == 0 && transport->own_size > 0) {
                *ret = (auv_value) { .p = (char *)transport->addresses + transport->own_offset };
                return 1;
        }
        if (strcmp(name, transport->kind->descriptor_name) == 0 && transport->fd >= 0) {
                *ret = (auv_value) { .i = transport->fd };
                return 1;
        }
        return 0;
}

int auv_transport_set_protocol(auv_transport *transport, const auv_protocol *protocol)
{
        auv_protocol replaced;

        if (!transport || !protocol || !functions_are_valid(protocol->functions))
                return auv_raise(AUV_EINVAL, "no transport, or a protocol without functions");
        if (!transport->protocol.functions)
                return auv_raise(AUV_ERUNTIME, "the connection is lost");
        /* What was found for a task that has not run yet is the old one's. */
        auv__transport_take(transport, /* wanted= */ true);
        replaced = transport->protocol;
        transport->protocol = *protocol;
        auv__protocol_release(&replaced);
        return 0;
}

auv_protocol auv_transport_get_protocol(const auv_transport *transport)
{
        return transport ? transport->protocol : (auv_protocol) { .functions = NULL };
}

auv_loop *auv_transport_get_loop(const auv_transport *transport)
{
        return transport ? transport->handle.loop : NULL;
}
