/* SPDX-License-Identifier: MIT */

#include "operation.h"

#include <string.h>

/* In the order of FORMAT.md. */
static const struct operation operations[] = {
        { "try", "", BLOCK, op_try },
        { "repeat", "i", BLOCK, op_repeat },
        { "with", "n", BLOCK, op_with },
        { "timeout", "nl", BLOCK, op_timeout },
        { "timeoutat", "nl", BLOCK, op_timeoutat },
        { "group", "n", BLOCK, op_group },

        { "sleep", "d", IN_COROUTINE, op_sleep },
        { "yield", "", IN_COROUTINE, op_yield },
        { "return", "i", IN_COROUTINE, op_return },
        { "raise", "w", IN_COROUTINE, op_raise },
        { "reraise", "", IN_COROUTINE, op_reraise },
        { "call", "c", IN_COROUTINE, op_call },
        { "await", "n", IN_COROUTINE, op_await },
        { "waitfor", "ln", IN_COROUTINE, op_waitfor },
        { "waitforcoro", "lc", IN_COROUTINE, op_waitforcoro },
        { "wait", "mlN", IN_COROUTINE, op_wait },
        { "ascompleted", "lN", IN_COROUTINE, op_ascompleted },
        { "acquire", "n", IN_COROUTINE, op_acquire },
        { "ewait", "n", IN_COROUTINE, op_ewait },
        { "cwait", "n", IN_COROUTINE, op_cwait },
        { "bwait", "n", IN_COROUTINE, op_bwait },
        { "breset", "n", IN_COROUTINE, op_breset },
        { "babort", "n", IN_COROUTINE, op_babort },
        { "put", "ni", IN_COROUTINE, op_put },
        { "get", "n", IN_COROUTINE, op_get },
        { "join", "n", IN_COROUTINE, op_join },

        { "log", "", ANYWHERE, op_log },
        { "future", "n", ANYWHERE, op_future },
        { "set", "ni", ANYWHERE, op_set },
        { "fail", "nw", ANYWHERE, op_fail },
        { "cancel", "n?w", ANYWHERE, op_cancel },
        { "state", "n", ANYWHERE, op_state },
        { "result", "n", ANYWHERE, op_result },
        { "exception", "n", ANYWHERE, op_exception },
        { "callback", "nta", ANYWHERE, op_callback },
        { "uncallback", "nt", ANYWHERE, op_uncallback },
        { "create", "nc", ANYWHERE, op_create },
        { "eager", "nc", ANYWHERE, op_eager },
        { "spawn", "nnc", ANYWHERE, op_spawn },
        { "cancelling", "n", ANYWHERE, op_cancelling },
        { "uncancel", "", ANYWHERE, op_uncancel },
        { "soon", "ta", ANYWHERE, op_soon },
        { "later", "dta", ANYWHERE, op_later },
        { "at", "dta", ANYWHERE, op_at },
        { "uncall", "t", ANYWHERE, op_uncall },
        { "gather", "nN", ANYWHERE, op_gather },
        { "gatherx", "nN", ANYWHERE, op_gatherx },
        { "shield", "nn", ANYWHERE, op_shield },
        { "reschedule", "nl", ANYWHERE, op_reschedule },
        { "expired", "n", ANYWHERE, op_expired },
        { "lock", "n", ANYWHERE, op_lock },
        { "event", "n", ANYWHERE, op_event },
        { "condition", "n?n", ANYWHERE, op_condition },
        { "semaphore", "ni", ANYWHERE, op_semaphore },
        { "bounded", "ni", ANYWHERE, op_bounded },
        { "barrier", "ni", ANYWHERE, op_barrier },
        { "release", "n", ANYWHERE, op_release },
        { "locked", "n", ANYWHERE, op_locked },
        { "eset", "n", ANYWHERE, op_eset },
        { "eclear", "n", ANYWHERE, op_eclear },
        { "cnotify", "ni", ANYWHERE, op_cnotify },
        { "cnotifyall", "n", ANYWHERE, op_cnotifyall },
        { "queue", "ni?w", ANYWHERE, op_queue },
        { "putnow", "ni", ANYWHERE, op_putnow },
        { "getnow", "n", ANYWHERE, op_getnow },
        { "taskdone", "n", ANYWHERE, op_taskdone },
        { "qsize", "n", ANYWHERE, op_qsize },
        { "shutdown", "n?w", ANYWHERE, op_shutdown },
};

const struct operation *operation_find(const char *word)
{
        for (size_t i = 0; i < sizeof(operations) / sizeof(*operations); i++) {
                if (!strcmp(operations[i].word, word))
                        return &operations[i];
        }
        return NULL;
}
