/* SPDX-License-Identifier: MIT */
/*
 * A million tasks, asleep at the same time: their bodies have no stack, and they take little more than a
 * hundred bytes each.
 *
 * usage: stackless [TASKS]
 *
 * A body is written with macros between AUV_BEGIN and AUV_END. What is to outlast an await stands in its
 * frame, not in local variables. The main function of this program is such a body itself.
 */

#include <asyncuv.h>
#include <stdio.h>
#include <stdlib.h>

#define SECONDS 10.0

struct crowd {
        auv_frame frame;
        size_t n;
        size_t n_asleep;
        double start;
        auv_future *all_awake;
};

struct sleeper {
        auv_frame frame;
        struct crowd *crowd;
};

static int sleeps(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct sleeper, self);
        AUV_AWAIT_SLEEP(SECONDS);
        if (--self->crowd->n_asleep == 0)
                auv_future_set_result(self->crowd->all_awake, (auv_value) { 0 });
        AUV_END;
}

/* Nobody needs to hold the tasks: the loop does. */
static int start_sleepers(struct crowd *crowd)
{
        const struct sleeper sleeper = { .crowd = crowd };
        auv_task *task;

        for (; crowd->n_asleep < crowd->n; crowd->n_asleep++) {
                task = auv_create_stackless_task(sleeps, &sleeper, sizeof(sleeper));
                if (!task)
                        return AUV_ENOMEM;
                auv_unref(task);
        }
        return 0;
}

static int amain(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct crowd, self);
        self->start = auv_loop_time(auv_get_running_loop());
        self->all_awake = auv_loop_create_future(/* loop= */ NULL);
        AUV_CHECK(start_sleepers(self));
        AUV_AWAIT(self->all_awake, /* ret= */ NULL);
        printf("%zu tasks have slept for %.0f s each, which took %.0f s\n", self->n, SECONDS,
               auv_loop_time(auv_get_running_loop()) - self->start);
        AUV_FINALLY;
        auv_unref(self->all_awake);
        AUV_END;
}

int main(int argc, char **argv)
{
        const struct crowd crowd = { .n = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000000 };

        return auv_run_stackless(amain, &crowd, sizeof(crowd)) < 0;
}
