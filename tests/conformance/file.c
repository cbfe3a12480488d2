/* SPDX-License-Identifier: MIT */

/*
 * Scenario file
 *
 * Scenarios one after the other, each headed `scenario NAME`; behind `trace` a trace may
 * stand, which is no part of the scenario. What stands before the first is ignored.
 */

#include "file.h"

#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char spaces[] = " \t\r\v\f\n";

static bool is_space(char c)
{
        return c && strchr(spaces, c);
}

bool slice_next_line(struct slice *text, struct slice *ret_line)
{
        const char *end;
        size_t length;

        if (!text->length)
                return false;
        end = memchr(text->data, '\n', text->length);
        length = end ? (size_t)(end - text->data) : text->length;
        *ret_line = (struct slice) { text->data, length };
        text->data += length + !!end;
        text->length -= length + !!end;
        return true;
}

bool slice_next_word(struct slice *line, struct slice *ret_word)
{
        const char *at = line->data, *const end = line->data + line->length;
        const char *start;

        while (at < end && is_space(*at))
                at++;
        start = at;
        while (at < end && !is_space(*at))
                at++;
        *ret_word = (struct slice) { start, (size_t)(at - start) };
        *line = (struct slice) { at, (size_t)(end - at) };
        return at > start;
}

bool slice_is(struct slice slice, const char *string)
{
        return slice.length == strlen(string) && !memcmp(slice.data, string, slice.length);
}

static void slice_trim_end(struct slice *slice)
{
        while (slice->length && is_space(slice->data[slice->length - 1]))
                slice->length--;
}

static int read_all(FILE *stream, struct text *ret_text)
{
        char buffer[8192];
        size_t n;

        while ((n = fread(buffer, 1, sizeof(buffer), stream)) > 0)
                text_add_bytes(ret_text, buffer, n);
        return ferror(stream) ? -1 : 0;
}

static struct source *file_add_source(struct file *file, const char *start, unsigned line, struct slice name)
{
        const size_t n = file->n_sources + 1;
        struct source *sources = realloc(file->sources, n * sizeof(*sources));

        if (!sources)
                abort();
        file->sources = sources;
        file->n_sources = n;
        sources[n - 1] = (struct source) {
                .path = file->path, .line = line, .name = name, .whole.data = start,
        };
        return &sources[n - 1];
}

static void source_end(struct source *source, const char *text_end, const char *end)
{
        source->whole.length = (size_t)(end - source->whole.data);
        source->text.length = (size_t)(text_end - source->text.data);
        slice_trim_end(&source->text);
}

static int file_split(struct file *file, struct slice rest)
{
        const char *const end = rest.data + rest.length;
        struct source *source = NULL;
        const char *text_end = NULL; /* once a trace has begun: what was before it */
        struct slice line, name, word;

        for (unsigned number = 1; slice_next_line(&rest, &line); number++) {
                const char *const start = line.data;

                if (!slice_next_word(&line, &word))
                        continue;
                if (slice_is(word, "scenario")) {
                        if (source)
                                source_end(source, text_end ? text_end : start, start);
                        if (!slice_next_word(&line, &name)) {
                                fprintf(stderr, "%s:%u: a scenario without a name\n", file->path, number);
                                return -1;
                        }
                        source = file_add_source(file, start, number, name);
                        source->text.data = rest.data;
                        text_end = NULL;
                } else if (slice_is(word, "trace") && source && !text_end) {
                        text_end = start;
                        source->has_trace = true;
                }
        }
        if (source)
                source_end(source, text_end ? text_end : end, end);
        return 0;
}

int file_read(const char *path, struct file *ret_file)
{
        FILE *stream = fopen(path, "r");
        struct text text = { 0 };
        int r;

        if (!stream || read_all(stream, &text) < 0) {
                fprintf(stderr, "%s: %s\n", path, strerror(errno));
                if (stream)
                        fclose(stream);
                text_deinit(&text);
                return -1;
        }
        fclose(stream);
        *ret_file = (struct file) { .path = must_copy(path, strlen(path)),
                                    .content = must_copy(text_string(&text), text.length) };
        r = file_split(ret_file, (struct slice) { ret_file->content, text.length });
        text_deinit(&text);
        if (r < 0)
                file_deinit(ret_file);
        return r;
}

void file_deinit(struct file *file)
{
        free(file->sources);
        free(file->content);
        free(file->path);
        *file = (struct file) { 0 };
}
