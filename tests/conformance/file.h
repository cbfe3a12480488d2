/* SPDX-License-Identifier: MIT */
#ifndef CONFORMANCE_FILE_H
#define CONFORMANCE_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* A piece of a file's content. */
struct slice {
        const char *data;
        size_t length;
};

/* One scenario of a file, as it stands there; borrowed from the file. */
struct source {
        const char *path;
        unsigned line;      /* of the `scenario` line, the first being 1 */
        struct slice name;
        struct slice text;  /* without the lines `scenario` and `trace`, and without space at its end */
        struct slice whole; /* from `scenario` up to the next one or the end of the file */
        bool has_trace;
};

struct file {
        char *path;
        char *content;
        struct source *sources;
        size_t n_sources;
};

/* Returns 0, or -1 where it cannot be read, which has been said on standard error. */
int file_read(const char *path, struct file *ret_file);
void file_deinit(struct file *file);

/* The next line of *text, without its end; false where there is none. */
bool slice_next_line(struct slice *text, struct slice *ret_line);

/* The next word of *line; false where there is none. */
bool slice_next_word(struct slice *line, struct slice *ret_word);

bool slice_is(struct slice slice, const char *string);

#endif
