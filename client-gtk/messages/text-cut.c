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
