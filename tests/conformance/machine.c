/* SPDX-License-Identifier: MIT */

#include "machine.h"

#include "allocator.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Coroutines of a scenario that call each other deeply take some hundred bytes for each operation. */
#define STACK_SIZE ((size_t)256 * 1024)

/* ---- trace */

/* `TIME WHO ` and the text; false where nothing is traced any more. */
static bool log_begin(struct machine *m, const char *format, va_list args)
{
        auv_task *task;
        char *line;

        if (m->over)
                return false;
        task = auv_current_task(m->loop);
        if (vasprintf(&line, format, args) < 0)
                abort();
        text_add(m->trace, "%.3f %s %s", auv_loop_time(m->loop), task ? auv_task_get_name(task) : "-", line);
        free(line);
        return true;
}

void machine_log(struct machine *m, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        if (log_begin(m, format, args))
                text_add(m->trace, "\n");
        va_end(args);
}

void machine_log_error(struct machine *m, int code, const auv_error *error, const char *format, ...)
{
        va_list args;

        if (code == AUV_ENOMEM)
                m->no_memory = true;
        va_start(args, format);
        if (log_begin(m, format, args)) {
                text_add_error(m->trace, code, error);
                text_add(m->trace, "\n");
        }
        va_end(args);
}

void machine_log_value(struct machine *m, const auv_value *value, const char *format, ...)
{
        va_list args;

        va_start(args, format);
        if (log_begin(m, format, args)) {
                text_add_value(m->trace, value);
                text_add(m->trace, "\n");
        }
        va_end(args);
}

/* ---- names */

static struct thing *find_thing(struct machine *m, const char *name)
{
        for (size_t i = 0; i < m->n_things; i++) {
                if (!strcmp(m->things[i].name, name))
                        return &m->things[i];
        }
        return NULL;
}

/* Room for one more in an array of n; the same memory, or moved. */
static void *grow(void *items, size_t n, size_t size)
{
        if (n & (n - 1))
                return items;
        items = realloc(items, (n ? 2 * n : 1) * size);
        if (!items)
                abort();
        return items;
}

void machine_bind(struct machine *m, const char *name, enum kind kind, void *object)
{
        struct thing *thing = find_thing(m, name);
        void *old = NULL;

        if (thing) {
                old = thing->object;
        } else {
                m->things = grow(m->things, m->n_things, sizeof(*m->things));
                thing = &m->things[m->n_things++];
        }
        *thing = (struct thing) { name, kind, object };
        auv_unref(old);
}

void machine_bind_task(struct machine *m, const char *name, auv_task *task)
{
        m->born = grow(m->born, m->n_born, sizeof(*m->born));
        m->born[m->n_born++] = auv_ref(task);
        machine_bind(m, name, KIND_FUTURE, task);
}

int machine_bind_new(struct machine *m, const char *name, enum kind kind, void *object)
{
        if (!object)
                return auv_error_code(auv_error_current());
        machine_bind(m, name, kind, object);
        return 0;
}

const struct thing *machine_find_thing(struct machine *m, const char *name)
{
        const struct thing *thing = find_thing(m, name);

        if (!thing)
                machine_log(m, "undefined %s", name);
        return thing;
}

int machine_find(struct machine *m, const char *name, enum kind kind, void *ret_object)
{
        const struct thing *thing = machine_find_thing(m, name);

        if (!thing)
                return 0;
        if (thing->kind != kind)
                return auv_raise(ERROR_ATTRIBUTE, NULL);
        memcpy(ret_object, &thing->object, sizeof(thing->object));
        return 1;
}

int machine_find_futures(struct machine *m, char *const *names, size_t n, struct futures *ret_futures)
{
        struct futures futures = { .items = must_alloc(n * sizeof(*futures.items)) };
        int r = 1;

        for (; futures.n < n && r > 0; futures.n += r > 0) {
                r = machine_find(m, names[futures.n], KIND_FUTURE, &futures.items[futures.n]);
                if (r > 0)
                        auv_ref(futures.items[futures.n]);
        }
        if (r <= 0) {
                futures_free(&futures);
                return r < 0 ? auv_raise(ERROR_TYPE, NULL) : 0;
        }
        *ret_futures = futures;
        return 1;
}

void futures_free(struct futures *futures)
{
        for (size_t i = 0; i < futures->n; i++)
                auv_unref(futures->items[i]);
        free(futures->items);
}

double seconds(const char *word)
{
        return strcmp(word, "none") ? strtod(word, NULL) : AUV_NO_TIMEOUT;
}

/* ---- errors */

struct caught catch_error(int code)
{
        auv_error *error = auv_error_current();

        return (struct caught) { code, auv_error_code(error) == code ? auv_ref(error) : NULL };
}

int rethrow(const struct caught *caught)
{
        return caught->error ? auv_reraise(caught->error) : auv_raise(caught->code, NULL);
}

void caught_free(struct caught *caught)
{
        caught->error = auv_unref(caught->error);
}

int machine_no_object(int code)
{
        int r = auv_await(/* future= */ NULL, /* ret= */ NULL);

        if (r == AUV_ENOSTACK)
                r = auv_frame_wait(/* future= */ NULL, /* ret= */ NULL);
        return auv_raise(r == AUV_ENOTASK ? code : r, NULL);
}

/* ---- callbacks */

struct action *machine_add_action(struct machine *m, const char *tag, const struct op *op)
{
        struct action *action = must_alloc(sizeof(*action));

        *action = (struct action) { .machine = m, .tag = tag, .op = op, .older = m->actions };
        m->actions = action;
        return action;
}

void action_run(struct action *action)
{
        struct machine *m = action->machine;
        struct context context = { .machine = m };
        int r;

        machine_log(m, "callback %s", action->tag);
        if (!action->op)
                return;
        r = action->op->operation->run(&context, action->op);
        /* In Python a CancelledError is no Exception: it goes past the trace to the loop's handler. */
        if (r < 0 && r != AUV_ECANCELED) {
                struct caught caught = catch_error(r);

                machine_log_error(m, caught.code, caught.error, "error ");
                caught_free(&caught);
        }
}

/* ---- the whole */

auv_task_options machine_task_options(const char *name)
{
        return *AUV_TASK_OPTIONS(.name = name, .stack_size = STACK_SIZE);
}

static void ignore(auv_loop *loop, const auv_exception_context *context, void *arg)
{
}

static int machine_init(struct machine *m, const struct scenario *scenario, enum form form,
                        struct text *trace)
{
        *m = (struct machine) { .scenario = scenario, .form = form, .trace = trace };
        AUV_TRY(auv_new_event_loop(
                AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_VIRTUAL, .deadlock = AUV_DEADLOCK_REPORT), &m->loop));
        auv_loop_set_exception_handler(m->loop, ignore, /* arg= */ NULL);
        auv_set_event_loop(m->loop);
        return 0;
}

/* The order matters: the bodies that the close ends still use what is freed behind it. */
static void machine_deinit(struct machine *m)
{
        struct action *action;

        m->over = true;
        auv_set_event_loop(NULL);
        auv_loop_close(m->loop);
        for (size_t i = 0; i < m->n_things; i++)
                auv_unref(m->things[i].object);
        for (size_t i = 0; i < m->n_born; i++)
                auv_unref(m->born[i]);
        while ((action = m->actions)) {
                m->actions = action->older;
                auv_unref(action->call);
                free(action);
        }
        free(m->things);
        free(m->born);
        auv_unref(m->loop);
        auv_error_clear();
}

auv_task *start_by_loop(struct machine *m, auv_coro_fn fn, const void *body, size_t size,
                        const auv_task_options *options, void *arg)
{
        return auv_loop_create_task(m->loop, fn, body, size, options);
}

static auv_task *start_main(struct machine *m)
{
        const auv_task_options options = machine_task_options("main");

        return start_task(m, scenario_find_coro(m->scenario, "main"), &options, start_by_loop,
                          /* arg= */ NULL);
}

/* Turn the loop until a future is done. */
static void run_until(struct machine *m, auv_future *future)
{
        const int r = auv_loop_run_until_complete(m->loop, future, /* ret= */ NULL);

        if (auv_future_done(future))
                return;
        if (r == AUV_EDEADLK)
                machine_log(m, "deadlock");
        else
                machine_log_error(m, r, /* error= */ NULL, "run ");
}

static auv_future **find_left(struct machine *m, auv_task *main, size_t *ret_n)
{
        auv_future **left = must_alloc((m->n_born + 1) * sizeof(*left));
        size_t n = 0;

        if (!auv_future_done(main))
                left[n++] = main;
        for (size_t i = 0; i < m->n_born; i++) {
                if (!auv_future_done(m->born[i]))
                        left[n++] = m->born[i];
        }
        *ret_n = n;
        return left;
}

static void log_left(struct machine *m, auv_future *const *left, size_t n)
{
        struct text names = { 0 };

        for (size_t i = 0; i < n; i++)
                text_add(&names, " %s", auv_task_get_name(left[i]));
        machine_log(m, "cancelling%s", text_string(&names));
        text_deinit(&names);
}

/* What asyncio.run() does when main has ended: cancel what is left, and wait for it. */
static void cancel_left(struct machine *m, auv_task *main)
{
        size_t n;
        auv_future **left = find_left(m, main, &n);
        AUV_AUTO auv_future *all = NULL;

        if (n > 0) {
                log_left(m, left, n);
                for (size_t i = 0; i < n; i++)
                        auv_future_cancel(left[i], /* message= */ NULL);
                all = auv_gather(left, n, AUV_RETURN_EXCEPTIONS);
                if (all)
                        run_until(m, all);
                else
                        machine_log_error(m, AUV_ENOMEM, /* error= */ NULL, "gather ");
        }
        free(left);
}

static void run_main(struct machine *m)
{
        AUV_AUTO auv_task *main = start_main(m);

        if (!main) {
                machine_log_error(m, AUV_ENOMEM, /* error= */ NULL, "create main ");
                return;
        }
        run_until(m, main);
        allocator_relent();
        cancel_left(m, main);
        machine_log(m, "end");
}

bool machine_run(const struct scenario *scenario, enum form form, struct text *trace)
{
        struct machine m;
        const int r = machine_init(&m, scenario, form, trace);

        if (r < 0)
                machine_log_error(&m, r, /* error= */ NULL, "new loop ");
        else
                run_main(&m);
        machine_deinit(&m);
        return m.no_memory;
}
