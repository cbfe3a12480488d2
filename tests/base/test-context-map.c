/* SPDX-License-Identifier: MIT */
#include "base/context_map.h"
#include "support/failing_allocator.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <stdlib.h>

enum { N_VARS = 60, N_VERSIONS = 40, STEPS = 20000 };

static auv_context_var *vars[N_VARS];

/* How often each value has been destroyed, by its number. */
static int destroyed[STEPS + N_VARS];

static void destroy(void *value)
{
        destroyed[(uintptr_t)value]++;
}

static auv_value counted(uintptr_t number)
{
        return (auv_value) { .p = (void *)number, .destroy = destroy };
}

/* What a map should have: the number of the value of each variable; 0 for none. */
struct model {
        uintptr_t values[N_VARS];
        struct auv__object *map;
};

static uint32_t next_random(void)
{
        static uint32_t state = 2463534242;

        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        return state;
}

static void setup(void)
{
        failing_allocator_install();
        for (int i = 0; i < N_VARS; i++)
                vars[i] = auv_context_var_new("variable", NULL);
}

static void teardown(void)
{
        for (int i = 0; i < N_VARS; i++)
                auv_unref(vars[i]);
        auv_error_clear();
        if (failing_allocator_live() != 0)
                abort(); /* an assertion would not count here, after the test */
}

TestSuite(context_map, .init = setup, .fini = teardown);

static struct auv__object *with(struct auv__object *map, int var, uintptr_t number)
{
        struct auv__context_entry *entry = auv__context_entry_new(vars[var], counted(number));
        struct auv__object *changed = entry ? auv__context_map_set(map, entry) : NULL;

        if (!changed && entry)
                auv__context_entry_cancel(entry);
        else if (entry)
                auv__context_map_unref(&entry->object);
        return changed;
}

static uintptr_t value_of(struct auv__object *map, int var)
{
        const struct auv__context_entry *entry = auv__context_map_get(map, vars[var]);

        return entry ? (uintptr_t)entry->value.p : 0;
}

static void check(const struct model *model)
{
        auv_context_var *found[N_VARS] = { NULL };
        size_t n = 0;

        for (int i = 0; i < N_VARS; i++) {
                cr_assert(eq(ulong, value_of(model->map, i), model->values[i]));
                n += model->values[i] != 0;
        }
        cr_assert(eq(sz, auv__context_map_vars(model->map, found, N_VARS), n));
        for (size_t i = 0; i < n; i++) {
                cr_assert_not_null(auv__context_map_get(model->map, found[i]));
                for (size_t j = 0; j < i; j++)
                        cr_assert(found[i] != found[j]);
        }
}

Test(context_map, is_empty_when_null)
{
        struct auv__object *map = (struct auv__object *)vars[0];

        cr_assert_null(auv__context_map_get(NULL, vars[0]));
        cr_assert(eq(sz, auv__context_map_vars(NULL, NULL, 0), 0));
        cr_assert(eq(int, auv__context_map_delete(NULL, vars[0], &map), 0));
        cr_assert_null(map);
}

/* Old versions live on beside the new ones, in any number, and none of them ever changes. */
Test(context_map, is_as_a_simple_map_whatever_is_done_to_it)
{
        static struct model versions[N_VERSIONS];

        for (uintptr_t number = 1; number < STEPS; number++) {
                const struct model *from = &versions[next_random() % N_VERSIONS];
                struct model *to = &versions[next_random() % N_VERSIONS], made = *from;
                const int var = (int)(next_random() % N_VARS);

                /* Maps are to become large as well as small. */
                if (next_random() % 5 < (number / 500 % 2 ? 1U : 3U)) {
                        made.map = with(from->map, var, number);
                        made.values[var] = number;
                } else {
                        cr_assert(eq(int, auv__context_map_delete(from->map, vars[var], &made.map), 0));
                        made.values[var] = 0;
                }
                auv__context_map_unref(to->map);
                *to = made;
                if (number % 100 == 0)
                        for (int i = 0; i < N_VERSIONS; i++)
                                check(&versions[i]);
        }
        /* What some version has is alive, and what none has is not. */
        for (int i = 0; i < N_VERSIONS; i++)
                for (int var = 0; var < N_VARS; var++)
                        cr_assert(destroyed[versions[i].values[var]] == 0 || versions[i].values[var] == 0);
        for (int i = 0; i < N_VERSIONS; i++)
                auv__context_map_unref(versions[i].map);
        for (int number = 1; number < STEPS; number++)
                cr_assert(destroyed[number] <= 1, "value %d", number);
        cr_assert(eq(long, failing_allocator_live(), N_VARS));
}

Test(context_map, shares_what_does_not_change)
{
        struct auv__object *map = NULL, *changed;
        long before;

        for (int i = 0; i < N_VARS; i++) {
                changed = with(map, i, (uintptr_t)i + 1);
                auv__context_map_unref(map);
                map = changed;
        }
        /* one block for each variable, and one for each branch between them */
        cr_assert(eq(long, failing_allocator_live(), N_VARS + 2 * N_VARS - 1));
        before = failing_allocator_live();
        for (int i = 0; i < N_VARS; i++) {
                changed = with(map, i, N_VARS + 1);
                cr_assert(failing_allocator_live() - before <= 1 + 10, "%ld blocks for one change",
                          failing_allocator_live() - before);
                auv__context_map_unref(changed);
        }
        auv__context_map_unref(map);
}

/* Sequences of keys for which a tree without a balance might be a list. */
Test(context_map, is_flat_for_many_variables)
{
        enum { MANY = 100000 };
        static auv_context_var *many[MANY];
        struct auv__object *map = NULL, *changed;
        struct auv__context_entry *entry;
        long before, most = 0;

        for (int i = 0; i < MANY; i++) {
                many[i] = auv_context_var_new("one of many", NULL);
                if (i % 16)
                        continue;
                entry = auv__context_entry_new(many[i], (auv_value) { .i = i });
                before = failing_allocator_live();
                changed = auv__context_map_set(map, entry);
                if (failing_allocator_live() - before > most)
                        most = failing_allocator_live() - before;
                auv__context_map_unref(&entry->object);
                auv__context_map_unref(map);
                map = changed;
        }
        cr_assert(eq(sz, auv__context_map_vars(map, NULL, 0), (size_t)MANY / 16));
        cr_assert(most <= 2 * 13, "a path of %ld for 6250 variables", most);
        for (int i = 0; i < MANY; i++)
                cr_assert(eq(int, auv__context_map_get(map, many[i]) != NULL, i % 16 == 0));
        auv__context_map_unref(map);
        for (int i = 0; i < MANY; i++)
                auv_unref(many[i]);
}

Test(context_map, loses_nothing_where_memory_runs_out)
{
        struct model model = { .map = NULL };

        for (uintptr_t number = 1; number < 2000; number++) {
                const int var = (int)(next_random() % N_VARS);
                const long before = failing_allocator_live();
                struct auv__object *changed = NULL;
                const bool deletes = number % 3 == 0;
                int r = 0;

                failing_allocator_arm(next_random() % 8 + 1);
                if (deletes)
                        r = auv__context_map_delete(model.map, vars[var], &changed);
                else
                        changed = with(model.map, var, number);
                if (failing_allocator_disarm()) {
                        cr_assert(eq(long, failing_allocator_live(), before));
                        cr_assert(deletes ? r == AUV_ENOMEM : changed == NULL);
                        cr_assert(eq(int, destroyed[number], 0));
                } else {
                        cr_assert(eq(int, r, 0));
                        model.values[var] = deletes ? 0 : number;
                        auv__context_map_unref(model.map);
                        model.map = changed;
                }
                check(&model);
        }
        auv__context_map_unref(model.map);
}
