/* SPDX-License-Identifier: MIT */

#include "task/line.h"

void auv__line_join(struct auv__line *line, struct auv__place *place)
{
        auv__future_init(&place->turn, auv__running_loop, AUV__FUTURE);
        place->previous = line->last;
        place->next = NULL;
        place->in_line = true;
        if (line->last)
                line->last->next = place;
        else
                line->first = place;
        line->last = place;
        if (!line->unwoken)
                line->unwoken = place;
}

void auv__line_leave(struct auv__line *line, struct auv__place *place)
{
        if (place->previous)
                place->previous->next = place->next;
        else
                line->first = place->next;
        if (place->next)
                place->next->previous = place->previous;
        else
                line->last = place->previous;
        if (line->unwoken == place)
                line->unwoken = place->next;
        place->in_line = false;
}

bool auv__line_end(struct auv__line *line, struct auv__place *place)
{
        const bool woken = place->turn.object.state == AUV__HAS_RESULT;

        if (place->in_line)
                auv__line_leave(line, place);
        auv__future_deinit(&place->turn);
        return woken;
}

int auv__line_wait(struct auv__line *line, struct auv__task *task, bool *ret_woken)
{
        struct auv__place place;
        int r;

        auv__line_join(line, &place);
        r = auv__await_pending(task, &place.turn);
        *ret_woken = auv__line_end(line, &place);
        return r;
}

int auv__line_wait_steps(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(struct auv__line_wait, self);
        int r;

        AUV__WAIT_IN_LINE_CATCH(r, self->line, &self->place);
        auv__drop(self->held);
        AUV_LEAVE(r);
        AUV_END;
}

bool auv__line_is_abandoned(const struct auv__line *line)
{
        for (const struct auv__place *place = line->first; place; place = place->next)
                if (place->turn.object.state != AUV__CANCELLED)
                        return false;
        return true;
}

/* Who has been woken is in the line until it runs. To pass it again and again would cost O(n) for each. */
bool auv__line_wake_next(struct auv__line *line)
{
        struct auv__place *place;

        while ((place = line->unwoken)) {
                line->unwoken = place->next;
                if (auv__place_wake(place))
                        return true;
        }
        return false;
}

void auv__line_wake_all(struct auv__line *line)
{
        while (auv__line_wake_next(line))
                ;
}

void auv__line_call_next(struct auv__line *line)
{
        struct auv__place *place;

        do {
                place = line->first;
                if (!place)
                        return;
                auv__line_leave(line, place);
        } while (!auv__place_wake(place));
}
