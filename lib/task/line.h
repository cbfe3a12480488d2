/* SPDX-License-Identifier: MIT */
#ifndef AUV_TASK_LINE_H
#define AUV_TASK_LINE_H

#include "task/steps.h"

/*
 * A line of tasks that wait for their turn, first come, first served: what asyncio's primitives have
 * as a deque of futures. The place in the line stands in the frame of the task that waits, so that
 * waiting needs no memory and cannot fail for want of it.
 */
struct auv__place {
        auv_future turn; /* what the task awaits */
        struct auv__place *previous;
        struct auv__place *next;
        bool in_line;
};

struct auv__line {
        struct auv__place *first;
        struct auv__place *last;
        struct auv__place *unwoken; /* those before it have been woken or cancelled; NULL: all have */
};

/* Takes a place at the end of the line, in which the running task then awaits its turn. */
void auv__line_join(struct auv__line *line, struct auv__place *place);

/*
 * The wait is over, in whatever way: from here on the place is out of the line. Returns whether it was
 * woken, which it may have been even where the task was cancelled thereafter.
 */
bool auv__line_end(struct auv__line *line, struct auv__place *place);

/*
 * In a task with a stack: waits at the end of the line until woken or cancelled. Returns 0 or a negative
 * error; *ret_woken is what auv__line_end() tells.
 */
int auv__line_wait(struct auv__line *line, struct auv__task *task, bool *ret_woken);

/* In a body made of steps: waits at the end of the line until woken or cancelled; @r is how it ended. */
#define AUV__AWAIT_IN_LINE_CATCH(r, woken, line, place)                                              \
        do {                                                                                         \
                auv__line_join((line), (place));                                                     \
                AUV__AWAIT_PENDING_CATCH(r, &(place)->turn);                                         \
                woken = auv__line_end((line), (place));                                              \
        } while (0)

/* The same where nobody asks whether it was woken. */
#define AUV__WAIT_IN_LINE_CATCH(r, line, place)                                                      \
        do {                                                                                         \
                auv__line_join((line), (place));                                                     \
                AUV__AWAIT_PENDING_CATCH(r, &(place)->turn);                                         \
                (void)auv__line_end((line), (place));                                                \
        } while (0)

/* Such a body: one wait, and nothing else. The reference to what has the line is given up behind it. */
struct auv__line_wait {
        auv_frame frame;
        struct auv__line *line;
        struct auv__object *held;
        struct auv__place place;
};
int auv__line_wait_steps(auv_frame *frame, auv_value *ret);

/* What is needed to begin with; the place is made when it is taken. */
static inline void auv__line_wait_init(struct auv__line_wait *wait, struct auv__line *line,
                                       struct auv__object *held)
{
        wait->frame = (auv_frame) { 0 };
        wait->line = line;
        wait->held = held;
}

/* Takes a place out of the line. */
void auv__line_leave(struct auv__line *line, struct auv__place *place);

/* Wakes a place, which stays in the line; false where it was woken or cancelled before. */
static inline bool auv__place_wake(struct auv__place *place)
{
        if (auv__future_is_done(&place->turn))
                return false;
        auv__future_succeed(&place->turn, (auv_value) { 0 });
        return true;
}

/* Whether everyone in the line has been cancelled; so it is with an empty one. */
bool auv__line_is_abandoned(const struct auv__line *line);

/* Wakes the first that can be woken, and leaves it in the line; false where there is none. */
bool auv__line_wake_next(struct auv__line *line);

/* Wakes all that can be woken, and leaves them in the line. */
void auv__line_wake_all(struct auv__line *line);

/* Wakes the first that can be woken, and takes it and those before it out of the line. */
void auv__line_call_next(struct auv__line *line);

#endif
