#include "client-gtk/log/log-needle.h"

#include <string.h>

/* Rows are of that size, as a rule. */
#define ON_STACK 8192

struct LogNeedle {
    int refs;
    gboolean ascii;
    char *folded; /* ASCII alone */
    gsize size;
    gunichar *characters; /* the others, folded one by one */
    guint count;
};

LogNeedle *log_needle_new(const char *text) {
    gsize size = strnlen(text, LOG_NEEDLE_MAX);
    g_autofree char *valid = g_utf8_make_valid(text, (gssize)size);
    LogNeedle *n;
    glong count;

    if (size == 0)
        return NULL;
    n = g_new0(LogNeedle, 1);
    n->refs = 1;
    n->ascii = g_str_is_ascii(valid);
    n->folded = g_ascii_strdown(valid, -1);
    n->size = strlen(n->folded);
    n->characters = g_utf8_to_ucs4_fast(valid, -1, &count);
    n->count = (guint)count;
    for (guint i = 0; i < n->count; i++)
        n->characters[i] = g_unichar_tolower(n->characters[i]);
    return n;
}

LogNeedle *log_needle_ref(const LogNeedle *n) {
    LogNeedle *mine = (LogNeedle *)n;

    g_atomic_int_inc(&mine->refs);
    return mine;
}

void log_needle_unref(LogNeedle *n) {
    if (!n || !g_atomic_int_dec_and_test(&n->refs))
        return;
    g_free(n->folded);
    g_free(n->characters);
    g_free(n);
}

/* ---- ASCII ---- */

/* Simple enough for the compiler to do many bytes at a time. */
static void fold(char *to, const char *from, gsize size) {
    for (gsize i = 0; i < size; i++) {
        char c = from[i];
        to[i] = (char)(c + ((c >= 'A' && c <= 'Z') << 5));
    }
}

static const char *find_ascii(const LogNeedle *n, const char *text, gsize size) {
    char on_stack[ON_STACK];
    g_autofree char *on_heap = size > ON_STACK ? g_malloc(size) : NULL;
    char *folded = on_heap ? on_heap : on_stack;

    fold(folded, text, size);
    const char *at = memmem(folded, size, n->folded, n->size);
    return at ? text + (at - folded) : NULL;
}

/* ---- all the others ---- */

static const char *match_at(const LogNeedle *n, const char *at, const char *end) {
    for (guint i = 0; i < n->count; i++) {
        if (at >= end || g_unichar_tolower(g_utf8_get_char(at)) != n->characters[i])
            return NULL;
        at = g_utf8_next_char(at);
    }
    return at;
}

static gboolean find_any(const LogNeedle *n, const char *text, gsize size, gsize from,
                         gsize *ret_begin, gsize *ret_end) {
    const char *end = text + size;

    for (const char *at = text + from; at < end; at = g_utf8_next_char(at)) {
        const char *behind = match_at(n, at, end);
        if (!behind)
            continue;
        *ret_begin = (gsize)(at - text);
        *ret_end = (gsize)(behind - text);
        return TRUE;
    }
    return FALSE;
}

/* ---- */

gboolean log_needle_find(const LogNeedle *n, const char *text, gsize size, gsize from,
                         gsize *ret_begin, gsize *ret_end) {
    if (from + n->size > size && n->ascii)
        return FALSE;
    if (!n->ascii)
        return find_any(n, text, size, from, ret_begin, ret_end);
    const char *at = find_ascii(n, text + from, size - from);
    if (!at)
        return FALSE;
    *ret_begin = (gsize)(at - text);
    *ret_end = *ret_begin + n->size;
    return TRUE;
}

guint log_needle_count(const LogNeedle *n, const char *text, gsize size) {
    gsize begin, end = 0;
    guint count = 0;

    while (log_needle_find(n, text, size, end, &begin, &end))
        count++;
    return count;
}
