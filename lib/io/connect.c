/* SPDX-License-Identifier: MIT */

/*
 * Connect
 *
 * To one of the addresses that a host has: they are tried in order, the next one when the last has
 * failed, or has not answered within a delay (happy eyeballs, RFC 8305); the first that accepts wins.
 * asyncio races tasks for that. Here the one task waits, and each try is a descriptor that is watched; what
 * is left of the race when the task goes on, for whatever reason, is taken down by it.
 */

#include "io/connection.h"

#include "base/alloc.h"
#include "base/error.h"
#include "io/name.h"
#include "loop/timer.h"
#include "loop/watcher.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct race;

struct try {
        struct race *race;
        const struct addrinfo *to;
        int fd;          /* -1 where there is none */
        bool is_watched; /* the connection is under way */
        uint64_t serial; /* of the watcher */
};

struct race {
        struct auv__task *task;
        auv_loop *loop;
        struct auv__task *waiting;
        struct auv__timer timer;
        int64_t delay_ns;             /* 0: the next is not tried as long as the last has not failed */
        const struct addrinfo *local; /* addresses to bind to, or NULL */
        size_t errors_per_try;
        auv_error **errors;           /* in the order of the addresses, with NULL in between */
        int winner;                   /* the descriptor; -1 for none yet */
        bool go_on;                   /* it is time for the next try */
        size_t n;
        size_t n_started;
        struct try tries[];
};

static int64_t seconds_to_ns(double seconds)
{
        const int64_t ns = auv__seconds_to_ns(seconds);

        return seconds > 0 && ns == 0 ? 1 : ns;
}

static void add_error(struct try *try, int code, const char *format, const struct sockaddr *address)
{
        struct race *race = try->race;
        auv_error **place = &race->errors[(size_t)(try - race->tries) * race->errors_per_try], *error = NULL;
        char text[AUV_ADDRESS_SIZE];

        auv_format_address(address, text, sizeof(text));
        if (format)
                error = auv_error_new(code, format, text, auv_strerror(code));
        if (!error)
                error = auv__transport_system_error(code);
        while (*place)
                place++;
        *place = error;
}

static void stop_watching(struct try *try)
{
        if (try->is_watched)
                auv__watcher_remove(try->race->loop, try->fd, AUV__WRITER, try->serial);
        try->is_watched = false;
}

/* It is over, and another one's turn. */
static void fail(struct try *try)
{
        struct race *race = try->race;

        stop_watching(try);
        if (try->fd >= 0)
                close(try->fd);
        try->fd = -1;
        if (try == &race->tries[race->n_started - 1])
                race->go_on = true;
}

static void win(struct try *try)
{
        stop_watching(try);
        if (try->race->winner >= 0)
                return;
        try->race->winner = try->fd;
        try->fd = -1;
}

/* The connection has been made, or refused. */
static void on_connected(void *arg)
{
        struct try *try = arg;
        struct race *race = try->race;
        int error = 0;
        socklen_t size = sizeof(error);

        if (getsockopt(try->fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
                error = errno;
        if (error == EINPROGRESS || error == EALREADY)
                return;
        if (error == 0) {
                win(try);
        } else {
                add_error(try, -error, "Connect call failed %s", try->to->ai_addr);
                fail(try);
        }
        auv__arrive(&race->waiting, 0);
}

static void on_delay(struct auv__item *item, bool dropped)
{
        struct race *race = auv__container_of(item, struct race, timer.item);

        if (dropped)
                return;
        race->go_on = true;
        auv__arrive(&race->waiting, 0);
}

/* Binds to the first of the local addresses that is of the right family and can be had. */
static int bind_to_local(struct try *try)
{
        const int family = try->to->ai_family;
        bool failed = false;

        for (const struct addrinfo *local = try->race->local; local; local = local->ai_next) {
                if (local->ai_family != family)
                        continue;
                if (bind(try->fd, local->ai_addr, local->ai_addrlen) == 0)
                        return 0;
                add_error(try, -errno, "error while attempting to bind on address %s: %s", local->ai_addr);
                failed = true;
        }
        if (!failed)
                add_error(try, AUV_EADDRNOTAVAIL, "no local address of the family of %s", try->to->ai_addr);
        return AUV_EADDRNOTAVAIL;
}

static int64_t end_of_delay(const struct race *race)
{
        int64_t end_ns;

        if (__builtin_add_overflow(auv__loop_now(race->loop), race->delay_ns, &end_ns))
                return AUV__NEVER;
        return end_ns;
}

static void start(struct race *race)
{
        struct try *try = &race->tries[race->n_started++];
        const struct addrinfo *to = try->to;
        int r;

        race->go_on = false;
        try->fd = socket(to->ai_family, to->ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, to->ai_protocol);
        if (try->fd < 0) {
                add_error(try, -errno, /* format= */ NULL, to->ai_addr);
                fail(try);
                return;
        }
        if (race->local && bind_to_local(try) < 0) {
                fail(try);
                return;
        }
        if (connect(try->fd, to->ai_addr, to->ai_addrlen) == 0) {
                win(try);
                return;
        }
        r = errno == EINPROGRESS || errno == EINTR ? 0 : -errno;
        if (r == 0)
                r = auv__watcher_add(race->loop, try->fd, AUV__WRITER, on_connected, try, &try->serial);
        if (r < 0) {
                add_error(try, r, /* format= */ NULL, to->ai_addr);
                fail(try);
                return;
        }
        try->is_watched = true;
        if (race->delay_ns > 0 && race->n_started < race->n) {
                auv__timer_stop(&race->timer);
                auv__timer_start(race->loop, &race->timer, end_of_delay(race));
        }
}

static bool is_under_way(const struct race *race)
{
        for (size_t i = 0; i < race->n_started; i++)
                if (race->tries[i].is_watched)
                        return true;
        return false;
}

/* Returns 0 when there is a winner, or everyone has lost; or a negative error with its object. */
static int await_end(struct race *race)
{
        bool arrived;
        int r = 0;

        while (r == 0 && race->winner < 0) {
                if (race->n_started < race->n && (race->go_on || !is_under_way(race))) {
                        start(race);
                        continue;
                }
                if (!is_under_way(race))
                        break;
                r = auv__await_arrival(race->task, &race->waiting, &arrived);
        }
        return r;
}

static struct race *new_race(struct auv__task *task, const struct addrinfo *const *to, size_t n,
                             const struct addrinfo *local, double delay)
{
        size_t errors_per_try = 1;
        struct race *race;

        for (const struct addrinfo *each = local; each; each = each->ai_next)
                errors_per_try++;
        /* Behind the last error there is a NULL. */
        race = auv__calloc(sizeof(*race) + n * sizeof(struct try)
                           + (n * errors_per_try + 1) * sizeof(auv_error *));
        if (!race)
                return NULL;
        race->task = task;
        race->loop = task->future.loop;
        race->timer.item.run = on_delay;
        race->delay_ns = seconds_to_ns(delay);
        race->local = local;
        race->errors_per_try = errors_per_try;
        race->errors = (auv_error **)&race->tries[n];
        race->winner = -1;
        race->n = n;
        for (size_t i = 0; i < n; i++)
                race->tries[i] = (struct try) { .race = race, .to = to[i], .fd = -1 };
        return race;
}

static void free_race(struct race *race)
{
        auv__timer_stop(&race->timer);
        for (size_t i = 0; i < race->n; i++) {
                stop_watching(&race->tries[i]);
                if (race->tries[i].fd >= 0)
                        close(race->tries[i].fd);
        }
        for (size_t i = 0; i < race->n * race->errors_per_try; i++)
                auv_unref(race->errors[i]);
        auv__free(race);
}

/* Whether two errors read the same. */
static bool is_same(const auv_error *a, const auv_error *b)
{
        const char *of_a = auv_error_message(a), *of_b = auv_error_message(b);

        return auv_error_code(a) == auv_error_code(b) && strcmp(of_a ? of_a : "", of_b ? of_b : "") == 0;
}

/* The texts of all errors, with commas between them. */
static int raise_combined(auv_error *const *errors, size_t n)
{
        size_t size = 1, length = 0;
        char *text;
        auv_error *error;

        for (size_t i = 0; i < n; i++)
                size += auv_error_format(errors[i], NULL, 0) + 2;
        text = auv__malloc(size);
        if (!text)
                return auv_raise(AUV_ENOMEM, NULL);
        for (size_t i = 0; i < n; i++) {
                length += (size_t)snprintf(text + length, size - length, "%s", i ? ", " : "");
                length += auv_error_format(errors[i], text + length, size - length);
        }
        error = auv_error_new(auv_error_code(errors[n - 1]), "Multiple exceptions: %s", text);
        auv__free(text);
        return error ? auv__error_set_current(error) : auv_raise(AUV_ENOMEM, NULL);
}

/* Why everyone has lost. */
static int raise_errors(struct race *race, bool all_errors)
{
        auv_error **errors = race->errors;
        bool same = true;
        size_t n = 0;

        for (size_t i = 0; i < race->n * race->errors_per_try; i++) {
                auv_error *error = errors[i];

                errors[i] = NULL;
                if (error)
                        errors[n++] = error;
        }
        for (size_t i = 1; i < n; i++)
                same = same && is_same(errors[0], errors[i]);
        if (all_errors) {
                auv_error *group = auv_error_new_group("create_connection failed", errors, n);

                return group ? auv__error_set_current(group) : auv_raise(AUV_ENOMEM, NULL);
        }
        return same ? auv_reraise(errors[0]) : raise_combined(errors, n);
}

static int await_race(struct auv__task *task, const struct addrinfo *const *to, size_t n,
                      const struct addrinfo *local, const auv_connection_options *options, int *ret_fd)
{
        struct race *race = new_race(task, to, n, local, options->happy_eyeballs_delay);
        int r;

        if (!race)
                return auv_raise(AUV_ENOMEM, NULL);
        r = await_end(race);
        if (r < 0 && race->winner >= 0)
                close(race->winner);
        else if (r == 0 && race->winner >= 0)
                *ret_fd = race->winner;
        else if (r == 0)
                r = raise_errors(race, options->all_errors);
        free_race(race);
        return r;
}

/* The next address of a family, from @from on. */
static const struct addrinfo *next_of(const struct addrinfo *from, int family)
{
        while (from && from->ai_family != family)
                from = from->ai_next;
        return from;
}

/*
 * asyncio's _interleave_addrinfos(): @first_count of the first family at first, then of each family one
 * in turn.
 */
static void interleave(const struct addrinfo *found, int first_count, const struct addrinfo **to, size_t n)
{
        enum { MOST_FAMILIES = 8 };

        const struct addrinfo *rest[MOST_FAMILIES];
        size_t n_families = 0, filled = 0;

        for (const struct addrinfo *each = found; each && n_families < MOST_FAMILIES; each = each->ai_next) {
                bool is_new = true;

                for (size_t i = 0; i < n_families; i++)
                        is_new = is_new && rest[i]->ai_family != each->ai_family;
                if (is_new)
                        rest[n_families++] = each;
        }
        for (; first_count > 1 && rest[0]; first_count--) {
                to[filled++] = rest[0];
                rest[0] = next_of(rest[0]->ai_next, rest[0]->ai_family);
        }
        while (filled < n) {
                for (size_t i = 0; i < n_families; i++) {
                        if (!rest[i])
                                continue;
                        to[filled++] = rest[i];
                        rest[i] = next_of(rest[i]->ai_next, rest[i]->ai_family);
                }
        }
}

int auv__await_connect_to(struct auv__task *task, const struct addrinfo *found, const struct addrinfo *local,
                          const auv_connection_options *options, int *ret_fd)
{
        const int first_count =
                options->interleave ? options->interleave : options->happy_eyeballs_delay > 0;
        const struct addrinfo **to;
        size_t n = 0, i = 0;
        int r;

        for (const struct addrinfo *each = found; each; each = each->ai_next)
                n++;
        to = auv__malloc(n * sizeof(*to));
        if (!to)
                return auv_raise(AUV_ENOMEM, NULL);
        if (first_count > 0)
                interleave(found, first_count, to, n);
        else
                for (const struct addrinfo *each = found; each; each = each->ai_next)
                        to[i++] = each;
        r = await_race(task, to, n, local, options, ret_fd);
        auv__free(to);
        return r;
}

int auv__await_connect(struct auv__task *task, const char *host, int port,
                       const auv_connection_options *options, int *ret_fd)
{
        const auv_connection_options *o = options;
        struct addrinfo *found, *local = NULL;
        int r;

        if (port < 0 || port > UINT16_MAX)
                return auv_raise(AUV_EINVAL, "there is no port %d", port);
        AUV_TRY(auv__await_getaddrinfo(task, host, port, o->family, SOCK_STREAM, o->proto, o->flags,
                                       &found));
        r = 0;
        if (o->local_host || o->local_port)
                r = auv__await_getaddrinfo(task, o->local_host, o->local_port, o->family, SOCK_STREAM,
                                           o->proto, o->local_host ? o->flags : o->flags | AI_PASSIVE,
                                           &local);
        if (r == 0)
                r = auv__await_connect_to(task, found, local, o, ret_fd);
        auv_freeaddrinfo(found);
        auv_freeaddrinfo(local);
        return r;
}
