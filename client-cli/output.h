#pragma once

#include "common/macro.h"
#include "common/task-state.h"

/* What people see: errors, colours, times, and text that came from elsewhere. Output is UTF-8. */

/* "longrun: " and the text, on stderr. Control characters in it are dropped, but line feeds stay.
 * Gives EXIT_FAILURE. */
int print_error(const char *format, ...) _printf_(1, 2);

/* True when stdout is a terminal that knows escape sequences; with colour: and nobody has said
 * NO_COLOR. */
bool output_is_terminal(void);
bool output_has_colour(void);
/* Columns of the terminal on stdout, at least 20. */
size_t output_columns(void);

/* The last line on stdout has no end yet: it is drawn over and over. An error ends it first. */
void output_open_line(void);
void output_end_line(void);

/* Whether the locale has the characters of lines. */
bool output_is_utf8(void);

#define COLOUR_DIM "\x1b[2m"
#define COLOUR_BOLD "\x1b[1m"
#define COLOUR_OFF "\x1b[0m"

/* The escape sequence for a state, "" for a word that is none. */
const char *state_colour(const char *state);

/* D-Bus carries no text but UTF-8. 0, or EXIT_FAILURE after a message that says what is not. */
int text_check(const char *what, const char *text);

/* A copy on one line, fit for a terminal: text_clean(), and a tab becomes a space. Never NULL:
 * memory that is short ends the program. */
char *text_display(const char *s);
/* Columns that a text from text_display() takes. */
size_t text_columns(const char *s);
/* A copy of what fits into the columns, with "…" at the end when something was cut off. */
char *text_cut(const char *s, size_t columns);

#define TIME_MAX 32
/* "2026-01-31 23:59:59", local time, or "-" for 0. */
char *format_time(char buf[TIME_MAX], uint64_t usec);
/* "2026-01-31T23:59:59+01:00", as RFC 3339 has it: one word, or "-" for 0. */
char *format_stamp(char buf[TIME_MAX], uint64_t usec);

/* "      Name: value" on stdout; nothing when the value is "". */
void print_field(const char *name, const char *value);

/* Writes out what stdout holds. 0, or EXIT_FAILURE after a message. */
int output_flush(void);

/* malloc() and friends hardly ever fail; a program that only prints then gives up. */
void *must(void *p);
