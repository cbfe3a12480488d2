/* SPDX-License-Identifier: MIT */
/*
 * chat-server - people in rooms, talking in lines
 *
 * Try it with `nc 127.0.0.1 PORT`, in several terminals.
 *
 * Each client has two tasks. One reads the client's lines, and puts what others are to see into their
 * queues. The other takes lines from the client's own queue, and sends them. So nobody who talks waits
 * for somebody who does not listen: a queue that is full means that its client is too slow, and the
 * client is dropped. What it has not read until then is bounded: the queue, the transport's buffer,
 * and the system's.
 *
 * There is no lock anywhere: a task is interrupted only where it awaits, and say() does not.
 */

#include "service.h"

#include <ctype.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
        MAX_NAME = 20,    /* bytes of a nickname or of a room's name */
        MAX_LINE = 1024,  /* bytes of a line that somebody says */
        MAX_QUEUED = 256, /* lines that wait for a client before it counts as slow */
        FAREWELL_TIME = 5 /* seconds that a client who leaves has for reading its last lines */
};

struct room {
        char name[MAX_NAME + 1];
        struct member *members;
        struct room *next;
};

struct member {
        char nick[MAX_NAME + 1];
        struct client *client;
        auv_queue *lines; /* to send; each ends with "\n", and is freed by its destructor */
        bool leaving;
        struct room *room;
        struct member *next; /* in the room */
};

static struct room *rooms;
static unsigned int n_guests;

/* Too slow, or no memory: what has been said cannot be kept for this member. */
static void drop(struct member *member)
{
        printf("%s is dropped\n", member->nick);
        member->leaving = true;
        auv_queue_shutdown(member->lines, /* immediate= */ true);
        auv_transport_abort(auv_stream_transport(member->client->writer));
}

/* Lets a member see a line. Does not wait. */
__attribute__((format(printf, 2, 3))) static void say(struct member *to, const char *format, ...)
{
        va_list arguments;
        char *line;
        int r;

        if (to->leaving)
                return;
        va_start(arguments, format);
        r = vasprintf(&line, format, arguments);
        va_end(arguments);
        if (r < 0) {
                drop(to);
                return;
        }
        if (auv_queue_put_nowait(to->lines, (auv_value) { .p = line, .destroy = free }) < 0) {
                free(line);
                drop(to);
        }
}

/* Lets everybody in the member's room see something, but not the member. */
static void say_to_room(struct member *from, const char *before, const char *text, size_t size)
{
        for (struct member *to = from->room->members; to; to = to->next)
                if (to != from)
                        say(to, "%s%s%.*s\n", before, from->nick, (int)size, text);
}

/* What is in the queue is still sent, then the connection is closed. */
static void leave_server(struct member *member, const char *farewell)
{
        say(member, "* %s\n", farewell);
        member->leaving = true;
        auv_queue_shutdown(member->lines, /* immediate= */ false);
}

static struct room *room_get(const char *name)
{
        struct room *room;

        for (room = rooms; room; room = room->next)
                if (!strcmp(room->name, name))
                        return room;
        room = calloc(1, sizeof(*room));
        if (!room)
                return NULL;
        snprintf(room->name, sizeof(room->name), "%s", name);
        room->next = rooms;
        rooms = room;
        return room;
}

static void room_leave(struct member *member, const char *how)
{
        struct room *room = member->room;
        struct member **link;
        struct room **room_link;

        if (!room)
                return;
        say_to_room(member, "* ", how, strlen(how));
        for (link = &room->members; *link != member; link = &(*link)->next)
                ;
        *link = member->next;
        member->room = NULL;
        if (room->members)
                return;

        for (room_link = &rooms; *room_link != room; room_link = &(*room_link)->next)
                ;
        *room_link = room->next;
        free(room);
}

static void room_enter(struct member *member, const char *name)
{
        struct room *room = room_get(name);

        if (!room) {
                leave_server(member, "there is no memory for another room");
                return;
        }
        if (room == member->room) {
                say(member, "* you are in %s\n", name);
                return;
        }
        room_leave(member, " has left");
        member->room = room;
        member->next = room->members;
        room->members = member;
        say(member, "* you are in %s\n", name);
        say_to_room(member, "* ", " has come", strlen(" has come"));
}

/* Letters, digits, "-" and "_". */
static bool is_name(const char *text)
{
        size_t length = 0;

        while (isalnum((unsigned char)text[length]) || text[length] == '-' || text[length] == '_')
                length++;
        return length > 0 && length <= MAX_NAME && !text[length];
}

static bool is_nick_taken(const char *nick)
{
        for (struct room *room = rooms; room; room = room->next)
                for (struct member *member = room->members; member; member = member->next)
                        if (!strcmp(member->nick, nick))
                                return true;
        return false;
}

static void change_nick(struct member *member, const char *nick)
{
        char how[MAX_NAME + 32];

        if (!is_name(nick)) {
                say(member, "* a name has letters, digits, - and _, %d at most\n", MAX_NAME);
                return;
        }
        if (is_nick_taken(nick)) {
                say(member, "* the name is taken\n");
                return;
        }
        snprintf(how, sizeof(how), " is now %s", nick);
        say_to_room(member, "* ", how, strlen(how));
        snprintf(member->nick, sizeof(member->nick), "%s", nick);
        say(member, "* you are now %s\n", nick);
}

static void show_members(struct member *member)
{
        for (struct room *room = rooms; room; room = room->next)
                for (struct member *other = room->members; other; other = other->next)
                        say(member, "* %s: %s\n", room->name, other->nick);
}

static void do_command(struct member *member, char *command)
{
        char *argument = strchr(command, ' ');

        if (argument)
                *argument++ = '\0';
        else
                argument = "";

        if (!strcmp(command, "/nick"))
                change_nick(member, argument);
        else if (!strcmp(command, "/join") && is_name(argument))
                room_enter(member, argument);
        else if (!strcmp(command, "/who"))
                show_members(member);
        else if (!strcmp(command, "/quit"))
                leave_server(member, "goodbye");
        else
                say(member, "* /nick NAME, /join ROOM, /who, /quit\n");
}

/* A line as it came, without its end. Control characters would do things to other people's terminals. */
static void do_line(struct member *member, const char *line, size_t size)
{
        char text[MAX_LINE + 1];

        for (size_t i = 0; i < size; i++)
                text[i] = (unsigned char)line[i] < ' ' || line[i] == 0x7f ? '?' : line[i];
        text[size] = '\0';

        if (text[0] == '/')
                do_command(member, text);
        else if (size > 0) {
                char said[MAX_LINE + 3];

                say_to_room(member, "", said, (size_t)snprintf(said, sizeof(said), ": %s", text));
        }
}

static int await_lines(struct member *member)
{
        const char *line;
        size_t size;
        int r;

        while (!member->leaving) {
                r = auv_await_stream_readline(member->client->reader, &line, &size);
                if (r == AUV_EINVAL) {
                        leave_server(member, "the line is too long");
                        return 0;
                }
                AUV_TRY(r);
                if (size == 0) /* the client has ended what it sends */
                        return 0;
                while (size > 0 && (line[size - 1] == '\n' || line[size - 1] == '\r'))
                        size--;
                do_line(member, line, size);
                /* Those who listen get a turn after each line: many lines may come in at once, and
                 * reading the next does not wait then. */
                AUV_TRY(auv_await_sleep(0));
        }
        return 0;
}

/* The task that sends. It ends when the queue has been shut down and is empty. */
static int send_lines(void *arg, auv_value *ret)
{
        struct member *member = arg;
        auv_value line;
        int r;

        for (;;) {
                r = auv_await_queue_get(member->lines, &line);
                if (r == AUV_EQUEUESHUTDOWN)
                        break;
                AUV_TRY(r);
                r = auv_stream_write(member->client->writer, line.p, strlen(line.s));
                line.destroy(line.p);
                if (r >= 0)
                        r = auv_await_stream_drain(member->client->writer);
                AUV_TRY(r);
        }
        auv_stream_close(member->client->writer);
        return 0;
}

static int serve(struct client *client)
{
        AUV_AUTO auv_queue *lines = auv_queue_new(MAX_QUEUED);
        struct member member = { .client = client, .lines = lines };
        AUV_AUTO auv_task *sender = NULL;
        int sent, r;

        if (!lines)
                return AUV_ENOMEM;
        client->user = &member;
        snprintf(member.nick, sizeof(member.nick), "guest-%u", ++n_guests);
        sender = auv_create_task(send_lines, &member, 0);
        if (!sender)
                return AUV_ENOMEM;

        say(&member, "* you are %s; /nick NAME, /join ROOM, /who, /quit\n", member.nick);
        room_enter(&member, "lobby");
        r = await_lines(&member);

        /* Whatever became of the client, the sender is over before this function is: it uses `member`. */
        room_leave(&member, " has gone");
        leave_server(&member, "goodbye");
        if (r < 0)
                auv_task_cancel(sender, "the client has gone");
        sent = auv_await_wait_for(sender, FAREWELL_TIME, /* ret= */ NULL);
        if (!auv_future_done(sender)) { /* there was no memory for the time limit */
                auv_task_cancel(sender, "there is no memory");
                auv_await(sender, /* ret= */ NULL);
        }
        return sent < 0 ? sent : r;
}

static void stop(struct client *client)
{
        leave_server(client->user, "the server stops");
}

int main(int argc, char **argv)
{
        struct service service = { .serve = serve, .stop = stop, .grace = FAREWELL_TIME, .limit = MAX_LINE };

        if (!service_parse(&service, argc, argv, "p:") || optind != argc) {
                fprintf(stderr, "usage: %s [-p PORT]\n", argv[0]);
                return 2;
        }
        return service_run(&service);
}
