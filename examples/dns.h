/* SPDX-License-Identifier: MIT */
#ifndef EXAMPLES_DNS_H
#define EXAMPLES_DNS_H

/*
 * DNS
 *
 * Messages of the domain name system (RFC 1035), as much of them as a server for a fixed zone needs. It is
 * given bytes and gives bytes; who carries them is another's matter.
 */

#include <stddef.h>
#include <stdint.h>

enum dns_type { DNS_A = 1, DNS_NS = 2, DNS_SOA = 6, DNS_TXT = 16, DNS_AAAA = 28, DNS_ANY = 255 };

/* What a name has, as people write it. */
struct dns_record {
        const char *name; /* without a dot at the end */
        enum dns_type type;
        uint32_t ttl;     /* seconds */
        const char *data; /* an address, a name, or a text; of a SOA: its server, its mailbox, its serial
                             number */
};

struct dns_zone {
        const char *name; /* of which the first record is the SOA */
        const struct dns_record *records;
        size_t n;
};

/* The longest answer that goes over UDP without an extension. */
enum { DNS_ANSWER_SIZE = 512 };

/*
 * Answers a message, whatever it is. Returns the size of the answer; 0 where there is none to give, since
 * the message is too short to be one, or an answer itself.
 */
size_t dns_answer(const struct dns_zone *zone, const void *query, size_t size,
                  unsigned char ret_answer[DNS_ANSWER_SIZE]);

#endif
