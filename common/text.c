#include "common/text.h"

#include "common/cleanup.h"
#include "common/escape.h"

#define ELLIPSIS "\xe2\x80\xa6"
#define REPLACEMENT "\xef\xbf\xbd"

/* U+FDD0 to U+FDEF, and the last two of each plane: no characters, and sd-bus sends no string with
 * one in it. */
static bool is_noncharacter(const unsigned char *s, size_t length) {
    if (length == 3)
        return s[0] == 0xef &&
               ((s[1] == 0xb7 && s[2] >= 0x90 && s[2] <= 0xaf) || (s[1] == 0xbf && s[2] >= 0xbe));
    return length == 4 && (s[1] & 0x0f) == 0x0f && s[2] == 0xbf && s[3] >= 0xbe;
}

/* Length of the well-formed UTF-8 sequence at s (RFC 3629: no overlong forms, no surrogates) of a
 * character, 0 if none. */
static size_t utf8_sequence(const unsigned char *s, size_t size) {
    static const struct {
        unsigned char first, last, low, high; /* range of byte 1 and of byte 2 */
        size_t length;
    } forms[] = {
        {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };

    for (size_t i = 0; i < ELEMENTSOF(forms); i++) {
        if (s[0] < forms[i].first || s[0] > forms[i].last)
            continue;
        if (forms[i].length > size)
            return 0;
        if (forms[i].length > 1 && (s[1] < forms[i].low || s[1] > forms[i].high))
            return 0;
        for (size_t k = 2; k < forms[i].length; k++)
            if ((s[k] & 0xc0) != 0x80)
                return 0;
        return is_noncharacter(s, forms[i].length) ? 0 : forms[i].length;
    }
    return 0;
}

size_t utf8_size(const char *s, size_t size) {
    return size > 0 ? utf8_sequence((const unsigned char *)s, size) : 0;
}

bool utf8_is_valid(const char *s) {
    size_t size = strlen(s);

    while (size > 0) {
        size_t n = utf8_sequence((const unsigned char *)s, size);
        if (n == 0)
            return false;
        s += n;
        size -= n;
    }
    return true;
}

/* U+0080 to U+009F: a terminal takes U+009B for ESC [. */
static bool is_c1_control(const unsigned char *s) {
    return s[0] == 0xc2 && s[1] < 0xa0;
}

static bool in_sequence(EscapeParser *p, unsigned char c) {
    EscapeStep step = escape_feed(p, (char)c);

    return step == ESCAPE_INSIDE || step == ESCAPE_END;
}

char *text_clean(const char *data, size_t size, size_t max) {
    const unsigned char *s = (const unsigned char *)data;
    /* Three bytes for each at worst: U+FFFD in place of one. */
    size_t worst = MIN(size * 3, max + 4);
    _cleanup_free_ char *out = malloc(worst + sizeof(ELLIPSIS));
    size_t n = 0;
    EscapeParser escape;

    if (!out)
        return NULL;
    escape_reset(&escape);
    while (size > 0) {
        size_t used = 1, put = 0;
        const char *from = (const char *)s;

        if (in_sequence(&escape, *s))
            ;
        else if (*s < 0x80)
            put = (*s >= 0x20 && *s != 0x7f) || *s == '\t';
        else if ((used = utf8_sequence(s, size)) > 0)
            put = is_c1_control(s) ? 0 : used;
        else {
            used = 1;
            from = REPLACEMENT;
            put = strlen(REPLACEMENT);
        }
        if (n + put > max) {
            memcpy(out + n, ELLIPSIS, strlen(ELLIPSIS));
            n += strlen(ELLIPSIS);
            break;
        }
        memcpy(out + n, from, put);
        n += put;
        s += used;
        size -= used;
    }
    out[n] = '\0';
    return TAKE_PTR(out);
}
