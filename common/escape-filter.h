#pragma once

#include "common/escape.h"

/* What of a program's output is shown to somebody: terminal control sequences are left out, all or
 * all but the harmless ones. Output comes in pieces, cut anywhere. */

typedef enum EscapeFilterMode {
    ESCAPE_FILTER_RAW,   /* every byte as it is */
    ESCAPE_FILTER_STRIP, /* no sequences; every other byte as it is, for pipes and files */
    /* For a terminal. Of control characters only tab, backspace and those that end lines; of
     * sequences "erase in line" (EL), and colours (SGR): nothing that moves the cursor elsewhere,
     * changes a mode, writes to a clipboard or makes the terminal answer. */
    ESCAPE_FILTER_COLOUR,
    ESCAPE_FILTER_PLAIN, /* the same without colours */
    ESCAPE_FILTER_DUMB,  /* the same without any sequence */
} EscapeFilterMode;

typedef struct EscapeFilter {
    EscapeFilterMode mode;
    EscapeParser parser;
    bool coloured; /* a colour that was let through is still on */
    /* Of a UTF-8 character, for a terminal: continuation bytes to come, and what the next one may
     * be. */
    unsigned char utf8_left, utf8_low, utf8_high;
    bool holds_c2; /* a first byte that was not handed on yet: the second says what it is */
} EscapeFilter;

/* What a piece may grow by: the beginning of a sequence that lies in the pieces before. */
#define ESCAPE_FILTER_MORE (ESCAPE_MAX + 1)

void escape_filter_init(EscapeFilter *f, EscapeFilterMode mode);

/* True when all of the piece can be shown as it is: it need not be copied then. */
bool escape_filter_passes(const EscapeFilter *f, const char *data, size_t size);

/* Copies what is to be shown to out, which has room for size + ESCAPE_FILTER_MORE. Gives how much
 * that is. */
size_t escape_filter(EscapeFilter *f, const char *data, size_t size, char *out);

/* Forgets a sequence that has not ended: what comes next is text. */
void escape_filter_cut(EscapeFilter *f);
