/* SPDX-License-Identifier: MIT */
#ifndef AUV_IO_DATAGRAM_H
#define AUV_IO_DATAGRAM_H

#include "io/transport.h"

#include <asyncuv/datagram.h>

/* The kind of transports that carry datagrams. */
extern const struct auv__transport_kind auv__datagram_kind;

#endif
