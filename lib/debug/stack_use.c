/* SPDX-License-Identifier: MIT */

/* Stack use, as the program sees it. */

#include "coro/stack_use.h"

#include "base/alloc.h"
#include "coro/stackful.h"
#include "debug/room.h"
#include "debug/symbols.h"
#include "task/task.h"

#include <asyncuv/stack.h>

#include <stdlib.h>
#include <string.h>

size_t auv_task_stack_used(const auv_task *task)
{
        struct auv__body_view view;

        if (!task || task->object.kind != AUV__TASK || !auv__task_look(auv__to_task(task), &view)
            || !view.has_stack)
                return 0;
        return auv__stackful_used(auv__to_task(task)->coro);
}

/* The function that uses most first. */
static int compare(const void *a, const void *b)
{
        const struct auv__function_use *x = a, *y = b;

        return (x->max < y->max) - (x->max > y->max);
}

struct table {
        const struct auv__function_use *functions;
        size_t n;
        FILE *file;
};

static void print(void *arg)
{
        const struct table *table = arg;

        fprintf(table->file, "%10s %10s %10s  %s\n", "tasks", "max used", "stack size", "function");
        for (size_t i = 0; i < table->n; i++) {
                const struct auv__function_use *function = &table->functions[i];
                struct auv__symbol symbol;

                auv__symbol_find((const void *)function->fn, &symbol);
                fprintf(table->file, "%10zu %10zu %10zu  ", function->n, function->max,
                        function->stack_size);
                if (symbol.name[0])
                        fprintf(table->file, "%s()\n", symbol.name);
                else
                        fprintf(table->file, "%p\n", symbol.address);
        }
}

int auv_print_stack_use(auv_loop *loop, FILE *file)
{
        const struct auv__stack_use *use;
        struct auv__function_use *sorted;
        size_t n;

        if (!loop)
                loop = auv__running_loop;
        if (!loop)
                return auv_raise(AUV_ENOLOOP, NULL);
        use = loop->tenant ? auv__loop_tasks(loop)->stacks.use : NULL;
        n = use ? use->n : 0;
        sorted = auv__malloc((n + 1) * sizeof(*sorted));
        if (!sorted)
                return auv_raise(AUV_ENOMEM, NULL);
        if (n > 0)
                memcpy(sorted, use->functions, n * sizeof(*sorted));
        qsort(sorted, n, sizeof(*sorted), compare);
        auv__with_room(loop, print, &(struct table) { .functions = sorted,
                                                       .n = n,
                                                       .file = file ? file : stdout });
        auv__free(sorted);
        return (int)n;
}
