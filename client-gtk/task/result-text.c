#include "client-gtk/task/result-text.h"

#define INDENT 2
#define DEPTH_MAX 40

typedef struct Writer {
    GString *out;
    guint depth;
    gsize line; /* bytes on it */
} Writer;

static void put(Writer *w, const char *from, gsize n) {
    if (w->line + n > LONGRUN_RESULT_LINE_MAX) {
        g_string_append_c(w->out, '\n');
        w->line = 0;
    }
    g_string_append_len(w->out, from, (gssize)n);
    w->line += n;
}

static void new_line(Writer *w) {
    g_string_append_c(w->out, '\n');
    w->line = INDENT * MIN(w->depth, DEPTH_MAX);
    for (gsize i = 0; i < w->line; i++)
        g_string_append_c(w->out, ' ');
}

static gsize step(const char *p) {
    return (gsize)(g_utf8_next_char(p) - p);
}

static const char *skip_blanks(const char *p) {
    while (g_ascii_isspace(*p))
        p++;
    return p;
}

static const char *put_string(Writer *w, const char *p, gsize max) {
    gboolean escaped = FALSE;

    put(w, p++, 1);
    while (*p && w->out->len < max) {
        gboolean end = *p == '"' && !escaped;

        escaped = *p == '\\' && !escaped;
        put(w, p, step(p));
        p += step(p);
        if (end)
            break;
    }
    return p;
}

static const char *open_bracket(Writer *w, const char *p) {
    char closing = *p == '{' ? '}' : ']';

    put(w, p, 1);
    p = skip_blanks(p + 1);
    if (*p == closing) {
        put(w, p, 1);
        return p + 1;
    }
    w->depth++;
    new_line(w);
    return p;
}

static const char *close_bracket(Writer *w, const char *p) {
    w->depth -= w->depth > 0;
    new_line(w);
    put(w, p, 1);
    return p + 1;
}

static const char *put_next(Writer *w, const char *p, gsize max) {
    switch (*p) {
    case '"':
        return put_string(w, p, max);
    case '{':
    case '[':
        return open_bracket(w, p);
    case '}':
    case ']':
        return close_bracket(w, p);
    case ',':
        put(w, p, 1);
        new_line(w);
        return p + 1;
    case ':':
        put(w, ": ", 2);
        return p + 1;
    default:
        put(w, p, step(p));
        return p + step(p);
    }
}

char *result_text(const char *json, gsize max, gboolean *ret_cut) {
    Writer w = {.out = g_string_new(NULL)};
    const char *p = skip_blanks(json);

    while (*p && w.out->len < max)
        p = skip_blanks(put_next(&w, p, max));
    *ret_cut = *p != '\0';
    return g_string_free(w.out, FALSE);
}
