#pragma once

#include "common/macro.h"

/* Terminal control sequences (ECMA-48) in a stream of bytes that comes in pieces: which bytes are
 * text, and which belong to a sequence. */

#define ESCAPE_MAX 256 /* bytes of a sequence that are kept; of a longer one none is reported */

typedef enum EscapeKind {
    ESCAPE_CSI,    /* ESC [ … final byte */
    ESCAPE_OSC,    /* ESC ] … BEL, ESC \ or 0x9c */
    ESCAPE_STRING, /* DCS, SOS, PM, APC, ended likewise */
    ESCAPE_OTHER,  /* ESC and what follows it */
} EscapeKind;

typedef enum EscapeStep {
    ESCAPE_TEXT,   /* the byte is no part of a sequence */
    ESCAPE_INSIDE, /* it is, and there is more to come */
    ESCAPE_END,    /* it is the last one: see kind and bytes */
    ESCAPE_BROKEN, /* the sequence was given up before this byte, which is text (or ESC again) */
} EscapeStep;

/* All zero is one that has seen nothing. */
typedef struct EscapeParser {
    int state;
    EscapeKind kind;
    bool overlong; /* more than ESCAPE_MAX bytes: they are not kept */
    size_t size;   /* of the bytes so far, introducer included, terminator too at the end */
    char bytes[ESCAPE_MAX]; /* not NUL-terminated */
} EscapeParser;

EscapeStep escape_feed(EscapeParser *p, char c);

/* Forgets a sequence that has not ended: what comes next is text. */
void escape_reset(EscapeParser *p);
