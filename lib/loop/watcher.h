/* SPDX-License-Identifier: MIT */
#ifndef AUV_LOOP_WATCHER_H
#define AUV_LOOP_WATCHER_H

#include <asyncuv/watcher.h>

enum auv__side { AUV__READER, AUV__WRITER };

/* What a loop has for the descriptors that it watches. */
struct auv__watchers {
        struct auv__watcher **of; /* by descriptor; NULL for one that is not watched */
        size_t n;
        struct auv__watcher *fresh;
        uint64_t last_serial;
};

/*
 * A reader or a writer as the public calls add it, with a number of its own, and what takes away that one
 * and no other which has come in its place. The loop is open, and this is its thread. Returns 0 or a
 * negative error, and then the current error has the object.
 */
int auv__watcher_add(auv_loop *loop, int fd, enum auv__side side, auv_call_fn fn, void *arg,
                     uint64_t *ret_serial);
void auv__watcher_remove(auv_loop *loop, int fd, enum auv__side side, uint64_t serial);

/*
 * A transport has this descriptor: nobody else may watch it until the transport has released it, which
 * comes before it closes it. What has watched it before does no more. Returns 0; AUV_ENOMEM; or AUV_EEXIST,
 * another transport has it.
 */
int auv__watchers_claim(auv_loop *loop, int fd);
void auv__watchers_release(auv_loop *loop, int fd);

/* libuv is about to poll. */
void auv__watchers_check(auv_loop *loop);

/* Removes every reader and writer; the loop is being closed. */
void auv__watchers_close(auv_loop *loop);

#endif
