/* SPDX-License-Identifier: MIT */
#ifndef SUPPORT_DESCRIPTORS_H
#define SUPPORT_DESCRIPTORS_H

/* How many file descriptors the process has open. */
int descriptors_open(void);

#endif
