// SPDX-License-Identifier: MIT
// The umbrella header in a C++ program that runs a coroutine.

#include <asyncuv.h>
#include <cstdio>

static int say(void *arg, auv_value *ret)
{
        AUV_TRY(auv_await_sleep(0.001));
        ret->s = static_cast<const char *>(arg);
        return 0;
}

struct speaker {
        auv_frame frame;
        int times;
        auv_value value;
        auv_error *left;
};

static int speak(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(speaker, self);
        while (self->times-- > 0) {
                AUV_AWAIT_SLEEP(0.001); AUV_AWAIT_SLEEP(0.001);
        }
        {
                const char *text = "C++ awaits without a stack";

                AUV_RETURN(.s = text);
        }
        AUV_FINALLY_AWAIT(self->left);
        AUV_AWAIT_SLEEP(0);
        AUV_END;
}

struct announcer {
        auv_frame frame;
        speaker inner;
};

static int announce(auv_frame *frame, auv_value *ret)
{
        AUV_BEGIN(announcer, self);
        AUV_AWAIT_INLINE(speak, &self->inner, ret);
        AUV_FINALLY;
        self->inner.times = 0;
        AUV_END;
}

static int amain(void *, auv_value *)
{
        announcer frame = {};
        AUV_AUTO auv_task *task = auv_create_task(say, "C++ awaits", 0);
        AUV_AUTO auv_task *other = auv_ref(task);
        AUV_AUTO auv_task *stackless = nullptr;
        auv_value result;

        AUV_TRY(auv_await(other, &result));
        std::puts(result.s);
        frame.inner.times = 2;
        stackless = auv_create_stackless_task(announce, &frame, sizeof(frame));
        AUV_TRY(auv_await(stackless, &result));
        std::puts(result.s);
        return 0;
}

static int run_with_options()
{
        AUV_AUTO auv_task *task = nullptr;
        AUV_AUTO auv_loop *loop = nullptr;

        AUV_TRY(auv_new_event_loop(AUV_LOOP_OPTIONS(.clock = AUV_CLOCK_VIRTUAL), &loop));
        task = auv_loop_create_task(loop, amain, nullptr, 0,
                                    AUV_TASK_OPTIONS(.name = "main", .stack_size = 65536));
        return auv_loop_run_until_complete(loop, task, nullptr);
}

int main()
{
        return auv_run(amain, nullptr) < 0 || run_with_options() < 0;
}
