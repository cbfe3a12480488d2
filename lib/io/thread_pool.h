/* SPDX-License-Identifier: MIT */
#ifndef AUV_IO_THREAD_POOL_H
#define AUV_IO_THREAD_POOL_H

/* libuv's pool of threads is being given something: from now on it has its size. In any thread. */
void auv__thread_pool_use(void);

#endif
