/* SPDX-License-Identifier: MIT */
#ifndef ASYNCUV_ADDRESS_H
#define ASYNCUV_ADDRESS_H

#include <asyncuv/macros.h>

#include <stddef.h>

AUV_BEGIN_DECLS

struct sockaddr;

/* Enough for the text of any address, with its zero byte. */
#define AUV_ADDRESS_SIZE 128

/**
 * auv_format_address() - an address of a socket as text for people
 * @address:     an IPv4, IPv6 or Unix address; NULL for none
 * @buffer:      receives the text, cut to fit and ended by a zero byte
 * @size:        size of @buffer in bytes; AUV_ADDRESS_SIZE is enough; 0 to ask for the length only
 *
 * As in "127.0.0.1:80", "[::1]:80", "[fe80::1%2]:80", "/run/service.sock"; "@name" for a name in Linux's
 * abstract space; empty for a Unix socket without a name, and for NULL.
 *
 * Return: the length in bytes of the whole text, as snprintf().
 * Suspends: no.    Thread: any.
 */
AUV_API size_t auv_format_address(const struct sockaddr *address, char *buffer, size_t size);

AUV_END_DECLS

#endif
