/* SPDX-License-Identifier: MIT */

/*
 * Objects that may cross threads: references to a loop, to errors and to calls are taken and given up in
 * several threads at once, and the last of them in any.
 */

#include "support/check.h"

#include <asyncuv.h>

#include <pthread.h>
#include <string.h>

enum { N_THREADS = 6, N_TIMES = 20000, N_ROUNDS = 50 };

struct shared {
        auv_loop *loop;
        auv_error *error;
        auv_call *call;
};

static void *take_and_give_up(void *arg)
{
        const struct shared *shared = arg;
        char text[200];

        for (int i = 0; i < N_TIMES; i++) {
                auv_ref(shared->loop);
                auv_ref(shared->error);
                auv_ref(shared->call);
                auv_unref(shared->call);
                auv_unref(shared->error);
                auv_unref(shared->loop);
        }
        CHECK(auv_error_format(shared->error, text, sizeof(text)) < sizeof(text));
        CHECK(strstr(text, "shared") != NULL);
        CHECK(auv_reraise(shared->error) == AUV_EUSER);
        CHECK(auv_raise(AUV_EIO, "%s", auv_error_message(auv_error_current())) == AUV_EIO);
        CHECK(auv_loop_call_soon_threadsafe(shared->loop, NULL, NULL, NULL) == AUV_EINVAL);
        return NULL;
}

static void nothing(void *arg)
{
}

static void references_of_many_threads(void)
{
        pthread_t threads[N_THREADS];
        struct shared shared = { .loop = NULL };
        auv_error *cause = auv_error_new(AUV_EIO, "cause");

        CHECK(auv_new_event_loop(NULL, &shared.loop) == 0);
        shared.error = auv_error_new(AUV_EUSER, "shared");
        CHECK(auv_error_set_cause(shared.error, cause) == 0);
        auv_unref(cause);
        CHECK(auv_loop_call_soon_threadsafe(shared.loop, nothing, NULL, &shared.call) == 0);
        for (int i = 0; i < N_THREADS; i++)
                CHECK(pthread_create(&threads[i], NULL, take_and_give_up, &shared) == 0);
        for (int i = 0; i < N_THREADS; i++)
                pthread_join(threads[i], NULL);
        auv_loop_stop(shared.loop);
        CHECK(auv_loop_run_forever(shared.loop) == 0);
        auv_unref(shared.call);
        auv_unref(shared.error);
        auv_unref(shared.loop);
}

/* Each thread has references of its own, and gives them up in a hurry; so does the loop's thread. */
static void *give_up(void *arg)
{
        struct shared *shared = arg;

        auv_unref(shared->call);
        auv_unref(shared->error);
        auv_unref(shared->loop);
        return NULL;
}

static void last_reference_in_any_thread(void)
{
        pthread_t threads[N_THREADS];
        struct shared shared = { .loop = NULL };
        auv_error *member = auv_error_new(AUV_EUSER, "member");

        CHECK(auv_new_event_loop(NULL, &shared.loop) == 0);
        shared.error = auv_error_new_group("group", &member, 1);
        auv_unref(member);
        CHECK(auv_loop_call_soon_threadsafe(shared.loop, nothing, NULL, &shared.call) == 0);
        for (int i = 0; i < N_THREADS; i++) {
                auv_ref(shared.loop);
                auv_ref(shared.error);
                auv_ref(shared.call);
        }
        /* a loop is closed in its own thread; to give it up, any will do */
        CHECK(auv_loop_close(shared.loop) == 0);
        for (int i = 0; i < N_THREADS; i++)
                CHECK(pthread_create(&threads[i], NULL, give_up, &shared) == 0);
        give_up(&shared);
        for (int i = 0; i < N_THREADS; i++)
                pthread_join(threads[i], NULL);
}

int main(void)
{
        references_of_many_threads();
        for (int round = 0; round < N_ROUNDS; round++)
                last_reference_in_any_thread();
        return check_report();
}
