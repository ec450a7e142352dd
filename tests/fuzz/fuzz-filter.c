/* What of a program's output reaches a terminal, or a pipe: the same however it is cut, and nothing
 * that a terminal would obey but colours and "erase in line". */

#include <stdlib.h>

#include "common/cleanup.h"
#include "common/escape-filter.h"
#include "tests/fuzz/fuzz.h"

typedef struct Output {
    char *data;
    size_t size;
} Output;

static void show(EscapeFilterMode mode, const char *data, size_t size, size_t piece, Output *ret) {
    EscapeFilter f;

    *ret = (Output){.data = malloc(size + (size / piece + 2) * ESCAPE_FILTER_MORE)};
    MUST(ret->data);
    escape_filter_init(&f, mode);
    for (size_t n; size > 0; data += n, size -= n) {
        n = MIN(piece, size);
        size_t shown = escape_filter(&f, data, n, ret->data + ret->size);
        MUST(shown <= n + ESCAPE_FILTER_MORE);
        ret->size += shown;
    }
}

/* Length of an SGR or EL without anything odd in it; 0: it is something else. */
static size_t harmless(const char *s, size_t size) {
    size_t i = 2;

    if (size < 3 || s[1] != '[')
        return 0;
    while (i < size && strchr("0123456789;:", s[i]) && s[i] != '\0')
        i++;
    return i < size && (s[i] == 'm' || s[i] == 'K') ? i + 1 : 0;
}

static void check_terminal(const Output *o) {
    for (size_t i = 0, n; i < o->size; i += n) {
        unsigned char c = (unsigned char)o->data[i];
        n = c == '\x1b' ? harmless(o->data + i, o->size - i) : 1;
        MUST(n > 0);
        MUST(c >= 0x20 || strchr("\t\b\n\r\x1b", c));
        MUST(c != '\0' && c != 0x7f);
        MUST(!(c == 0xc2 && i + 1 < o->size && (unsigned char)o->data[i + 1] < 0xa0 &&
               (unsigned char)o->data[i + 1] >= 0x80));
    }
}

static void check_mode(EscapeFilterMode mode, const char *data, size_t size) {
    Output whole, cut;

    show(mode, data, size, MAX(size, 1U), &whole);
    show(mode, data, size, 3, &cut);
    MUST(whole.size == cut.size && memcmp(whole.data, cut.data, cut.size) == 0);
    if (mode != ESCAPE_FILTER_RAW)
        MUST(whole.size <= size);
    if (mode >= ESCAPE_FILTER_COLOUR)
        check_terminal(&whole);
    free(whole.data);
    free(cut.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    for (EscapeFilterMode mode = ESCAPE_FILTER_RAW; mode <= ESCAPE_FILTER_DUMB; mode++)
        check_mode(mode, (const char *)data, size);
    return 0;
}
