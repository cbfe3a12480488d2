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

static int amain(void *, auv_value *)
{
        AUV_AUTO auv_task *task = auv_create_task(say, "C++ awaits", 0);
        AUV_AUTO auv_task *other = auv_ref(task);
        auv_value result;

        AUV_TRY(auv_await(other, &result));
        std::puts(result.s);
        return 0;
}

int main()
{
        return auv_run(amain, nullptr);
}
