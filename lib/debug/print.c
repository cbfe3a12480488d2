/* SPDX-License-Identifier: MIT */

/*
 * Print
 *
 * Call graphs and tasks as text, in the form that asyncio gives them. Deep graphs are not indented
 * any further after a while, or their text would grow with the square of their depth: they have the
 * level as a number then.
 */

#include "base/alloc.h"
#include "coro/stackful.h"
#include "debug/graph.h"
#include "debug/origin.h"
#include "debug/room.h"
#include "debug/symbols.h"
#include "debug/text.h"
#include "task/await.h"
#include "task/behind.h"
#include "task/gather.h"
#include "task/task.h"

#include <string.h>

enum { MAX_INDENT = 24, MAX_FRAMES = 64 };

/* The functions that a task is in, the innermost first. */
struct stack {
        const void *frames[MAX_FRAMES]; /* addresses of instructions */
        size_t n;
        char verb[64]; /* the function of ours that it waits in; empty where that is not known */
};

/* What is printed, and where it is called from, for the stack of the running task. */
struct printing {
        struct auv__text text;
        auv_future *future;
        auv_loop *loop;
        void *here[MAX_FRAMES]; /* return addresses from the library's own functions on */
        size_t n_here;
        const void *caller;     /* the first of them that is not the library's */
        int r;
};

static void add_subject(struct auv__text *text, auv_future *future)
{
        switch ((enum auv__kind)future->object.kind) {
        case AUV__TASK:
                auv__text_add(text, "Task(name='%s', id=%p)", auv_task_get_name(future), (void *)future);
                break;
        case AUV__GATHER:
                auv__text_add(text, "Gather(id=%p)", (void *)future);
                break;
        case AUV__SHIELD:
                auv__text_add(text, "Shield(id=%p)", (void *)future);
                break;
        default:
                auv__text_add(text, "Future(id=%p)", (void *)future);
                break;
        }
}

static bool is_bottom(const void *address)
{
        struct auv__symbol symbol;

        auv__symbol_find(address, &symbol);
        return symbol.start && symbol.start == auv__stackful_bottom();
}

/* From @frames, return addresses, those from @site on. Where that is not among them, nothing. */
static void take_from(struct stack *stack, const void *const *frames, size_t n, const void *site)
{
        size_t i = 0;

        while (i < n && frames[i] != site)
                i++;
        if (i > 0 && i < n) {
                struct auv__symbol symbol;

                auv__symbol_find((const char *)frames[i - 1] - 1, &symbol);
                snprintf(stack->verb, sizeof(stack->verb), "%.63s", symbol.name);
        }
        for (; i < n; i++)
                stack->frames[stack->n++] = (const char *)frames[i] - 1;
}

static void take_suspended(struct stack *stack, const struct auv__task *task,
                           const struct auv__body_view *view)
{
        const struct auv__stackful_view *stackful = &view->stackful;
        const void *frames[MAX_FRAMES];

        if (view->has_stack)
                take_from(stack, frames,
                          auv__symbol_unwind(stackful->context, stackful->low, stackful->high,
                                             auv__stackful_bottom(), frames, MAX_FRAMES),
                          view->site);
        /* No stack, not with libdw, or not all the way: where the await returns to is known all the same. */
        if (stack->n == 0 && view->site && !is_bottom((const char *)view->site - 1))
                stack->frames[stack->n++] = (const char *)view->site - 1;
}

static void take_running(struct stack *stack, const struct printing *printing)
{
        size_t n = 0;

        while (n < printing->n_here && !is_bottom((const char *)printing->here[n] - 1))
                n++;
        take_from(stack, (const void *const *)printing->here, n, printing->caller);
}

/* auv_await() has left its frame to the function that does the work, where the compiler makes it so. */
static bool is_plain_await(const char *verb)
{
        return strcmp(verb, "auv_await") == 0 || strcmp(verb, "auv__await") == 0;
}

/* What a task waits for, in words. */
static void add_awaited(struct auv__text *text, auv_future *future, const struct stack *stack)
{
        const struct auv__gather *gather;

        switch ((enum auv__kind)future->object.kind) {
        case AUV__GATHER:
                gather = auv__to_gather(future);
                auv__text_add(text, "awaits a gather, of which %zu of %zu are done",
                              gather->n_unique - gather->n_waiting, gather->n_unique);
                break;
        case AUV__SHIELD:
                auv__text_add(text, "awaits a shield of ");
                add_subject(text, auv__shield_inner(future));
                break;
        case AUV__FUTURE:
                if (stack->verb[0] && !is_plain_await(stack->verb)) {
                        auv__text_add(text, "waits in %s()", stack->verb);
                        break;
                }
                __attribute__((fallthrough));
        default:
                auv__text_add(text, "awaits ");
                add_subject(text, future);
                break;
        }
}

static void add_state(struct auv__text *text, const struct auv__task *task,
                      const struct auv__body_view *view, const struct stack *stack)
{
        const auv_loop *loop = task->future.loop;

        if (auv__future_is_done(&task->future) || !view->fn)
                auv__text_add(text, "done");
        else if (!view->suspended)
                auv__text_add(text, "running");
        else if (!task->started)
                auv__text_add(text, "not started");
        else if (task->rest == AUV__SLEEPING && task->timer.when_ns <= loop->timers.now_ns)
                auv__text_add(text, "ready"); /* due in this turn */
        else if (task->rest == AUV__SLEEPING && task->timer.when_ns == AUV__NEVER)
                auv__text_add(text, "sleeps for ever");
        else if (task->rest == AUV__SLEEPING)
                auv__text_add(text, "sleeps for %.3f s more",
                              auv__ns_to_seconds(task->timer.when_ns - auv__loop_now(loop)));
        else if (task->rest == AUV__EXPECTING && stack->verb[0])
                auv__text_add(text, "waits in %s()", stack->verb);
        else if (task->rest == AUV__EXPECTING)
                auv__text_add(text, "waits for I/O");
        else if (!auv__task_awaited(task) || auv__future_is_done(auv__task_awaited(task)))
                auv__text_add(text, "ready");
        else
                add_awaited(text, auv__task_awaited(task), stack);
}

/* The call stack: the functions, and at the end that of the coroutine. */
static void add_stack(struct auv__text *text, int indent, const struct auv__body_view *view,
                      const struct stack *stack)
{
        struct auv__symbol symbol;

        auv__text_add(text, "%*s  + Call stack:\n", indent, "");
        for (size_t i = 0; i < stack->n; i++) {
                auv__symbol_find(stack->frames[i], &symbol);
                auv__text_add_frame(text, indent, "  |   ", stack->frames[i],
                                    symbol.start == view->fn ? "async " : "");
                if (symbol.start == view->fn)
                        return;
        }
        auv__text_add_frame(text, indent, "  |   ", view->fn, "async ");
}

static void add_task(struct auv__text *text, const struct printing *printing, int indent,
                     auv_task *future)
{
        const struct auv__task *task = auv__to_task(future);
        struct auv__body_view view;
        struct stack stack = { .n = 0 };
        const bool is_alive = auv__task_look(task, &view);

        if (is_alive && view.suspended && task->started)
                take_suspended(&stack, task, &view);
        else if (auv__running_loop && auv__running_loop->current == future)
                take_running(&stack, printing);
        auv__text_add(text, ", ");
        add_state(text, task, &view, &stack);
        auv__text_add(text, "\n");
        if (is_alive)
                add_stack(text, indent, &view, &stack);
}

static void add_node(struct auv__text *text, const struct printing *printing, const struct auv__node *node,
                     bool awaited)
{
        const size_t level = node->entry.level;
        const int indent = 4 * (int)(level < MAX_INDENT ? level : MAX_INDENT);
        auv_future *future = node->entry.future;

        auv__text_add(text, "%*s* ", indent, "");
        if (level > MAX_INDENT)
                auv__text_add(text, "[level %zu] ", level);
        add_subject(text, future);
        if (node->entry.repeated)
                auv__text_add(text, node->entry.cycle ? " [cycle]\n" : " [shown above]\n");
        else if (future->object.kind == AUV__TASK)
                add_task(text, printing, indent, future);
        else
                auv__text_add(text, "\n");
        if (awaited)
                auv__text_add(text, "%*s  + Awaited by:\n", indent, "");
}

static void print_graph(void *arg)
{
        struct printing *printing = arg;
        struct auv__graph graph;

        printing->r = auv__graph_init(&graph, printing->future, SIZE_MAX);
        for (size_t i = 0; printing->r == 0 && i < graph.n_nodes; i++) {
                const struct auv__node *node = &graph.nodes[i];
                const bool awaited = i + 1 < graph.n_nodes && node[1].entry.level > node->entry.level;

                add_node(&printing->text, printing, node, awaited);
        }
        auv__graph_deinit(&graph);
}

static int print_awaiters(struct auv__text *text, auv_future *future)
{
        struct auv__graph graph;
        const int r = auv__graph_init(&graph, future, /* max_level= */ 1);

        for (size_t i = 1; r == 0 && i < graph.n_nodes; i++) {
                auv__text_add(text, i == 1 ? "  + Awaited by: " : ", ");
                add_subject(text, graph.nodes[i].entry.future);
        }
        if (r == 0 && graph.n_nodes > 1)
                auv__text_add(text, "\n");
        auv__graph_deinit(&graph);
        return r;
}

/* Returns 0 or AUV_ENOMEM. */
static int print_pending(struct printing *printing, auv_task *const *tasks, size_t n)
{
        struct auv__text *text = &printing->text;

        for (size_t i = 0; i < n; i++) {
                auv__text_add(text, "* ");
                add_subject(text, tasks[i]);
                add_task(text, printing, 0, tasks[i]);
                AUV_TRY(print_awaiters(text, tasks[i]));
        }
        return 0;
}

static void print_tasks(void *arg)
{
        struct printing *printing = arg;
        struct auv__text *text = &printing->text;
        const auv_loop *loop = printing->loop;
        const size_t n = auv_all_tasks(loop, NULL, 0);
        auv_task **tasks;

        auv__text_add(text, n == 1 ? "%zu task\n" : "%zu tasks\n", n);
        printing->r = (int)n;
        if (n == 0)
                return;
        tasks = auv__malloc(n * sizeof(*tasks));
        auv_all_tasks(loop, tasks, tasks ? n : 0);
        if (!tasks || print_pending(printing, tasks, n) < 0)
                printing->r = AUV_ENOMEM;
        auv__free(tasks);
}

/* @caller: where the public function returns to. */
static void note_caller(struct printing *printing, const void *caller)
{
        printing->n_here = auv__frames(printing->here, MAX_FRAMES);
        printing->caller = caller;
}

static int find_future(auv_future *future, struct printing *ret)
{
        ret->future = future ? future : auv_current_task(NULL);
        return ret->future ? 0 : auv_raise(AUV_ENOTASK, NULL);
}

int auv_format_call_graph(auv_future *future, char *buffer, size_t size)
{
        struct printing printing = { .text = { .buffer = buffer, .size = size } };

        if (!buffer && size > 0)
                return auv_raise(AUV_EINVAL, "no buffer");
        AUV_TRY(find_future(future, &printing));
        if (size > 0)
                *buffer = 0;
        note_caller(&printing, AUV__CALLER);
        auv__with_room(printing.future->loop, print_graph, &printing);
        return printing.r < 0 ? printing.r : (int)printing.text.length;
}

int auv_print_call_graph(auv_future *future, FILE *file)
{
        struct printing printing = { .text = { .file = file ? file : stdout } };

        AUV_TRY(find_future(future, &printing));
        note_caller(&printing, AUV__CALLER);
        auv__with_room(printing.future->loop, print_graph, &printing);
        return printing.r;
}

int auv_print_all_tasks(auv_loop *loop, FILE *file)
{
        struct printing printing = { .text = { .file = file ? file : stdout }, .loop = loop };

        if (!loop)
                printing.loop = auv__running_loop;
        if (!printing.loop)
                return auv_raise(AUV_ENOLOOP, NULL);
        note_caller(&printing, AUV__CALLER);
        auv__with_room(printing.loop, print_tasks, &printing);
        return printing.r;
}
