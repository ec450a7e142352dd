/* Terminal control sequences, and text that is cleaned of them. */

#include "common/cleanup.h"
#include "common/escape.h"
#include "common/text.h"
#include "tests/fuzz/fuzz.h"

static void check_step(const EscapeParser *p, EscapeStep step, char c) {
    MUST(p->size <= ESCAPE_MAX);
    MUST((step == ESCAPE_INSIDE) == (p->state != 0));
    if (c == '\n')
        MUST(step == ESCAPE_TEXT || step == ESCAPE_BROKEN);
    if (c == '\x1b')
        MUST(step == ESCAPE_INSIDE);
    if (step == ESCAPE_END) {
        MUST(p->size >= 2 && p->bytes[0] == '\x1b');
        MUST(p->overlong || p->bytes[p->size - 1] == c);
    }
}

static void check_clean(const char *data, size_t size, size_t max) {
    _cleanup_free_ char *clean = text_clean(data, size, max);

    MUST(clean);
    MUST(strlen(clean) <= max + strlen("…"));
    MUST(utf8_is_valid(clean));
    for (const char *p = clean; *p; p++)
        MUST(((unsigned char)*p >= 0x20 && *p != 0x7f) || *p == '\t');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *text = (const char *)data;
    EscapeParser p = {};

    for (size_t i = 0; i < size; i++)
        check_step(&p, escape_feed(&p, text[i]), text[i]);
    escape_reset(&p);
    MUST(escape_feed(&p, 'm') == ESCAPE_TEXT);
    check_clean(text, size, SIZE_MAX / 8);
    check_clean(text, size, size / 2);
    return 0;
}
