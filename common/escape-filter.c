#include "common/escape-filter.h"

#define ESC '\x1b'

typedef struct Out {
    char *data;
    size_t size;
} Out;

static void put(Out *out, char c) {
    out->data[out->size++] = c;
}

static void put_all(Out *out, const char *data, size_t size) {
    memcpy(out->data + out->size, data, size);
    out->size += size;
}

void escape_filter_init(EscapeFilter *f, EscapeFilterMode mode) {
    *f = (EscapeFilter){.mode = mode};
}

void escape_filter_cut(EscapeFilter *f) {
    escape_reset(&f->parser);
    f->utf8_left = 0;
    f->holds_c2 = false;
}

bool escape_filter_passes(const EscapeFilter *f, const char *data, size_t size) {
    return f->mode == ESCAPE_FILTER_RAW ||
           (f->mode == ESCAPE_FILTER_STRIP && f->parser.state == 0 && !memchr(data, ESC, size));
}

/* ---- sequences that a terminal may see ---- */

/* Parameters are digits with ; and : in between. Others make it another sequence with the same
 * final byte: "ESC [ > 4 ; 2 m" changes what keys send. */
static bool has_plain_parameters(const char *bytes, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (bytes[i] < '0' || bytes[i] > ';')
            return false;
    return true;
}

static bool turns_off(const char *parameters, size_t size) {
    return size == 0 || (size == 1 && parameters[0] == '0');
}

static void put_sequence(EscapeFilter *f, Out *out) {
    const EscapeParser *p = &f->parser;

    if (f->mode == ESCAPE_FILTER_STRIP || f->mode == ESCAPE_FILTER_DUMB || p->kind != ESCAPE_CSI ||
        p->overlong || p->size < 3 || !has_plain_parameters(p->bytes + 2, p->size - 3))
        return;
    char final = p->bytes[p->size - 1];
    if (final == 'm' && f->mode == ESCAPE_FILTER_COLOUR)
        f->coloured = !turns_off(p->bytes + 2, p->size - 3);
    else if (final != 'K')
        return;
    put_all(out, p->bytes, p->size);
}

/* ---- characters that a terminal may see ---- */

static void begin_character(EscapeFilter *f, unsigned char c, Out *out) {
    /* As in RFC 3629. What else looks like a first byte is none, and nothing goes on with it. */
    static const struct {
        unsigned char first, last, left, low, high;
    } forms[] = {
        {0xc2, 0xdf, 1, 0x80, 0xbf}, {0xe0, 0xe0, 2, 0xa0, 0xbf}, {0xe1, 0xec, 2, 0x80, 0xbf},
        {0xed, 0xed, 2, 0x80, 0x9f}, {0xee, 0xef, 2, 0x80, 0xbf}, {0xf0, 0xf0, 3, 0x90, 0xbf},
        {0xf1, 0xf3, 3, 0x80, 0xbf}, {0xf4, 0xf4, 3, 0x80, 0x8f},
    };

    for (size_t i = 0; i < ELEMENTSOF(forms); i++)
        if (c >= forms[i].first && c <= forms[i].last) {
            f->utf8_left = forms[i].left;
            f->utf8_low = forms[i].low;
            f->utf8_high = forms[i].high;
        }
    if (c == 0xc2)
        f->holds_c2 = true;
    else if (c >= 0xa0) /* below, a terminal may take it for a control of C1 */
        put(out, (char)c);
}

static void put_high(EscapeFilter *f, unsigned char c, Out *out) {
    bool held = f->holds_c2;

    f->holds_c2 = false;
    if (f->utf8_left == 0 || c < f->utf8_low || c > f->utf8_high) {
        f->utf8_left = 0;
        begin_character(f, c, out);
        return;
    }
    f->utf8_left--;
    f->utf8_low = 0x80;
    f->utf8_high = 0xbf;
    if (held && c < 0xa0) /* a control of C1 in UTF-8 */
        return;
    if (held)
        put(out, '\xc2');
    put(out, (char)c);
}

static void put_text(EscapeFilter *f, unsigned char c, Out *out) {
    if (f->mode == ESCAPE_FILTER_STRIP) {
        put(out, (char)c);
        return;
    }
    if (c >= 0x80) {
        put_high(f, c, out);
        return;
    }
    f->utf8_left = 0;
    f->holds_c2 = false;
    if ((c >= 0x20 && c != 0x7f) || c == '\n' || c == '\r' || c == '\t' || c == '\b')
        put(out, (char)c);
}

/* ---- all ---- */

/* Bytes that are shown as they are, outside of a sequence. */
static size_t plain_run(EscapeFilter *f, const char *data, size_t size) {
    size_t n = 0;

    if (f->mode == ESCAPE_FILTER_STRIP) {
        const char *escape = memchr(data, ESC, size);
        return escape ? (size_t)(escape - data) : size;
    }
    while (n < size && ((data[n] >= 0x20 && data[n] < 0x7f) || data[n] == '\n'))
        n++;
    if (n > 0) {
        f->utf8_left = 0;
        f->holds_c2 = false;
    }
    return n;
}

static void feed(EscapeFilter *f, char c, Out *out) {
    switch (escape_feed(&f->parser, c)) {
    case ESCAPE_TEXT:
    case ESCAPE_BROKEN:
        put_text(f, (unsigned char)c, out);
        break;
    case ESCAPE_INSIDE:
        f->utf8_left = 0;
        f->holds_c2 = false;
        break;
    case ESCAPE_END:
        put_sequence(f, out);
        break;
    }
}

size_t escape_filter(EscapeFilter *f, const char *data, size_t size, char *out_data) {
    Out out = {.data = out_data};

    if (f->mode == ESCAPE_FILTER_RAW) {
        put_all(&out, data, size);
        return out.size;
    }
    for (size_t i = 0; i < size;) {
        size_t n = f->parser.state == 0 ? plain_run(f, data + i, size - i) : 0;
        put_all(&out, data + i, n);
        i += n;
        if (i < size)
            feed(f, data[i++], &out);
    }
    return out.size;
}
