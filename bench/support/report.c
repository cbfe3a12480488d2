/* SPDX-License-Identifier: MIT */

#include "support/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* "1234567" as "1,234,567". */
static const char *with_commas(size_t n, char *text, size_t size)
{
        char digits[32];
        const int length = snprintf(digits, sizeof(digits), "%zu", n);
        size_t end = 0;

        for (int i = 0; i < length && end + 2 < size; i++) {
                if (i > 0 && (length - i) % 3 == 0)
                        text[end++] = ',';
                text[end++] = digits[i];
        }
        text[end] = '\0';
        return text;
}

/* A value with its unit, in the unit in which it reads best. */
static const char *readable(const struct bench_metric *metric, char *text, size_t size)
{
        static const struct {
                const char *from, *to;
                double factor;
        } larger[] = {
                { "ns", "us", 1000 }, { "us", "ms", 1000 }, { "ms", "s", 1000 },
                { "bytes", "KiB", 1024 }, { "KiB", "MiB", 1024 },
                { "1/s", "k/s", 1000 }, { "k/s", "M/s", 1000 },
        };
        const char *unit = metric->unit;
        double value = metric->value;

        for (size_t i = 0; i < sizeof(larger) / sizeof(larger[0]); i++)
                if (strcmp(unit, larger[i].from) == 0 && fabs(value) >= 10 * larger[i].factor) {
                        value /= larger[i].factor;
                        unit = larger[i].to;
                }
        snprintf(text, size, "%.*f %s", fabs(value) < 100 && strcmp(unit, "fires") != 0 ? 2 : 0, value,
                 unit);
        return text;
}

/*
 * The name of a metric without the underscores and without its unit, which stands by the value;
 * and as wide as a column has to be for it.
 */
static int column(const char *name, char *title, size_t size)
{
        int length = snprintf(title, size, "%s", name);

        if (length > 3 && (strcmp(title + length - 3, "_ns") == 0 || strcmp(title + length - 3, "_us") == 0))
                length -= 3;
        title[length] = '\0';
        for (char *c = title; *c; c++)
                if (*c == '_')
                        *c = ' ';
        return length < 12 ? 12 : length;
}

static void print_titles(const struct bench_metric *metrics, size_t n_metrics)
{
        char title[64];

        printf("%-10s %10s", "form", "n");
        for (size_t i = 0; i < n_metrics; i++) {
                const int width = column(metrics[i].name, title, sizeof(title));

                printf("  %*s", width, title);
        }
        putchar('\n');
}

static void print_json(const struct bench_report *report, size_t n, const struct bench_metric *metric)
{
        printf("{\"workload\":\"%s\",\"peer\":\"asyncuv\",\"form\":\"%s\",\"n\":%zu,\"metric\":\"%s\","
               "\"value\":%.9g,\"unit\":\"%s\"}\n",
               report->workload, report->form, n, metric->name, metric->value, metric->unit);
}

void bench_report_row(const struct bench_report *report, size_t n, const struct bench_metric *metrics,
                      size_t n_metrics)
{
        char text[64];

        if (report->table && !report->begun)
                print_titles(metrics, n_metrics);
        if (report->table)
                printf("%-10s %10s", report->form, with_commas(n, text, sizeof(text)));
        for (size_t i = 0; i < n_metrics; i++)
                if (report->table) {
                        const int width = column(metrics[i].name, text, sizeof(text));

                        printf("  %*s", width, readable(&metrics[i], text, sizeof(text)));
                } else {
                        print_json(report, n, &metrics[i]);
                }
        if (report->table)
                putchar('\n');
        fflush(stdout);
}

void bench_report_line(const struct bench_report *report, size_t n, const struct bench_metric *metric)
{
        char count[32], title[64], value[64];

        if (report->table) {
                column(metric->name, title, sizeof(title));
                printf("%-10s %-24s %10s  %12s\n", report->form, title, with_commas(n, count, sizeof(count)),
                       readable(metric, value, sizeof(value)));
        } else {
                print_json(report, n, metric);
        }
        fflush(stdout);
}
