/* SPDX-License-Identifier: MIT */

/*
 * Call graph
 *
 * Each future knows who waits in its list. Where that is a task, it awaits the future; where it is a
 * gather or the like, whoever awaits that does. So the graph is walked from a future up to those
 * that depend on it, without recursion: what is yet to be looked at stands in a stack of its own.
 *
 * A future that is met again is not walked from again, so that the graph stays as large as there are
 * awaits, and ends where tasks await each other in a cycle.
 */

#include "debug/graph.h"

#include "base/alloc.h"
#include "task/behind.h"
#include "task/task.h"

/* Makes room for one more of @size bytes in an array of @n. Returns 0 or AUV_ENOMEM. */
static int grow(void *array, size_t n, size_t *room, size_t size)
{
        const size_t more = *room ? 2 * *room : 32;
        void **memory = array, *moved;

        if (n < *room)
                return 0;
        moved = auv__realloc(*memory, more * size);
        if (!moved)
                return auv_raise(AUV_ENOMEM, NULL);
        *memory = moved;
        *room = more;
        return 0;
}

static int push(struct auv__graph *graph, struct auv__step step)
{
        AUV_TRY(grow(&graph->steps, graph->n_steps, &graph->steps_room, sizeof(step)));
        graph->steps[graph->n_steps++] = step;
        return 0;
}

/* Who waits by way of an item in a future's list; NULL where it is nobody who awaits. */
static auv_future *who_waits(const struct auv__item *item, bool *ret_through)
{
        static auv_future *(*const between[])(const struct auv__item *item) = {
                auv__gather_behind, auv__shield_behind, auv__wait_behind, auv__wait_for_behind,
                auv__as_completed_behind,
        };
        const struct auv__task *task = auv__task_behind(item);
        auv_future *future = NULL;

        *ret_through = false;
        if (task)
                return (auv_future *)&task->future;
        future = auv__task_group_behind(item);
        if (future)
                return future;
        *ret_through = true;
        for (size_t i = 0; !future && i < sizeof(between) / sizeof(between[0]); i++)
                future = between[i](item);
        return future;
}

/* Puts off those that wait in the list of @future, such that the first of them comes next. */
static int push_awaiters(struct auv__graph *graph, auv_future *future, size_t level, size_t parent,
                         bool tasks_only)
{
        const size_t begin = graph->n_steps;
        const struct auv__item *last, *item;

        if (auv__future_is_done(future) || !future->callbacks)
                return 0;
        last = item = &future->callbacks->item;
        do {
                struct auv__step step = { .level = level, .parent = parent };

                item = item->next;
                step.future = who_waits(item, &step.through);
                if (step.future && !(step.through && tasks_only))
                        AUV_TRY(push(graph, step));
        } while (item != last);
        for (size_t i = begin, j = graph->n_steps; i + 1 < j; i++) {
                const struct auv__step step = graph->steps[i];

                graph->steps[i] = graph->steps[--j];
                graph->steps[j] = step;
        }
        return 0;
}

static auv_call_graph_entry describe(const struct auv__step *step)
{
        auv_call_graph_entry entry = { .level = step->level, .future = step->future };
        struct auv__body_view view;

        if (step->future->object.kind == AUV__TASK && auv__task_look(auv__to_task(step->future), &view)) {
                entry.coro = (auv_coro_fn)(uintptr_t)view.fn;
                if (view.suspended && auv__to_task(step->future)->started)
                        entry.site = view.site;
        }
        return entry;
}

/* Whether a node that is to be one more is on its own way back to the first. */
static bool awaits_itself(const struct auv__graph *graph, const struct auv__step *step)
{
        size_t i = step->parent;

        for (;;) {
                if (graph->nodes[i].entry.future == step->future)
                        return true;
                if (graph->nodes[i].parent == i)
                        return false;
                i = graph->nodes[i].parent;
        }
}

static int add_node(struct auv__graph *graph, const struct auv__step *step, bool repeated)
{
        struct auv__node *node;

        AUV_TRY(grow(&graph->nodes, graph->n_nodes, &graph->nodes_room, sizeof(*node)));
        node = &graph->nodes[graph->n_nodes];
        node->entry = describe(step);
        node->entry.repeated = repeated;
        node->entry.cycle = repeated && awaits_itself(graph, step);
        node->parent = graph->n_nodes == 0 ? 0 : step->parent;
        graph->n_nodes++;
        return 0;
}

static int walk(struct auv__graph *graph, const struct auv__step *step, size_t max_level)
{
        auv_future *future = step->future;
        const bool met = future->object.flags & AUV__MARKED;
        size_t n_steps = graph->n_steps;

        if (!met) {
                AUV_TRY(grow(&graph->met, graph->n_met, &graph->met_room, sizeof(*graph->met)));
                graph->met[graph->n_met++] = future;
                future->object.flags |= AUV__MARKED;
        }
        if (step->through) {
                AUV_TRY(push_awaiters(graph, future, step->level, step->parent, met));
                if (met || graph->n_steps > n_steps || future->object.kind == AUV__FUTURE)
                        return 0;
                /* A gather that nobody awaits yet is all there is to show. */
        }
        AUV_TRY(add_node(graph, step, met));
        if (met || step->through || step->level == max_level)
                return 0;
        return push_awaiters(graph, future, step->level + 1, graph->n_nodes - 1, false);
}

int auv__graph_init(struct auv__graph *graph, auv_future *future, size_t max_level)
{
        *graph = (struct auv__graph) { 0 };
        AUV_TRY(push(graph, (struct auv__step) { .future = future }));
        while (graph->n_steps > 0) {
                const struct auv__step step = graph->steps[--graph->n_steps];

                AUV_TRY(walk(graph, &step, max_level));
        }
        return 0;
}

void auv__graph_deinit(struct auv__graph *graph)
{
        for (size_t i = 0; i < graph->n_met; i++)
                graph->met[i]->object.flags &= ~AUV__MARKED;
        auv__free(graph->nodes);
        auv__free(graph->steps);
        auv__free(graph->met);
}

int auv_capture_call_graph(auv_future *future, auv_call_graph_entry *ret_entries, size_t n)
{
        struct auv__graph graph;
        int r;

        if (!future)
                future = auv_current_task(NULL);
        if (!future)
                return auv_raise(AUV_ENOTASK, NULL);
        r = auv__graph_init(&graph, future, SIZE_MAX);
        if (r == 0) {
                for (size_t i = 0; ret_entries && i < n && i < graph.n_nodes; i++)
                        ret_entries[i] = graph.nodes[i].entry;
                r = (int)graph.n_nodes;
        }
        auv__graph_deinit(&graph);
        return r;
}
