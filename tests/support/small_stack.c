/* SPDX-License-Identifier: MIT */
#include "support/small_stack.h"

#include <pthread.h>
#include <stddef.h>
#include <string.h>

struct job {
        char *(*fn)(void);
        char *result;
};

static void *run(void *arg)
{
        struct job *job = arg;

        job->result = job->fn();
        return NULL;
}

char *on_small_stack(char *(*fn)(void))
{
        struct job job = { fn, NULL };
        pthread_attr_t attr;
        pthread_t thread;
        int err;

        pthread_attr_init(&attr);
        err = pthread_attr_setstacksize(&attr, SMALL_STACK_SIZE);
        if (!err)
                err = pthread_create(&thread, &attr, run, &job);
        pthread_attr_destroy(&attr);
        if (err)
                return strerror(err);
        pthread_join(thread, NULL);
        return job.result;
}
