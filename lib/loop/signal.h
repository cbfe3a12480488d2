/* SPDX-License-Identifier: MIT */
#ifndef AUV_LOOP_SIGNAL_H
#define AUV_LOOP_SIGNAL_H

#include <asyncuv/signal.h>

/* Removes every handler; the loop is being closed. */
void auv__signals_close(auv_loop *loop);

#endif
