/* SPDX-License-Identifier: MIT */

/*
 * Guards of stacks
 *
 * MADV_GUARD_INSTALL (Linux 6.13) marks pages without splitting the mapping, so the number of
 * stacks is not bounded by vm.max_map_count. Where it is missing, mprotect() serves, and
 * running out of mappings is AUV_ENOMEM.
 *
 * A program that makes a million tasks makes a million guards, and each new stack faults for
 * its first page. process_madvise() does both for many stacks at once, which takes a quarter off
 * the cost of a new stack. The kernel lets a process give itself advice of any kind that way
 * where it knows MADV_GUARD_INSTALL.
 */

#include "coro/stack_guard.h"

#include "coro/sanitizer.h"

#include <asyncuv/error.h>

#include <errno.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#endif

#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

#ifndef SYS_process_madvise
#define SYS_process_madvise 440
#endif

#define SELF      (-10000) /* PIDFD_SELF */
#define BATCH_MAX 32

/* An emulator may take advice that it does not know and do nothing. */
static bool is_guarded(const char *address)
{
        return access(address, F_OK) < 0 && errno == EFAULT;
}

static int set_one(enum auv__stack_guard *how, char *address, size_t size)
{
        if (*how != AUV__STACK_GUARD_MPROTECT) {
                if (madvise(address, size, MADV_GUARD_INSTALL) == 0) {
                        if (*how != AUV__STACK_GUARD_UNTRIED)
                                return 1;
                        /* Valgrind does not emulate the call, but reads the path of access() itself. */
                        if (auv__sanitizer_is_valgrind()) {
                                *how = AUV__STACK_GUARD_INSTALL;
                                return 1;
                        }
                        if (is_guarded(address)) {
                                *how = AUV__STACK_GUARD_BATCH;
                                return 1;
                        }
                } else if (errno != EINVAL) {
                        return AUV_ENOMEM;
                }
                *how = AUV__STACK_GUARD_MPROTECT;
        }
        return mprotect(address, size, PROT_NONE) < 0 ? AUV_ENOMEM : 1;
}

/* The same advice for @size bytes of each of the first @n stacks, at @offset in them. Returns for how many.
 */
static size_t advise(const struct auv__stack_row *row, size_t n, size_t offset, size_t size, int advice)
{
        struct iovec parts[BATCH_MAX];
        long done;

        for (size_t i = 0; i < n; i++)
                parts[i] = (struct iovec){row->memory + i * row->span + offset, size};
        done = syscall(SYS_process_madvise, SELF, parts, n, advice, /* flags= */ 0);
        return done < 0 ? 0 : (size_t)done / size;
}

int auv__stack_guard_set(enum auv__stack_guard *how, const struct auv__stack_row *row)
{
        const size_t n = row->n < BATCH_MAX ? row->n : BATCH_MAX;

        if (*how == AUV__STACK_GUARD_BATCH && n > 1) {
                const size_t page = (size_t)sysconf(_SC_PAGESIZE);
                const size_t n_set = advise(row, n, /* offset= */ 0, row->guard, MADV_GUARD_INSTALL);

                if (n_set > 0) {
                        /* A page that cannot be had now is not there until it is touched. */
                        advise(row, n_set, row->span - page, page, MADV_POPULATE_WRITE);
                        return (int)n_set;
                }
                *how = AUV__STACK_GUARD_INSTALL;
        }
        return set_one(how, row->memory, row->guard);
}
