/* SPDX-License-Identifier: MIT */
#ifndef AUV_LOOP_WATCHER_H
#define AUV_LOOP_WATCHER_H

#include <asyncuv/watcher.h>

/* What a loop has for the descriptors that it watches. */
struct auv__watchers {
        struct auv__watcher **of; /* by descriptor; NULL for one that is not watched */
        size_t n;
};

/* Removes every reader and writer; the loop is being closed. */
void auv__watchers_close(auv_loop *loop);

#endif
