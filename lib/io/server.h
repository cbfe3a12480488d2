/* SPDX-License-Identifier: MIT */
#ifndef AUV_IO_SERVER_H
#define AUV_IO_SERVER_H

#include "io/transport.h"
#include "task/line.h"

#include <asyncuv/server.h>

/*
 * Server
 *
 * References are held by whoever has asked for it, by each of its listeners while they listen (listener.c),
 * and by each of its transports.
 */
struct auv__listener;

/* Called once when the factory is never called again; may be NULL. */
typedef void (*auv__release_fn)(void *arg);

struct auv_server {
        struct auv__object object;
        auv_loop *loop;
        auv_protocol_factory_fn factory;
        void *arg;
        auv__release_fn release_arg;   /* NULL once it has been called */
        int backlog;
        bool serving;
        bool closed;
        bool calling;                  /* the factory runs */
        struct auv__task *forever;     /* who is in serve_forever() */
        struct auv__line closing;      /* who is in wait_closed() */
        auv_transport *clients;
        char *path;                    /* of a Unix socket that is to be removed, or NULL */
        uint64_t path_number;          /* what stood there when it was made */
        size_t n;
        struct auv__listener *listeners[]; /* NULL where it does not listen */
        /* and the descriptors, see auv__server_fds() */
};

static inline int *auv__server_fds(const auv_server *server)
{
        return (int *)&server->listeners[server->n];
}

/* What creating a server has in common, whatever it listens on. */
struct auv__serving {
        auv_protocol_factory_fn factory;
        void *arg;
        auv__release_fn release_arg;
};

/*
 * Makes a server of descriptors that are bound, starts it unless that is to be deferred, and lets the other
 * tasks run for a turn. Takes over the descriptors, and @path. Returns 0 or an error with its object.
 */
int auv__await_server(struct auv__task *task, const struct auv__serving *serving, const int *fds, size_t n,
                      char *path, const auv_server_options *options, auv_server **ret_server);

/*
 * What creating one begins with, where @r is what came before: looks at the arguments that all have in
 * common. Returns 0 with the options and their defaults; or an error with its object, and then a descriptor
 * among the options has been closed.
 */
int auv__server_check(int r, const struct auv__serving *serving, const auv_server_options *options,
                      auv_server_options *ret_options, auv_server **ret_server);

void auv__serving_release(const struct auv__serving *serving);

/*
 * As the public calls; @r is what auv__await_begin() returned. @serving->release_arg is called in any case,
 * at the latest when the server is closed or goes.
 */
int auv__await_create_server(int r, struct auv__task *task, const struct auv__serving *serving,
                             const char *host, int port, const auv_server_options *options,
                             auv_server **ret_server);
int auv__await_create_unix_server(int r, struct auv__task *task, const struct auv__serving *serving,
                                  const char *path, const auv_server_options *options,
                                  auv_server **ret_server);

/* Makes the protocol of a connection. 0, or a negative error with its object. */
int auv__server_make_protocol(auv_server *server, auv_protocol *ret_protocol);

/* Closes a server that the program has not closed; in debug mode that is reported. */
void auv__server_forsake(auv_server *server);

/* A connection of the server's, and its end. */
void auv__server_attach(auv_server *server, auv_transport *transport);
void auv__server_detach(auv_server *server, auv_transport *transport);

/* listener.c: listens on a bound descriptor. 0 or a negative error without an object. */
int auv__listener_open(auv_server *server, int fd, struct auv__listener **ret_listener);

/* The descriptor may be closed then. */
void auv__listener_close(struct auv__listener *listener);

/* Whether an errno says that the system has no room for another descriptor. */
bool auv__is_shortage(int error);

#endif
