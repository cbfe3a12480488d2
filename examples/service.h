/* SPDX-License-Identifier: MIT */
#ifndef EXAMPLES_SERVICE_H
#define EXAMPLES_SERVICE_H

/*
 * Service
 *
 * A server as a program: it listens, serves each connection by a task, and ends gracefully on
 * SIGTERM. Then it accepts nothing more, asks each client to come to its end, waits for that a limited
 * time, and aborts whoever is left. SIGINT (Ctrl-C) cancels everything at once, as in any program
 * that is run by auv_run().
 */

#include <asyncuv.h>

struct service;

/* One connection; it stands on the stack of its task. */
struct client {
        struct service *service;
        auv_stream_reader *reader;
        auv_stream_writer *writer;
        void *user; /* the program's own */
        struct client *next;
        struct client **link; /* what points here */
};

struct service {
        int (*serve)(
                struct client *client); /* awaits; then what is written is sent, and the connection closed */
        void (*stop)(struct client *client); /* the service stops: asks one client to come to its end */
        int port;                            /* 0 for one that the system chooses */
        double grace;                        /* seconds that the end may take, of a connection or of all */
        double time_limit;                   /* seconds, for what serve() limits */
        size_t limit;                        /* bytes of the readers; 0 for the library's default */
        bool stopping;
        struct client *clients;
        auv_event *stop_requested;
};

/*
 * Reads the options that the letters name, as getopt() takes them: -p PORT, -g SECONDS of grace, and
 * -t SECONDS of the time limit. Returns false where there is another, or what is no such thing.
 * optind is then that of the first argument.
 */
bool service_parse(struct service *service, int argc, char **argv, const char *letters);

/*
 * Runs a service from start to end, for main() to return. Prints "port N" when it listens, on
 * the loopback interface only.
 */
int service_run(struct service *service);

#endif
