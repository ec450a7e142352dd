#include "daemon/core/json-scan.h"

#include <errno.h>

/* Containers in containers. */
#define DEPTH_MAX 32

/* ---- checks: each gives what follows, or NULL when it is not what it should be ---- */

static char *skip_space(char *p) {
    while (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r')
        p++;
    return p;
}

static int hex_digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The four digits behind \u; -1 when they are none. */
static int unit_at(const char *p) {
    int unit = 0;

    for (int i = 0; i < 4; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

/* A character of \uXXXX, or two of them. p is behind the u. */
static char *read_unicode(char *p, uint32_t *ret) {
    int high = unit_at(p), low;

    if (high <= 0 || (high >= 0xdc00 && high <= 0xdfff))
        return NULL;
    *ret = (uint32_t)high;
    if (high < 0xd800 || high > 0xdbff)
        return p + 4;
    if (p[4] != '\\' || p[5] != 'u')
        return NULL;
    low = unit_at(p + 6);
    if (low < 0xdc00 || low > 0xdfff)
        return NULL;
    *ret = 0x10000 + (((uint32_t)high - 0xd800) << 10 | ((uint32_t)low - 0xdc00));
    return p + 10;
}

/* p is behind the quote. */
static char *skip_string(char *p) {
    uint32_t c;

    while (p && *p != '"') {
        if (!*p)
            return NULL;
        if (*p++ != '\\')
            continue;
        if (*p == 'u')
            p = read_unicode(p + 1, &c);
        else if (*p && strchr("\"\\/bfnrt", *p))
            p++;
        else
            return NULL;
    }
    return p ? p + 1 : NULL;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

static char *skip_number(char *p) {
    char *digits = p + (*p == '-');

    for (p = digits; is_digit(*p);)
        p++;
    if (p == digits)
        return NULL;
    while (is_digit(*p) || *p == '.' || *p == '+' || *p == '-' || *p == 'e' || *p == 'E')
        p++;
    return p;
}

static char *skip_word(char *p, const char *word) {
    size_t n = strlen(word);

    return strncmp(p, word, n) == 0 ? p + n : NULL;
}

static char *skip_value(char *p, unsigned depth);

/* p is behind the bracket. */
static char *skip_container(char *p, char end, unsigned depth) {
    p = skip_space(p);
    if (*p == end)
        return p + 1;
    while (p) {
        if (end == '}') {
            p = *p == '"' ? skip_string(p + 1) : NULL;
            p = p ? skip_space(p) : NULL;
            p = p && *p == ':' ? skip_space(p + 1) : NULL;
        }
        p = p ? skip_value(p, depth + 1) : NULL;
        p = p ? skip_space(p) : NULL;
        if (!p || *p == end)
            return p ? p + 1 : NULL;
        p = *p == ',' ? skip_space(p + 1) : NULL;
    }
    return NULL;
}

static char *skip_value(char *p, unsigned depth) {
    if (depth > DEPTH_MAX)
        return NULL;
    switch (*p) {
    case '"':
        return skip_string(p + 1);
    case '[':
        return skip_container(p + 1, ']', depth);
    case '{':
        return skip_container(p + 1, '}', depth);
    case 't':
        return skip_word(p, "true");
    case 'f':
        return skip_word(p, "false");
    case 'n':
        return skip_word(p, "null");
    default:
        return skip_number(p);
    }
}

/* ---- values, of what was checked: each gives what follows ---- */

static char *put_unicode(char *to, uint32_t c) {
    if (c < 0x80) {
        *to++ = (char)c;
        return to;
    }
    if (c < 0x800) {
        *to++ = (char)(0xc0 | c >> 6);
    } else {
        if (c < 0x10000) {
            *to++ = (char)(0xe0 | c >> 12);
        } else {
            *to++ = (char)(0xf0 | c >> 18);
            *to++ = (char)(0x80 | (c >> 12 & 0x3f));
        }
        *to++ = (char)(0x80 | (c >> 6 & 0x3f));
    }
    *to++ = (char)(0x80 | (c & 0x3f));
    return to;
}

static char *take_escape(char *p, char **to) {
    static const char letters[] = "bfnrt", meant[] = "\b\f\n\r\t";
    uint32_t c;

    if (*p == 'u') {
        p = read_unicode(p + 1, &c);
        *to = put_unicode(*to, c);
        return p;
    }
    const char *letter = strchr(letters, *p);
    *(*to)++ = letter ? meant[letter - letters] : *p;
    return p + 1;
}

/* Never longer than it is written. p is behind the quote. */
static char *take_string(char *p, char **ret) {
    char *to = p;

    *ret = p;
    while (*to != '"' && *to != '\\')
        to++;
    for (p = to; *p != '"';) {
        if (*p == '\\')
            p = take_escape(p + 1, &to);
        else
            *to++ = *p++;
    }
    *to = '\0';
    return p + 1;
}

static char *take_number(char *p, JsonValue *ret) {
    char *end = skip_number(p);

    *ret = (JsonValue){.type = JSON_NUMBER, .is_negative = *p == '-', .text = p};
    for (p += ret->is_negative; p < end; p++)
        if (!is_digit(*p) || __builtin_mul_overflow(ret->number, UINT64_C(10), &ret->number) ||
            __builtin_add_overflow(ret->number, (uint64_t)(*p - '0'), &ret->number))
            ret->type = JSON_OTHER_NUMBER;
    return end;
}

static char *take_value(char *p, JsonValue *ret) {
    switch (*p) {
    case '"':
        *ret = (JsonValue){.type = JSON_STRING};
        return take_string(p + 1, &ret->text);
    case '[':
    case '{':
        *ret = (JsonValue){.type = *p == '[' ? JSON_ARRAY : JSON_OBJECT, .text = p + 1};
        return skip_value(p, 0);
    case 't':
    case 'f':
        *ret = (JsonValue){.type = JSON_BOOL, .number = *p == 't'};
        return skip_value(p, 0);
    case 'n':
        *ret = (JsonValue){.type = JSON_NULL};
        return skip_value(p, 0);
    default:
        return take_number(p, ret);
    }
}

/* ---- the face ---- */

int json_scan(char *text, JsonValue *ret) {
    char *begin = skip_space(text), *end = skip_value(begin, 0);

    if (!end || *skip_space(end))
        return -EBADMSG;
    take_value(begin, ret);
    return 0;
}

JsonWalk json_walk(const JsonValue *container) {
    return (JsonWalk){.at = skip_space(container->text),
                      .has_names = container->type == JSON_OBJECT};
}

static bool is_end(const JsonWalk *w) {
    return *w->at == ']' || *w->at == '}';
}

/* Behind the value: to the next one, or to the end. */
static void go_on(JsonWalk *w, char *behind) {
    w->at = skip_space(behind);
    if (*w->at == ',')
        w->at = skip_space(w->at + 1);
}

bool json_next(JsonWalk *w, char **ret_name, JsonValue *ret) {
    char *p = w->at;

    if (is_end(w))
        return false;
    if (w->has_names) {
        p = skip_space(take_string(p + 1, ret_name));
        p = skip_space(p + 1); /* the colon */
    }
    go_on(w, take_value(p, ret));
    return true;
}

size_t json_count(const JsonValue *container) {
    JsonWalk w = json_walk(container);
    size_t n = 0;

    for (; !is_end(&w); n++) {
        char *p = w.at;
        if (w.has_names)
            p = skip_space(skip_space(skip_string(p + 1)) + 1);
        go_on(&w, skip_value(p, 0));
    }
    return n;
}
