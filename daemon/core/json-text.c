#include "daemon/core/json-text.h"

#include <ctype.h>
#include <errno.h>

#include "common/text.h"

typedef struct Scan {
    const char *at, *end;
    size_t n_values;
    unsigned depth;
    uint8_t is_object[(JSON_TEXT_DEPTH_MAX + 7) / 8]; /* a bit for each container that is open */
} Scan;

static char peek(const Scan *s) {
    return s->at < s->end ? *s->at : '\0';
}

static bool skip(Scan *s, char c) {
    if (peek(s) != c || s->at >= s->end)
        return false;
    s->at++;
    return true;
}

static void skip_blanks(Scan *s) {
    while (s->at < s->end && (*s->at == ' ' || *s->at == '\n' || *s->at == '\t' || *s->at == '\r'))
        s->at++;
}

/* ---- values without others in them ---- */

static bool skip_word(Scan *s, const char *word) {
    size_t n = strlen(word);

    if ((size_t)(s->end - s->at) < n || memcmp(s->at, word, n) != 0)
        return false;
    s->at += n;
    return true;
}

static bool skip_digits(Scan *s) {
    const char *begin = s->at;

    while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
        s->at++;
    return s->at > begin;
}

static bool skip_number(Scan *s) {
    skip(s, '-');
    if (!skip(s, '0') && !skip_digits(s))
        return false;
    if (skip(s, '.') && !skip_digits(s))
        return false;
    if (peek(s) != 'e' && peek(s) != 'E')
        return true;
    s->at++;
    if (peek(s) == '+' || peek(s) == '-')
        s->at++;
    return skip_digits(s);
}

/* Halves of surrogate pairs, of which some programs make a lone one, are let through: here they are
 * letters and digits. */
static bool skip_hex(Scan *s) {
    for (int i = 0; i < 4; i++, s->at++)
        if (s->at >= s->end || !isxdigit((unsigned char)*s->at))
            return false;
    return true;
}

static bool skip_escape(Scan *s) {
    char c = peek(s);

    s->at++;
    if (c == 'u')
        return skip_hex(s);
    return c != '\0' && strchr("\"\\/bfnrt", c);
}

/* Behind the first quote. */
static bool skip_string(Scan *s) {
    while (s->at < s->end) {
        unsigned char c = (unsigned char)*s->at;
        size_t n = 1;

        if (c == '"') {
            s->at++;
            return true;
        }
        if (c < 0x20)
            return false;
        if (c >= 0x80)
            n = utf8_size(s->at, (size_t)(s->end - s->at));
        if (n == 0)
            return false;
        s->at += n;
        if (c == '\\' && !skip_escape(s))
            return false;
    }
    return false;
}

static bool skip_scalar(Scan *s) {
    switch (peek(s)) {
    case '"':
        s->at++;
        return skip_string(s);
    case 't':
        return skip_word(s, "true");
    case 'f':
        return skip_word(s, "false");
    case 'n':
        return skip_word(s, "null");
    default:
        return skip_number(s);
    }
}

/* ---- containers ---- */

static bool in_object(const Scan *s) {
    unsigned i = s->depth - 1;
    return s->is_object[i / 8] >> i % 8 & 1;
}

static bool skip_name(Scan *s) {
    skip_blanks(s);
    if (!skip(s, '"') || !skip_string(s))
        return false;
    skip_blanks(s);
    return skip(s, ':');
}

/* Opens one. 1: its first value is next; 0: it is closed already, for it was empty. */
static int open_container(Scan *s, bool is_object) {
    unsigned i = s->depth;

    if (i >= JSON_TEXT_DEPTH_MAX)
        return -E2BIG;
    s->at++;
    skip_blanks(s);
    if (skip(s, is_object ? '}' : ']'))
        return 0;
    s->depth++;
    s->is_object[i / 8] &= (uint8_t) ~(1 << i % 8);
    s->is_object[i / 8] |= (uint8_t)(is_object << i % 8);
    return !is_object || skip_name(s) ? 1 : -EBADMSG;
}

/* Behind a value. 1: another one is next; 0: all is read. */
static int close_containers(Scan *s) {
    while (s->depth > 0) {
        skip_blanks(s);
        if (skip(s, ','))
            return !in_object(s) || skip_name(s) ? 1 : -EBADMSG;
        if (!skip(s, in_object(s) ? '}' : ']'))
            return -EBADMSG;
        s->depth--;
    }
    return 0;
}

/* 1: another value is next; 0: all is read. */
static int skip_value(Scan *s) {
    int r;

    skip_blanks(s);
    s->n_values++;
    if (peek(s) == '{' || peek(s) == '[') {
        r = open_container(s, peek(s) == '{');
        if (r != 0)
            return r;
    } else if (!skip_scalar(s))
        return -EBADMSG;
    return close_containers(s);
}

int json_text_check(const char *text, size_t size, size_t *ret_values) {
    Scan s = {.at = text, .end = text + size};
    int r;

    do
        r = skip_value(&s);
    while (r > 0);
    if (r < 0)
        return r;
    skip_blanks(&s);
    if (s.at < s.end)
        return -EBADMSG;
    if (ret_values)
        *ret_values = s.n_values;
    return 0;
}
