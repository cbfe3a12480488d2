/* SPDX-License-Identifier: MIT */
#include "pool.h"
#include "support/coroutine.h"
#include "support/failing_allocator.h"
#include "support/loop.h"
#include "support/reports.h"

#include <criterion/criterion.h>
#include <criterion/new/assert.h>

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

TestSuite(name, .init = pool_setup, .fini = loop_teardown);

struct question {
        const char *host;
        const char *service;
        const struct addrinfo *hints;
        struct addrinfo *found;
        int r;
};

static int asks(void *arg, auv_value *ret)
{
        struct question *question = arg;

        return question->r = auv_await_getaddrinfo(question->host, question->service, question->hints,
                                                   &question->found);
}

static const struct addrinfo stream = { .ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM };

/* Asks what is answered within the first turn, and so without a thread. */
static struct addrinfo *found_at_once(const char *host, const char *service, const struct addrinfo *hints)
{
        struct question question = { .host = host, .service = service, .hints = hints };
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, asks, &question, 0, NULL);

        loop_turn();
        cr_assert(auv_future_done(task), "%s", host);
        cr_assert(eq(int, auv_future_result(task, NULL), 0), "%s", host);
        return question.found;
}

static int port_of(const struct addrinfo *info)
{
        return info->ai_family == AF_INET ? ntohs(((struct sockaddr_in *)info->ai_addr)->sin_port)
                                          : ntohs(((struct sockaddr_in6 *)info->ai_addr)->sin6_port);
}

static void check_digits(const char *host, int family)
{
        struct addrinfo *found = found_at_once(host, "8080", &stream);
        char text[INET6_ADDRSTRLEN];
        const void *address;

        cr_assert(eq(ptr, found->ai_next, NULL));
        cr_assert(eq(int, found->ai_family, family));
        cr_assert(eq(int, found->ai_socktype, SOCK_STREAM));
        cr_assert(eq(int, found->ai_protocol, IPPROTO_TCP));
        cr_assert(eq(int, port_of(found), 8080));
        address = family == AF_INET ? (void *)&((struct sockaddr_in *)found->ai_addr)->sin_addr
                                    : (void *)&((struct sockaddr_in6 *)found->ai_addr)->sin6_addr;
        cr_assert(eq(str, (char *)inet_ntop(family, address, text, sizeof(text)), (char *)host));
        auv_freeaddrinfo(found);
}

Test(name, digits_take_no_thread)
{
        check_digits("127.0.0.1", AF_INET);
        check_digits("192.0.2.255", AF_INET);
        check_digits("::1", AF_INET6);
        check_digits("2001:db8::1", AF_INET6);
}

Test(name, nothing_takes_no_thread)
{
        const struct addrinfo passive = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE };
        struct addrinfo *found = found_at_once(NULL, "80", &passive);

        for (const struct addrinfo *info = found; info; info = info->ai_next)
                if (info->ai_family == AF_INET)
                        cr_assert(eq(u32, ((struct sockaddr_in *)info->ai_addr)->sin_addr.s_addr,
                                     INADDR_ANY));
        auv_freeaddrinfo(found);
        found = found_at_once(NULL, NULL, &stream);
        cr_assert(eq(int, port_of(found), 0));
        auv_freeaddrinfo(found);
        found = found_at_once("127.0.0.1", "", &stream);
        cr_assert(eq(int, port_of(found), 0));
        auv_freeaddrinfo(found);
}

Test(name, digits_of_any_kind_of_socket)
{
        struct addrinfo *found = found_at_once("127.0.0.1", "53", /* hints= */ NULL);
        int n = 0;

        for (const struct addrinfo *info = found; info; info = info->ai_next)
                n++;
        cr_assert(gt(int, n, 1));
        auv_freeaddrinfo(found);
}

Test(name, digits_of_the_other_family_are_unknown)
{
        const struct addrinfo six = { .ai_family = AF_INET6, .ai_socktype = SOCK_STREAM };
        struct question question = { .host = "127.0.0.1", .service = "1", .hints = &six };

        cr_assert(eq(int, loop_run(asks, &question, NULL), AUV_EAI_ADDRFAMILY));
        cr_assert(eq(ptr, question.found, NULL));
}

Test(name, finds_a_name)
{
        struct question question = { .host = "localhost", .service = "80", .hints = &stream };

        cr_assert(eq(int, loop_run(asks, &question, NULL), 0));
        cr_assert(eq(int, port_of(question.found), 80));
        auv_freeaddrinfo(question.found);
}

Test(name, finds_a_service)
{
        struct question question = { .host = "127.0.0.1", .service = "http", .hints = &stream };

        cr_assert(eq(int, loop_run(asks, &question, NULL), 0));
        cr_assert(eq(int, port_of(question.found), 80));
        auv_freeaddrinfo(question.found);
}

static void check_error(struct question *question, int code, const char *text)
{
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, asks, question, 0, NULL);
        auv_error *error = NULL;

        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), code));
        cr_assert(eq(int, auv_future_exception(task, &error), 0));
        cr_assert(eq(str, (char *)auv_error_message(error), (char *)text));
        cr_assert(eq(ptr, question->found, NULL));
}

Test(name, tells_what_is_unknown_in_the_words_of_the_resolver)
{
        struct question question = { .host = "127.0.0.1", .service = "no-such-service", .hints = &stream };

        check_error(&question, AUV_EAI_SERVICE, gai_strerror(EAI_SERVICE));
}

Test(name, refuses_hints_that_make_no_sense)
{
        const struct addrinfo nonsense = { .ai_family = 12345, .ai_socktype = SOCK_STREAM };
        struct question question = { .host = "127.0.0.1", .service = "1", .hints = &nonsense };

        check_error(&question, AUV_EAI_FAMILY, gai_strerror(EAI_FAMILY));
        question.host = "localhost";
        check_error(&question, AUV_EAI_FAMILY, gai_strerror(EAI_FAMILY));
}

static int holds_up_the_pool(void *arg, auv_value *ret)
{
        sem_post(&pool_begun);
        sem_wait(&pool_may_end);
        return 0;
}

/* A look-up that cannot begin before the thread of the pool is let go. */
static auv_task *start_behind_others(struct question *question, auv_coro_fn fn)
{
        auv_task *task;

        auv_unref(auv_loop_run_in_executor(loop, NULL, holds_up_the_pool, NULL, 0));
        sem_wait(&pool_begun);
        task = auv_loop_create_task(loop, fn, question, 0, NULL);
        loop_turns(2);
        cr_assert(not(auv_future_done(task)));
        return task;
}

Test(name, may_be_cancelled_before_it_has_begun)
{
        struct question question = { .host = "localhost", .service = "80", .hints = &stream };
        AUV_AUTO auv_task *task = start_behind_others(&question, asks);

        auv_future_cancel(task, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ECANCELED));
        cr_assert(eq(ptr, question.found, NULL));
        sem_post(&pool_may_end);
}

static void cancel_in_turn(int turn)
{
        struct question question = { .host = "localhost", .service = "80", .hints = &stream };
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, asks, &question, 0, NULL);
        int r;

        for (int i = 0; i < turn; i++)
                loop_turn();
        r = auv_future_cancel(task, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), r ? AUV_ECANCELED : 0));
        cr_assert(eq(int, r == 0, question.found != NULL));
        auv_freeaddrinfo(question.found);
}

/* In whatever state the thread is by then; what it finds too late is freed. */
Test(name, may_be_cancelled_in_every_turn)
{
        for (int turn = 0; turn < 40; turn++)
                cancel_in_turn(turn);
}

static int waits_for_a_thread(void *arg, auv_value *ret)
{
        return auv_await_to_thread(coro_nothing, NULL, 0, NULL);
}

/* The look-up has ended, as the pool has one thread, and the loop has not seen it yet. */
Test(name, may_be_cancelled_when_it_has_ended)
{
        struct question question = { .host = "localhost", .service = "80", .hints = &stream };
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, asks, &question, 0, NULL);
        AUV_AUTO auv_task *other = NULL;

        loop_turn();
        other = auv_loop_create_task(loop, waits_for_a_thread, NULL, 0, NULL);
        loop_turn();
        auv_unref(auv_loop_run_in_executor(loop, NULL, holds_up_the_pool, NULL, 0));
        sem_wait(&pool_begun);
        auv_future_cancel(task, NULL);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), AUV_ECANCELED));
        cr_assert(eq(ptr, question.found, NULL));
        sem_post(&pool_may_end);
        cr_assert(eq(int, auv_loop_run_until_complete(loop, other, NULL), 0));
}

Test(name, is_taken_down_with_its_loop)
{
        struct question question = { .host = "localhost", .service = "80", .hints = &stream };

        auv_unref(start_behind_others(&question, asks));
        sem_post(&pool_may_end);
        cr_assert(eq(int, auv_loop_close(loop), 0));
        cr_assert(eq(int, question.r, AUV_ECLOSED));
        cr_assert(gt(int, reports_drop(), 0));
}

struct address_question {
        struct sockaddr_in address;
        int flags;
        char host[NI_MAXHOST];
        char service[NI_MAXSERV];
        size_t host_size;
        size_t service_size;
};

static int asks_for_names(void *arg, auv_value *ret)
{
        struct address_question *question = arg;

        return auv_await_getnameinfo((struct sockaddr *)&question->address, question->flags,
                                     question->host_size ? question->host : NULL, question->host_size,
                                     question->service_size ? question->service : NULL,
                                     question->service_size);
}

static struct address_question loopback(int flags)
{
        return (struct address_question) { .address = { .sin_family = AF_INET,
                                                       .sin_port = htons(80),
                                                       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) },
                                          .flags = flags,
                                          .host_size = NI_MAXHOST,
                                          .service_size = NI_MAXSERV };
}

Test(name, names_in_digits_take_no_thread)
{
        struct address_question question = loopback(NI_NUMERICHOST | NI_NUMERICSERV);
        AUV_AUTO auv_task *task = auv_loop_create_task(loop, asks_for_names, &question, 0, NULL);

        loop_turn();
        cr_assert(auv_future_done(task));
        cr_assert(eq(str, question.host, "127.0.0.1"));
        cr_assert(eq(str, question.service, "80"));
}

Test(name, finds_the_names_of_an_address)
{
        struct address_question question = loopback(0);

        cr_assert(eq(int, loop_run(asks_for_names, &question, NULL), 0));
        cr_assert(ne(str, question.host, ""));
        cr_assert(eq(str, question.service, "http"));
}

Test(name, gives_one_name_where_the_other_is_not_asked_for)
{
        struct address_question question = loopback(NI_NUMERICHOST);

        question.host_size = 0;
        cr_assert(eq(int, loop_run(asks_for_names, &question, NULL), 0));
        cr_assert(eq(str, question.host, ""));
        cr_assert(eq(str, question.service, "http"));
        question = loopback(NI_NUMERICHOST);
        question.service_size = 0;
        cr_assert(eq(int, loop_run(asks_for_names, &question, NULL), 0));
        cr_assert(eq(str, question.host, "127.0.0.1"));
        cr_assert(eq(str, question.service, ""));
}

Test(name, writes_nothing_where_a_name_does_not_fit)
{
        struct address_question question = loopback(NI_NUMERICHOST | NI_NUMERICSERV);

        question.host_size = sizeof("127.0.0.1") - 1;
        cr_assert(eq(int, loop_run(asks_for_names, &question, NULL), AUV_EAI_OVERFLOW));
        question = loopback(NI_NUMERICHOST | NI_NUMERICSERV);
        question.service_size = sizeof("80") - 1;
        cr_assert(eq(int, loop_run(asks_for_names, &question, NULL), AUV_EAI_OVERFLOW));
        cr_assert(eq(str, question.host, ""));
        question.service_size = sizeof("80");
        cr_assert(eq(int, loop_run(asks_for_names, &question, NULL), 0));
}

Test(name, names_may_be_cancelled_in_every_turn)
{
        for (int turn = 0; turn < 20; turn++) {
                struct address_question question = loopback(0);
                AUV_AUTO auv_task *task = auv_loop_create_task(loop, asks_for_names, &question, 0, NULL);
                int r;

                for (int i = 0; i < turn; i++)
                        loop_turn();
                r = auv_future_cancel(task, NULL);
                cr_assert(eq(int, auv_loop_run_until_complete(loop, task, NULL), r ? AUV_ECANCELED : 0));
                cr_assert(eq(int, r == 0, question.host[0] != '\0'));
        }
}

static int gives_nonsense(void *arg, auv_value *ret)
{
        const struct sockaddr address = { .sa_family = AF_UNIX };
        struct addrinfo *found;
        char host[NI_MAXHOST];

        cr_assert(eq(int, auv_await_getaddrinfo("localhost", "80", NULL, NULL), AUV_EINVAL));
        cr_assert(eq(int, auv_await_getnameinfo(NULL, 0, host, sizeof(host), NULL, 0), AUV_EINVAL));
        cr_assert(eq(int, auv_await_getnameinfo(&address, 0, host, sizeof(host), NULL, 0), AUV_EINVAL));
        cr_assert(lt(int, auv_await_getaddrinfo("", "80", NULL, &found), 0));
        auv_freeaddrinfo(NULL);
        return 0;
}

Test(name, refuses_nonsense)
{
        struct addrinfo *found;

        cr_assert(eq(int, loop_run(gives_nonsense, NULL, NULL), 0));
        cr_assert(eq(int, auv_await_getaddrinfo("127.0.0.1", "80", NULL, &found), AUV_ENOTASK));
        cr_assert(eq(int, auv_await_getnameinfo(NULL, 0, NULL, 0, NULL, 0), AUV_ENOTASK));
}

/* A host as long as the resolver's thread would have to be told of. */
Test(name, refuses_a_name_that_is_too_long)
{
        char host[1000];
        struct question question = { .host = host, .service = "80", .hints = &stream };

        memset(host, 'x', sizeof(host) - 1);
        host[sizeof(host) - 1] = '\0';
        cr_assert(lt(int, loop_run(asks, &question, NULL), 0));
        cr_assert(eq(ptr, question.found, NULL));
}

static int asks_both_ways(void *arg, auv_value *ret)
{
        struct question question = { .host = "localhost", .service = "80", .hints = &stream };
        struct address_question names = loopback(NI_NUMERICHOST);

        AUV_TRY(asks(&question, NULL));
        auv_freeaddrinfo(question.found);
        return asks_for_names(&names, NULL);
}

static void look_up_both_ways(void)
{
        loop_run_apart(asks_both_ways, NULL);
}

Test(name, fails_cleanly_without_memory)
{
        cr_assert(gt(int, (int)failing_allocator_sweep(look_up_both_ways), 2));
}
