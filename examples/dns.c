/* SPDX-License-Identifier: MIT */

#include "dns.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

enum { HEADER_SIZE = 12, MAX_LABEL = 63, MAX_NAME = 255, MAX_STRING = 255, CLASS_IN = 1, CLASS_ANY = 255 };
enum { NO_ERROR = 0, FORMAT_ERROR = 1, NO_SUCH_NAME = 3, NOT_IMPLEMENTED = 4, REFUSED = 5 };

/* In the third byte of a header, and in the fourth. */
enum {
        IS_ANSWER = 0x80,
        OPERATION = 0x78,
        IS_AUTHORITY = 0x04,
        IS_TRUNCATED = 0x02,
        RECURSION_DESIRED = 0x01
};

/* Where each count of a header is. */
enum { QUESTIONS = 4, ANSWERS = 6, AUTHORITIES = 8 };

struct question {
        char name[MAX_NAME + 1]; /* as people write it */
        unsigned type;
        unsigned class;
        size_t end; /* of the question in the message */
};

struct answer {
        unsigned char *bytes;
        size_t size;
        bool is_full; /* a record has not fitted */
};

static unsigned number_at(const unsigned char *bytes)
{
        return (unsigned)bytes[0] << 8 | bytes[1];
}

static void set_number(unsigned char *bytes, unsigned number)
{
        bytes[0] = (unsigned char)(number >> 8);
        bytes[1] = (unsigned char)number;
}

/*
 * Reads the name of a question: labels, each behind its length, to one of no length. Only behind the first
 * name of a message may a name refer to another one, so a reference is an error here. A name has two bytes
 * more in a message than as people write it: the first length and the last. Returns where the name ends, or
 * 0: it is none.
 */
static size_t read_name(const unsigned char *query, size_t size, char ret_name[MAX_NAME + 1])
{
        size_t at = HEADER_SIZE, length = 0;

        for (;;) {
                size_t label;

                if (at >= size)
                        return 0;
                label = query[at++];
                if (label > MAX_LABEL || label > size - at || length + label + 2 > MAX_NAME)
                        return 0;
                if (label == 0)
                        break;
                if (length > 0)
                        ret_name[length++] = '.';
                for (size_t i = 0; i < label; i++) {
                        /* A dot within a label is none that divides labels, and a zero byte ends no name.
                         */
                        if (query[at + i] == '.' || query[at + i] == '\0')
                                return 0;
                        ret_name[length++] = (char)query[at + i];
                }
                at += label;
        }
        ret_name[length] = '\0';
        return at;
}

static bool read_question(const unsigned char *query, size_t size, struct question *ret)
{
        const size_t at = read_name(query, size, ret->name);

        if (at == 0 || size - at < 4)
                return false;
        ret->type = number_at(query + at);
        ret->class = number_at(query + at + 2);
        ret->end = at + 4;
        return true;
}

/* What has once not fitted is followed by nothing. */
static void add(struct answer *answer, const void *bytes, size_t size)
{
        if (answer->is_full || size > DNS_ANSWER_SIZE - answer->size) {
                answer->is_full = true;
                return;
        }
        memcpy(answer->bytes + answer->size, bytes, size);
        answer->size += size;
}

static void add_number(struct answer *answer, unsigned number)
{
        unsigned char bytes[2];

        set_number(bytes, number);
        add(answer, bytes, sizeof(bytes));
}

static void add_long_number(struct answer *answer, uint32_t number)
{
        add_number(answer, number >> 16);
        add_number(answer, number & 0xffff);
}

static void add_string(struct answer *answer, const char *text, size_t length)
{
        const unsigned char size = (unsigned char)length;

        add(answer, &size, 1);
        add(answer, text, length);
}

static void add_name(struct answer *answer, const char *name)
{
        while (*name) {
                const size_t length = strcspn(name, ".");

                add_string(answer, name, length);
                name += length + (name[length] == '.');
        }
        add_string(answer, "", 0);
}

static void add_text(struct answer *answer, const char *text)
{
        size_t left = strlen(text);

        do {
                const size_t length = left < MAX_STRING ? left : MAX_STRING;

                add_string(answer, text, length);
                text += length;
                left -= length;
        } while (left > 0);
}

static void add_soa(struct answer *answer, const struct dns_record *record)
{
        enum { REFRESH = 7200, RETRY = 900, EXPIRE = 1209600 };

        char server[MAX_NAME + 1] = "", mailbox[MAX_NAME + 1] = "";
        unsigned serial = 0;

        sscanf(record->data, "%255s %255s %u", server, mailbox, &serial);
        add_name(answer, server);
        add_name(answer, mailbox);
        add_long_number(answer, serial);
        add_long_number(answer, REFRESH);
        add_long_number(answer, RETRY);
        add_long_number(answer, EXPIRE);
        add_long_number(answer, record->ttl);
}

static void add_data(struct answer *answer, const struct dns_record *record)
{
        unsigned char address[sizeof(struct in6_addr)];

        switch (record->type) {
        case DNS_A:
                inet_pton(AF_INET, record->data, address);
                add(answer, address, sizeof(struct in_addr));
                break;
        case DNS_AAAA:
                inet_pton(AF_INET6, record->data, address);
                add(answer, address, sizeof(struct in6_addr));
                break;
        case DNS_NS:
                add_name(answer, record->data);
                break;
        case DNS_TXT:
                add_text(answer, record->data);
                break;
        case DNS_SOA:
                add_soa(answer, record);
                break;
        case DNS_ANY:
                break;
        }
}

/* Adds a record, and counts it in the header at @counter; or nothing, where it does not fit. */
static void add_record(struct answer *answer, const struct dns_record *record, size_t counter)
{
        const size_t begin = answer->size;
        size_t data;

        add_name(answer, record->name);
        add_number(answer, record->type);
        add_number(answer, CLASS_IN);
        add_long_number(answer, record->ttl);
        add_number(answer, 0);
        data = answer->size;
        add_data(answer, record);
        if (answer->is_full) {
                answer->size = begin;
                return;
        }
        set_number(answer->bytes + data - 2, (unsigned)(answer->size - data));
        set_number(answer->bytes + counter, number_at(answer->bytes + counter) + 1);
}

static bool is_in_zone(const struct dns_zone *zone, const char *name)
{
        const size_t length = strlen(name), zone_length = strlen(zone->name);

        if (length < zone_length || strcasecmp(name + length - zone_length, zone->name) != 0)
                return false;
        return length == zone_length || name[length - zone_length - 1] == '.';
}

/* Adds what a name has of a type. Returns how the question was answered. */
static unsigned add_records(struct answer *answer, const struct dns_zone *zone,
                            const struct question *question)
{
        bool exists = false, found = false;

        if ((question->class != CLASS_IN && question->class != CLASS_ANY) ||
            !is_in_zone(zone, question->name))
                return REFUSED;
        for (size_t i = 0; i < zone->n; i++) {
                const struct dns_record *record = &zone->records[i];

                if (strcasecmp(record->name, question->name) != 0)
                        continue;
                exists = true;
                if (question->type != record->type && question->type != DNS_ANY)
                        continue;
                found = true;
                add_record(answer, record, ANSWERS);
        }
        answer->bytes[2] |= IS_AUTHORITY;
        /* For how long there is nothing stands in the zone's first record. */
        if (!found)
                add_record(answer, &zone->records[0], AUTHORITIES);
        return exists ? NO_ERROR : NO_SUCH_NAME;
}

size_t dns_answer(const struct dns_zone *zone, const void *query, size_t size,
                  unsigned char ret_answer[DNS_ANSWER_SIZE])
{
        const unsigned char *bytes = query;
        struct answer answer = { .bytes = ret_answer, .size = HEADER_SIZE };
        struct question question;
        unsigned code;

        /* To answer an answer may go on for ever. */
        if (size < HEADER_SIZE || bytes[2] & IS_ANSWER)
                return 0;
        memset(ret_answer, 0, HEADER_SIZE);
        memcpy(ret_answer, bytes, 2);
        ret_answer[2] = IS_ANSWER | (bytes[2] & (OPERATION | RECURSION_DESIRED));
        if (bytes[2] & OPERATION) {
                code = NOT_IMPLEMENTED;
        } else if (number_at(bytes + QUESTIONS) != 1 || !read_question(bytes, size, &question)) {
                code = FORMAT_ERROR;
        } else {
                add(&answer, bytes + HEADER_SIZE, question.end - HEADER_SIZE);
                set_number(ret_answer + QUESTIONS, 1);
                code = add_records(&answer, zone, &question);
        }
        if (answer.is_full)
                ret_answer[2] |= IS_TRUNCATED;
        ret_answer[3] = (unsigned char)code;
        return answer.size;
}
