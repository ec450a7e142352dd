#include <stdio.h>

#include "client-cli/chat.h"
#include "client-cli/output.h"
#include "common/text.h"

#define LINE_BREAK "\xe2\x8f\x8e" /* ⏎ */

/* The line break at s, in bytes; 0: there is none. U+2028 and U+2029 are some, too. */
static size_t line_break(const char *s) {
    if (s[0] == '\r')
        return s[1] == '\n' ? 2 : 1;
    if (s[0] == '\n' || s[0] == '\v' || s[0] == '\f')
        return 1;
    return strncmp(s, "\xe2\x80\xa8", 3) == 0 || strncmp(s, "\xe2\x80\xa9", 3) == 0 ? 3 : 0;
}

/* U+202A to U+202E and U+2066 to U+2069, which say in what direction a terminal shows what follows:
 * a text is not to rearrange the line that it is in. */
static bool is_direction(const char *s) {
    const unsigned char *u = (const unsigned char *)s;

    return u[0] == 0xe2 && ((u[1] == 0x80 && u[2] >= 0xaa && u[2] <= 0xae) ||
                            (u[1] == 0x81 && u[2] >= 0xa6 && u[2] <= 0xa9));
}

static void put_clean(FILE *f, const char *line, size_t size) {
    _cleanup_free_ char *clean = must(text_clean(line, size, 3 * size));

    for (const char *p = clean; *p; p++) {
        if (is_direction(p))
            p += 2;
        else
            putc(*p == '\t' ? ' ' : *p, f);
    }
}

char *chat_text(const char *s) {
    char *text = NULL;
    size_t size;
    FILE *f = must(open_memstream(&text, &size));
    const char *begin = s;

    while (*s) {
        size_t n = line_break(s);
        if (n > 0) {
            put_clean(f, begin, (size_t)(s - begin));
            fputs(LINE_BREAK, f);
            begin = s + n;
        }
        s += n > 0 ? n : 1;
    }
    put_clean(f, begin, (size_t)(s - begin));
    fclose(f);
    return must(text);
}

void chat_print_message(const cJSON *message, bool as_json) {
    _cleanup_free_ char *peer = NULL, *text = NULL;
    char stamp[TIME_MAX];

    if (as_json) {
        json_print_line(message);
        return;
    }
    peer = chat_text(json_string(message, "peer"));
    text = chat_text(json_string(message, "content"));
    printf("%s %s %s: %s\n", format_stamp(stamp, json_u64(message, "timestamp")),
           json_string(message, "direction"), peer, text);
    fflush(stdout);
}
