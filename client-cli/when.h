#pragma once

#include "client-cli/command.h"

/* Times, as people write and read them. */

/* Reads a time in the forms of systemd.time(7), "timestamps", by asking systemd-analyze(1). A time
 * of day alone that is past is that of tomorrow. Result in microseconds of CLOCK_REALTIME. 0,
 * EXIT_USAGE when it is none or past, or EXIT_FAILURE, after a message. option: that it was given
 * with, without the dashes. */
int when_parse(const Command *command, const char *option, const char *text, uint64_t *ret_usec);

/* The same of a time that is past; "10min" is so long ago, and a time of day alone that is to come
 * is that of yesterday. */
int when_parse_past(const Command *command, const char *option, const char *text,
                    uint64_t *ret_usec);

#define WHEN_MAX 40

/* Local time: "Sat 2026-11-21 18:00:00". */
char *format_when(char buf[WHEN_MAX], uint64_t usec);
/* What is left out can be told from now: "18:00", "tomorrow 09:00", "Tue 09:00", "2026-12-24
 * 09:00"; with seconds where it is less than an hour away. */
char *format_when_short(char buf[WHEN_MAX], uint64_t usec, uint64_t now_usec);
