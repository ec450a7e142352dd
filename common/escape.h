#pragma once

#include "common/macro.h"

/* Terminal control sequences (ECMA-48) in a stream of bytes that comes in pieces: which bytes are
 * text, and which belong to a sequence.
 *
 * None is believed beyond what a terminal would: CAN and SUB end it, as does ESC, which begins the
 * next one; the bytes of CSI and the short ones are ASCII without control characters. No sequence
 * goes beyond the end of a line, unlike a terminal's: one that nobody ends hides the rest of its
 * line alone. Strings may have bytes of any sort in them, so that 0x9c ends one only where it is no
 * continuation byte of a UTF-8 character; U+009C, as the two bytes 0xc2 0x9c, ends it as well. The
 * one-byte introducers of C1 (0x9b and others) are taken for text: in UTF-8 they are none. */

#define ESCAPE_MAX 256 /* bytes of a sequence that are kept; of a longer one none is reported */

typedef enum EscapeKind {
    ESCAPE_CSI,    /* ESC [ … final byte */
    ESCAPE_OSC,    /* ESC ] … BEL, ESC \ or 0x9c */
    ESCAPE_STRING, /* DCS, SOS, PM, APC, ended likewise */
    ESCAPE_OTHER,  /* ESC and what follows it */
} EscapeKind;

typedef enum EscapeStep {
    ESCAPE_TEXT,   /* the byte is no part of a sequence; it may be a control character */
    ESCAPE_INSIDE, /* it is, and there is more to come */
    ESCAPE_END,    /* it is the last one: see kind and bytes, until the next call */
    ESCAPE_BROKEN, /* the sequence was given up before this byte, which is as ESCAPE_TEXT */
} EscapeStep;

/* All zero is one that has seen nothing. */
typedef struct EscapeParser {
    int state; /* 0: outside of a sequence; then only ESC is anything but ESCAPE_TEXT */
    EscapeKind kind;
    bool overlong;            /* more than ESCAPE_MAX bytes: they are not kept */
    unsigned char utf8_left;  /* continuation bytes to come, in a string */
    unsigned char utf8_first; /* the byte before them */
    size_t size; /* of the bytes so far, introducer included, terminator too at the end */
    char bytes[ESCAPE_MAX]; /* not NUL-terminated */
} EscapeParser;

EscapeStep escape_feed(EscapeParser *p, char c);

/* Forgets a sequence that has not ended: what comes next is text. */
void escape_reset(EscapeParser *p);
