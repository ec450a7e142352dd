#include "daemon/http/messenger-text.h"

#include <stdlib.h>

#include "common/cleanup.h"
#include "common/text.h"

#define ELLIPSIS "\xe2\x80\xa6"
#define REPLACEMENT "\xef\xbf\xbd"

static bool is_control(const unsigned char *s) {
    return s[0] < 0x20 || s[0] == 0x7f || (s[0] == 0xc2 && s[1] >= 0x80 && s[1] < 0xa0);
}

/* ---- names ---- */

const char *messenger_name_problem(const char *name) {
    if (name[strspn(name, " ")] == '\0')
        return "is empty";
    if (strlen(name) > MESSENGER_NAME_MAX)
        return "is longer than 255 bytes";
    if (!utf8_is_valid(name))
        return "is not UTF-8";
    for (const char *p = name; *p; p++)
        if (is_control((const unsigned char *)p))
            return "has a control character in it";
    if (streq(name, ".") || streq(name, ".."))
        return "cannot be part of a URL";
    return NULL;
}

/* ---- what a message says ---- */

bool messenger_is_blank(const char *content) {
    return content[strspn(content, " \t\r\n\v\f")] == '\0';
}

/* Bytes of the next piece, and what stands for it. */
static size_t clean_piece(const char *s, size_t size, const char **ret, size_t *ret_size) {
    size_t n = (unsigned char)*s < 0x80 ? 1 : utf8_size(s, size);

    *ret = s;
    *ret_size = n;
    if (*s == '\r') {
        *ret = "\n";
        return 1 + (size > 1 && s[1] == '\n');
    }
    if (n > 0 && (*s == '\n' || *s == '\t' || !is_control((const unsigned char *)s)))
        return n;
    *ret = REPLACEMENT;
    *ret_size = strlen(REPLACEMENT);
    return MAX(n, 1U);
}

char *messenger_content_clean(const char *content) {
    size_t left = strlen(content), n = 0;
    /* Three bytes for each at worst. */
    char *out = malloc(MIN(left * 3, MESSENGER_CONTENT_MAX) + sizeof(ELLIPSIS));

    if (!out)
        return NULL;
    while (left > 0) {
        const char *piece;
        size_t size, used = clean_piece(content, left, &piece, &size);
        if (n + size > MESSENGER_CONTENT_MAX) {
            memcpy(out + n, ELLIPSIS, strlen(ELLIPSIS));
            n += strlen(ELLIPSIS);
            break;
        }
        memcpy(out + n, piece, size);
        n += size;
        content += used;
        left -= used;
    }
    out[n] = '\0';
    return out;
}

/* ---- URLs ---- */

static bool is_unreserved(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           (c != '\0' && strchr("-._~", c));
}

char *messenger_url_encode(const char *text) {
    static const char digits[] = "0123456789ABCDEF";
    char *out = malloc(strlen(text) * 3 + 1), *to = out;

    if (!out)
        return NULL;
    for (; *text; text++) {
        unsigned char c = (unsigned char)*text;
        if (is_unreserved(*text)) {
            *to++ = *text;
            continue;
        }
        *to++ = '%';
        *to++ = digits[c >> 4];
        *to++ = digits[c & 15];
    }
    *to = '\0';
    return out;
}

/* ---- JSON ---- */

static int hex_digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The four digits of a \uXXXX; -1: it is none. */
static int unit_at(const char *p) {
    int unit = 0;

    if (p[0] != '\\' || p[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        int digit = hex_digit(p[i]);
        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

void messenger_repair_escapes(char *json) {
    for (char *p = strchr(json, '\\'); p; p = strchr(p, '\\')) {
        int unit = unit_at(p), low;
        if (unit < 0) {
            /* An escape of two characters, or no JSON. */
            p += p[1] != '\0' ? 2 : 1;
            continue;
        }
        low = unit >= 0xd800 && unit <= 0xdbff ? unit_at(p + 6) : -1;
        if (low >= 0xdc00 && low <= 0xdfff) {
            p += 12;
            continue;
        }
        if (unit == 0 || (unit >= 0xd800 && unit <= 0xdfff))
            memcpy(p + 2, "fffd", 4);
        p += 6;
    }
}
