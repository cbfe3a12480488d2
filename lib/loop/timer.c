/* SPDX-License-Identifier: MIT */

/*
 * Timers
 *
 * A radix heap with digits of six bits: a wheel of wheels whose order is exact to the nanosecond. A key
 * is a time in nanoseconds, and last_ns a time that the clock has reached, so that no key in the slots
 * is less. A timer goes by the highest digit in which its key differs from last_ns: that is its level,
 * and the key's own digit there is its slot.
 *
 * All keys of a lower level are then less than those of a higher, and in one level those of a lower
 * slot are; in level 0, all keys of a slot are the same. So the first slot in use has the least. When
 * its time has come, last_ns moves to where it begins, and its timers, which now differ from last_ns
 * in a lower digit, are placed anew. In the end last_ns is set to the time that it is: a timer that stays
 * then is due later than that, and the digit that has placed it still is the first that differs.
 *
 * A slot whose timers were set in order of their keys, as those of like delays are, needs none of that: what
 * is due is taken from its begin. While it keeps others, last_ns stays before it, so a timer that is set
 * meanwhile for a time between goes to the same slot, which then is not in order any more.
 *
 * What is due is taken out slot by slot, and run before the next slot is looked at: timers that are due
 * at about the same time are then placed and run while the cache has them. One that is set meanwhile for a
 * time that is due has to wait for another turn, so it goes to a list of its own.
 *
 * Each timer moves down once a level at the most, and timers that are set for the near future start
 * low; to set one, and to take one out, takes the same few steps whatever their number. A slot is a list
 * that is appended to and placed anew from its begin, and equal keys are always in the same, so they
 * leave in the order in which they came.
 *
 * Taking a timer out does not look for its slot: it may leave it empty while its bit is set, or with a
 * least key that is too low, which is what the head's when_ns has. The first is found out when the slot is
 * looked at, and the second when that time has come: a wakeup too many, after which the slot is gone.
 */

#include "loop/timer.h"

#include "loop/loop.h"

/* How many timers are taken at once from a slot that keeps others. */
enum { RUN = 64 };

#define LEVEL_OF(difference) ((63 - (unsigned)__builtin_clzll((difference) | 1)) / AUV__TIMER_BITS)

void auv__timers_init(struct auv__timers *timers)
{
        timers->last_ns = 0;
        timers->now_ns = -1;
        timers->levels = 0;
        for (int i = 0; i < AUV__TIMER_LEVELS; i++)
                timers->used[i] = 0;
        auv__timer_list_init(&timers->due);
        auv__timer_list_init(&timers->overdue);
        auv__timer_list_init(&timers->never);
}

/* Puts a timer whose key is not less than last_ns into its slot. */
static void place(struct auv__timers *timers, struct auv__timer *timer)
{
        const uint64_t key = (uint64_t)timer->when_ns;
        const unsigned level = LEVEL_OF(key ^ (uint64_t)timers->last_ns);
        const unsigned digit = key >> level * AUV__TIMER_BITS & (AUV__TIMER_SLOTS - 1);
        struct auv__timer_slot *slot = &timers->slots[level][digit];

        if (!(timers->used[level] >> digit & 1) || auv__timer_list_is_empty(&slot->list)) {
                auv__timer_list_init(&slot->list);
                slot->list.head.when_ns = slot->latest_ns = timer->when_ns;
                timers->used[level] |= UINT64_C(1) << digit;
                timers->levels |= 1U << level;
        } else if (timer->when_ns >= slot->latest_ns) {
                slot->latest_ns = timer->when_ns;
        } else {
                slot->latest_ns = AUV__NEVER;
                if (timer->when_ns < slot->list.head.when_ns)
                        slot->list.head.when_ns = timer->when_ns;
        }
        auv__timer_list_append(&slot->list, timer);
}

void auv__timers_set(struct auv__timers *timers, struct auv__timer *timer, int64_t when_ns)
{
        timer->when_ns = when_ns;
        if (auv__unlikely(when_ns <= timers->now_ns))
                auv__timer_list_append(&timers->overdue, timer);
        else if (auv__unlikely(when_ns == AUV__NEVER))
                auv__timer_list_append(&timers->never, timer);
        else
                place(timers, timer);
}

/* The first slot that has a timer, or NULL. */
static struct auv__timer_slot *first_slot(struct auv__timers *timers, unsigned *ret_level,
                                         unsigned *ret_digit)
{
        while (timers->levels) {
                const unsigned level = (unsigned)__builtin_ctz(timers->levels);

                while (timers->used[level]) {
                        const unsigned digit = (unsigned)__builtin_ctzll(timers->used[level]);

                        if (!auv__timer_list_is_empty(&timers->slots[level][digit].list)) {
                                *ret_level = level;
                                *ret_digit = digit;
                                return &timers->slots[level][digit];
                        }
                        timers->used[level] &= timers->used[level] - 1;
                }
                timers->levels &= timers->levels - 1;
        }
        return NULL;
}

int64_t auv__timers_next(struct auv__timers *timers)
{
        const struct auv__timer_slot *slot;
        unsigned level, digit;

        if (!auv__timer_list_is_empty(&timers->overdue))
                return timers->now_ns;
        slot = first_slot(timers, &level, &digit);
        return slot ? slot->list.head.when_ns : AUV__NEVER;
}

/* Moves all of another list to the end of one. */
static void splice(struct auv__timer_list *list, struct auv__timer_list *other)
{
        struct auv__timer *first = (struct auv__timer *)other->head.item.next, *last = other->head.previous;

        if (auv__timer_list_is_empty(other))
                return;
        first->previous = list->head.previous;
        first->previous->item.next = &first->item;
        last->item.next = &list->head.item;
        list->head.previous = last;
        auv__timer_list_init(other);
}

/* Merges two lists in order into the first; where keys are equal, its own come first. */
static void merge(struct auv__timer_list *list, struct auv__timer_list *other)
{
        struct auv__timer_list merged;

        auv__timer_list_init(&merged);
        while (!auv__timer_list_is_empty(list) && !auv__timer_list_is_empty(other)) {
                const struct auv__timer *a = (struct auv__timer *)list->head.item.next;
                const struct auv__timer *b = (struct auv__timer *)other->head.item.next;

                auv__timer_list_append(&merged, auv__timer_list_pop(b->when_ns < a->when_ns ? other : list));
        }
        splice(&merged, list);
        splice(&merged, other);
        splice(list, &merged);
}

/* Those that were set for a time that had gone by: few, and as a rule in order. */
static void sort(struct auv__timer_list *list)
{
        struct auv__timer_list runs[64]; /* runs[i] is empty, or merged from 2^i timers; later ones first */
        unsigned n = 0, i;

        while (!auv__timer_list_is_empty(list)) {
                struct auv__timer_list run;

                auv__timer_list_init(&run);
                auv__timer_list_append(&run, auv__timer_list_pop(list));
                for (i = 0; i < n && !auv__timer_list_is_empty(&runs[i]); i++) {
                        merge(&runs[i], &run);
                        splice(&run, &runs[i]);
                }
                if (i == n)
                        auv__timer_list_init(&runs[n++]);
                splice(&runs[i], &run);
        }
        for (i = 0; i < n; i++) {
                merge(&runs[i], list);
                splice(list, &runs[i]);
        }
}

/* Places the timers of a slot anew that begins at last_ns. */
static void spread(struct auv__timers *timers, struct auv__timer_list *slot)
{
        struct auv__timer *timer = (struct auv__timer *)slot->head.item.next, *next;

        slot->head.previous->item.next = NULL;
        for (; timer; timer = next) {
                next = (struct auv__timer *)timer->item.next;
                if (next) {
                        __builtin_prefetch(next, /* rw= */ 1);
                        __builtin_prefetch(&next->when_ns, /* rw= */ 1);
                }
                place(timers, timer);
        }
}

/* Moves the first few of timers in order to the due ones. False for none. */
static bool take_first(struct auv__timers *timers, struct auv__timer_list *list)
{
        struct auv__timer *const first = (struct auv__timer *)list->head.item.next;
        struct auv__timer *last = &list->head, *next = first;

        for (unsigned n = 0; n < RUN && next != &list->head && next->when_ns <= timers->now_ns; n++) {
                last = next;
                next = (struct auv__timer *)next->item.next;
        }
        list->head.when_ns = next->when_ns;
        if (last == &list->head)
                return false;
        list->head.item.next = &next->item;
        next->previous = &list->head;
        first->previous = timers->due.head.previous;
        first->previous->item.next = &first->item;
        last->item.next = &timers->due.head.item;
        timers->due.head.previous = last;
        return true;
}

/*
 * Takes from the first slot what is due, some of it at least, or places its timers anew. False where it
 * begins after now, or none in it is due, or there is no slot.
 */
static bool look_at_slot(struct auv__timers *timers)
{
        const int64_t now_ns = timers->now_ns;
        unsigned level, digit;
        struct auv__timer_slot *slot = first_slot(timers, &level, &digit);
        uint64_t begin;

        if (slot) {
                begin = (uint64_t)timers->last_ns >> level * AUV__TIMER_BITS;
                begin = ((begin & ~(uint64_t)(AUV__TIMER_SLOTS - 1)) | digit) << level * AUV__TIMER_BITS;
        }
        if (!slot || (int64_t)begin > now_ns) {
                if (now_ns > timers->last_ns)
                        timers->last_ns = now_ns;
                return false;
        }
        if (slot->latest_ns > now_ns && slot->latest_ns != AUV__NEVER)
                return take_first(timers, &slot->list);
        timers->used[level] &= timers->used[level] - 1;
        timers->last_ns = (int64_t)begin;
        if (slot->latest_ns == AUV__NEVER)
                spread(timers, &slot->list);
        else
                splice(&timers->due, &slot->list);
        return true;
}

void auv__timers_advance(struct auv__timers *timers, int64_t now_ns)
{
        timers->now_ns = now_ns;
        if (auv__likely(auv__timer_list_is_empty(&timers->overdue)))
                return;
        sort(&timers->overdue);
        splice(&timers->due, &timers->overdue);
}

struct auv__timer *auv__timers_take(struct auv__timers *timers)
{
        while (auv__timer_list_is_empty(&timers->due))
                if (!look_at_slot(timers))
                        return NULL;
        return auv__timer_list_pop(&timers->due);
}

void auv__timer_start(auv_loop *loop, struct auv__timer *timer, int64_t when_ns)
{
        auv__timers_set(&loop->timers, timer, when_ns);
        if (auv__unlikely(loop->parked))
                auv__loop_unpark(loop);
}
