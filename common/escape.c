#include "common/escape.h"

#define ESC 0x1b
#define CAN 0x18
#define SUB 0x1a
#define ST 0x9c

enum {
    STATE_TEXT,
    STATE_ESC,        /* after ESC, and the intermediate bytes that may follow it */
    STATE_CSI,        /* after ESC [ */
    STATE_STRING,     /* after ESC ] and the others of its sort */
    STATE_STRING_ESC, /* after an ESC in there: either its end, or the next sequence */
};

static void keep(EscapeParser *p, unsigned char c) {
    if (p->size < ESCAPE_MAX)
        p->bytes[p->size++] = (char)c;
    else
        p->overlong = true;
}

static EscapeStep begin(EscapeParser *p) {
    p->state = STATE_ESC;
    p->kind = ESCAPE_OTHER;
    p->overlong = false;
    p->size = 0;
    keep(p, ESC);
    return ESCAPE_INSIDE;
}

static EscapeStep inside(EscapeParser *p, unsigned char c, int state) {
    keep(p, c);
    p->state = state;
    return ESCAPE_INSIDE;
}

static EscapeStep end(EscapeParser *p, unsigned char c) {
    keep(p, c);
    p->state = STATE_TEXT;
    return ESCAPE_END;
}

static EscapeStep give_up(EscapeParser *p) {
    p->state = STATE_TEXT;
    return ESCAPE_BROKEN;
}

static EscapeStep begin_string(EscapeParser *p, unsigned char c, EscapeKind kind) {
    p->kind = kind;
    p->utf8_left = 0;
    return inside(p, c, STATE_STRING);
}

static EscapeStep feed_after_esc(EscapeParser *p, unsigned char c) {
    if (p->size == 1)
        switch (c) {
        case '[':
            p->kind = ESCAPE_CSI;
            return inside(p, c, STATE_CSI);
        case ']':
            return begin_string(p, c, ESCAPE_OSC);
        case 'P':
        case 'X':
        case '^':
        case '_':
            return begin_string(p, c, ESCAPE_STRING);
        }
    if (c >= 0x20 && c <= 0x2f)
        return inside(p, c, STATE_ESC);
    return c >= 0x30 && c <= 0x7e ? end(p, c) : give_up(p);
}

static EscapeStep feed_csi(EscapeParser *p, unsigned char c) {
    if (c >= 0x20 && c <= 0x3f)
        return inside(p, c, STATE_CSI);
    return c >= 0x40 && c <= 0x7e ? end(p, c) : give_up(p);
}

/* Whether the byte goes on with a UTF-8 character. */
static bool is_continuation(EscapeParser *p, unsigned char c) {
    if ((c & 0xc0) == 0x80 && p->utf8_left > 0) {
        p->utf8_left--;
        return true;
    }
    p->utf8_left = c >= 0xc2 && c <= 0xdf   ? 1
                   : c >= 0xe0 && c <= 0xef ? 2
                   : c >= 0xf0 && c <= 0xf4 ? 3
                                            : 0;
    p->utf8_first = c;
    return false;
}

static EscapeStep feed_string(EscapeParser *p, unsigned char c) {
    bool continuation = is_continuation(p, c);

    if (c == '\a' || (c == ST && (!continuation || p->utf8_first == 0xc2)))
        return end(p, c);
    if (c == '\n' || c == '\r' || c == CAN || c == SUB)
        return give_up(p);
    return inside(p, c, STATE_STRING);
}

EscapeStep escape_feed(EscapeParser *p, char byte) {
    unsigned char c = (unsigned char)byte;

    if (c == ESC)
        return p->state == STATE_STRING ? inside(p, c, STATE_STRING_ESC) : begin(p);
    switch (p->state) {
    case STATE_ESC:
        return feed_after_esc(p, c);
    case STATE_CSI:
        return feed_csi(p, c);
    case STATE_STRING:
        return feed_string(p, c);
    case STATE_STRING_ESC:
        if (c == '\\')
            return end(p, c);
        begin(p);
        return feed_after_esc(p, c);
    default:
        return ESCAPE_TEXT;
    }
}

void escape_reset(EscapeParser *p) {
    p->state = STATE_TEXT;
}
