/* SPDX-License-Identifier: MIT */

/* Stack use: for each function that was run as a coroutine and measured, the most that it has used. */

#include "coro/stack_use.h"

#include "base/alloc.h"
#include "coro/stack.h"

static struct auv__function_use *find(struct auv__stack_use *use, auv_coro_fn fn)
{
        for (size_t i = 0; use && i < use->n; i++)
                if (use->functions[i].fn == fn)
                        return &use->functions[i];
        return NULL;
}

/* Makes room for one function more; the table moves. NULL for no memory. */
static struct auv__function_use *append(struct auv__stack_pool *pool, auv_coro_fn fn)
{
        struct auv__stack_use *use = pool->use;
        const size_t n = use ? use->n : 0, lost = use ? use->n_lost : 0;
        size_t room = use ? use->room : 0;

        if (n == room) {
                room = room ? 2 * room : 8;
                use = auv__realloc(use, sizeof(*use) + room * sizeof(use->functions[0]));
                if (!use)
                        return NULL;
                use->n = n;
                use->n_lost = lost;
                use->room = room;
                pool->use = use;
        }
        use->functions[n] = (struct auv__function_use) { .fn = fn };
        use->n++;
        return &use->functions[n];
}

void auv__stack_use_add(struct auv__stack_pool *pool, auv_coro_fn fn, size_t used, size_t stack_size)
{
        struct auv__function_use *function = find(pool->use, fn);

        if (!function)
                function = append(pool, fn);
        if (!function) {
                if (pool->use)
                        pool->use->n_lost++;
                return;
        }
        function->n++;
        if (used > function->max) {
                function->max = used;
                function->stack_size = stack_size;
        }
}

void auv__stack_use_free(struct auv__stack_use *use)
{
        auv__free(use);
}
