/* SPDX-License-Identifier: MIT */

/* Pipes and terminals, of which transports are made. */

#include "io/connection.h"
#include "io/stream_transport.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Whether a descriptor does not block is kept with what was opened, which a program shares with its
 * shell and with its other standard descriptors. So a terminal is opened anew, and put in the place of the
 * one that was given. Where that is not possible, it is used as it is, as asyncio does; and so is the side
 * of a pseudoterminal that drives it, for to open that gives another pseudoterminal.
 */
static void open_terminal_anew(int fd)
{
        const int flags = fcntl(fd, F_GETFL), own_flags = fcntl(fd, F_GETFD);
        char path[32];
        int number, opened;

        if (flags < 0 || own_flags < 0 || ioctl(fd, TIOCGPTN, &number) == 0)
                return;
        snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
        opened = open(path, (flags & O_ACCMODE) | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
        if (opened < 0)
                return;
        (void)dup3(opened, fd, own_flags & FD_CLOEXEC ? O_CLOEXEC : 0);
        close(opened);
}

/* Of what kind a descriptor is; 0 or an error with its object. */
static int check(int fd, mode_t *ret_mode)
{
        struct stat status;

        if (fstat(fd, &status) < 0)
                return auv_raise(-errno, NULL);
        if (!S_ISFIFO(status.st_mode) && !S_ISSOCK(status.st_mode) && !S_ISCHR(status.st_mode))
                return auv_raise(AUV_EINVAL,
                                 "pipe transports are for pipes, sockets and character devices only");
        if (isatty(fd))
                open_terminal_anew(fd);
        *ret_mode = status.st_mode;
        return 0;
}

int auv_await_connect_read_pipe(auv_protocol_factory_fn factory, void *arg, int pipe,
                                auv_transport **ret_transport)
{
        struct auv__task *task;
        mode_t mode;
        int r = auv__await_begin(&task);

        if (r == 0)
                r = check(pipe, &mode);
        return auv__await_connection_if(r, task, &auv__read_pipe_kind, factory, arg, pipe, ret_transport);
}

int auv_await_connect_write_pipe(auv_protocol_factory_fn factory, void *arg, int pipe,
                                 auv_transport **ret_transport)
{
        struct auv__task *task;
        mode_t mode = 0;
        int r = auv__await_begin(&task);

        if (r == 0)
                r = check(pipe, &mode);
        /* That something can be read from a device does not mean that nobody reads what is written to it. */
        return auv__await_connection_if(r, task, S_ISCHR(mode) ? &auv__device_kind : &auv__write_pipe_kind,
                                        factory, arg, pipe, ret_transport);
}
