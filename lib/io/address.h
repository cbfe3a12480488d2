/* SPDX-License-Identifier: MIT */
#ifndef AUV_IO_ADDRESS_H
#define AUV_IO_ADDRESS_H

#include <asyncuv/address.h>

#include <sys/socket.h>
#include <sys/un.h>

/* An address of a socket with its length; a path may fill a sockaddr_un to its end. */
struct auv__address {
        socklen_t size;
        union {
                struct sockaddr any;
                struct sockaddr_storage storage;
                struct sockaddr_un un;
                char room[sizeof(struct sockaddr_storage) + 1];
        };
};

/*
 * The address of a Unix socket. A path that begins with '@' is a name in Linux's abstract space.
 * Returns 0 or AUV_EINVAL, and then the current error has the object.
 */
int auv__address_of_path(const char *path, struct auv__address *ret_address);

#endif
