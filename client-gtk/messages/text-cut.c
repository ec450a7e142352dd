#include "client-gtk/messages/text-cut.h"

char *text_cut(const char *text, const TextCutMax *max, gboolean *was_cut) {
    guint chars = 0, lines = 0;
    const char *p = text;

    for (; *p && chars < max->chars; p = g_utf8_next_char(p), chars++)
        if (*p == '\n' && ++lines == max->lines)
            break;
    if (was_cut)
        *was_cut = *p != '\0';
    return *p ? g_strdup_printf("%.*s…", (int)(p - text), text) : g_strdup(text);
}

/* ---- pieces ---- */

/* Behind the last space or line break of the second half; end when there is none. */
static const char *good_cut(const char *half, const char *end) {
    const char *cut = NULL;

    for (const char *p = half; p < end; p++)
        if (*p == '\n' || (*p == ' ' && !(cut && cut[-1] == '\n')))
            cut = p + 1;
    return cut ? cut : end;
}

static const char *piece_end(const char *text, guint max) {
    const char *p = text, *half = text;

    for (guint n = 0; *p && n < max; n++, p = g_utf8_next_char(p))
        if (n == max / 2)
            half = p;
    return *p ? good_cut(half, p) : p;
}

GPtrArray *text_pieces(const char *text, guint max) {
    GPtrArray *pieces = g_ptr_array_new_with_free_func(g_free);

    do {
        const char *end = piece_end(text, max);
        gboolean at_line = *end && end[-1] == '\n';

        g_ptr_array_add(pieces, g_strndup(text, (gsize)(end - text) - at_line));
        text = end;
    } while (*text);
    return pieces;
}
