#include "client-gtk/log/log-text.h"

#include "client-gtk/log/log-palette.h"

/* Colours that no sequence names. */
enum {
    COLOUR_TEXT = LOG_PALETTE_SIZE,
    COLOUR_PAPER,
    COLOUR_DARK,
    COLOUR_LIGHT,
    N_COLOURS,
};

struct LogText {
    GtkTextBuffer *buffer;
    gboolean dark, marks;
    guint lines; /* the empty one at the end not counted */
    /* Made when they are needed: text on our paper, text on a colour, and colours behind text. */
    GtkTextTag *readable[N_COLOURS], *exact[N_COLOURS], *behind[N_COLOURS];
    GtkTextTag *attributes[LOG_ATTRIBUTES];
    GtkTextTag *error, *match, *current;
    LogNeedle *needle;
};

/* ---- tags ---- */

static GdkRGBA to_rgba(guint32 colour, float alpha) {
    return (GdkRGBA){
        .red = (float)(colour >> 16 & 0xff) / 255.0f,
        .green = (float)(colour >> 8 & 0xff) / 255.0f,
        .blue = (float)(colour & 0xff) / 255.0f,
        .alpha = alpha,
    };
}

static guint32 colour_of(const LogText *t, guint index) {
    switch (index) {
    case COLOUR_TEXT:
        return log_palette_text(t->dark);
    case COLOUR_PAPER:
        return log_palette_paper(t->dark);
    case COLOUR_DARK:
        return log_palette_text(FALSE);
    case COLOUR_LIGHT:
        return log_palette_text(TRUE);
    default:
        return log_palette_colour(index);
    }
}

static void colour_readable(const LogText *t, guint index) {
    GdkRGBA rgba = to_rgba(log_palette_readable(colour_of(t, index), t->dark), 1);

    g_object_set(t->readable[index], "foreground-rgba", &rgba, NULL);
}

static void colour_exact(const LogText *t, guint index) {
    GdkRGBA rgba = to_rgba(colour_of(t, index), 1);

    g_object_set(t->exact[index], "foreground-rgba", &rgba, NULL);
}

static void colour_behind(const LogText *t, guint index) {
    GdkRGBA rgba = to_rgba(colour_of(t, index), 1);

    g_object_set(t->behind[index], "background-rgba", &rgba, NULL);
}

static void colour_others(const LogText *t) {
    GdkRGBA dim = to_rgba(log_palette_readable(t->dark ? 0x9a9996 : 0x77767b, t->dark), 1),
            error = to_rgba(0xe01b24, t->dark ? 0.25f : 0.12f);

    g_object_set(t->attributes[1], "foreground-rgba", &dim, NULL);
    g_object_set(t->error, "paragraph-background-rgba", &error, "paragraph-background-set",
                 t->marks, NULL);
}

typedef void (*Colour)(const LogText *t, guint index);

static GtkTextTag *get_tag(LogText *t, GtkTextTag **tags, guint index, Colour colour) {
    if (!tags[index]) {
        tags[index] = gtk_text_buffer_create_tag(t->buffer, NULL, NULL);
        colour(t, index);
    }
    return tags[index];
}

static void make_tags(LogText *t) {
    GtkTextBuffer *b = t->buffer;
    GtkTextTag *made[LOG_ATTRIBUTES] = {
        gtk_text_buffer_create_tag(b, NULL, "weight", PANGO_WEIGHT_BOLD, NULL),
        gtk_text_buffer_create_tag(b, NULL, NULL),
        gtk_text_buffer_create_tag(b, NULL, "style", PANGO_STYLE_ITALIC, NULL),
        gtk_text_buffer_create_tag(b, NULL, "underline", PANGO_UNDERLINE_SINGLE, NULL),
        NULL,
        gtk_text_buffer_create_tag(b, NULL, "strikethrough", TRUE, NULL),
    };

    memcpy(t->attributes, made, sizeof(made));
    t->error = gtk_text_buffer_create_tag(b, NULL, NULL);
    colour_others(t);
}

/* Above all others: those come when they are needed, and each above those before it. */
static void raise_tags(LogText *t) {
    int n = gtk_text_tag_table_get_size(gtk_text_buffer_get_tag_table(t->buffer));

    gtk_text_tag_set_priority(t->match, n - 1);
    gtk_text_tag_set_priority(t->current, n - 1);
}

static void make_match_tags(LogText *t) {
    GdkRGBA match = to_rgba(0xf9f06b, 1), current = to_rgba(0xff7800, 1), black = to_rgba(0, 1);

    t->match = gtk_text_buffer_create_tag(t->buffer, NULL, "background-rgba", &match,
                                          "foreground-rgba", &black, NULL);
    t->current = gtk_text_buffer_create_tag(t->buffer, NULL, "background-rgba", &current,
                                            "foreground-rgba", &black, NULL);
}

void log_text_set_dark(LogText *t, gboolean dark) {
    if (t->dark == dark)
        return;
    t->dark = dark;
    for (guint i = 0; i < N_COLOURS; i++) {
        if (t->readable[i])
            colour_readable(t, i);
        if (t->exact[i])
            colour_exact(t, i);
        if (t->behind[i])
            colour_behind(t, i);
    }
    colour_others(t);
}

void log_text_set_marks(LogText *t, gboolean marks) {
    t->marks = marks;
    colour_others(t);
}

/* ---- looks ---- */

typedef struct Look {
    int text, behind; /* negative: as it is */
} Look;

static int colour_on(guint32 paper) {
    return log_palette_contrast(log_palette_text(FALSE), paper) >
                   log_palette_contrast(log_palette_text(TRUE), paper)
               ? COLOUR_DARK
               : COLOUR_LIGHT;
}

static Look get_look(const LogText *t, const LogStyle *s) {
    Look look = {.text = s->foreground - 1, .behind = s->background - 1};

    if (s->attributes & LOG_REVERSE)
        look = (Look){
            .text = look.behind >= 0 ? look.behind : COLOUR_PAPER,
            .behind = look.text >= 0 ? look.text : COLOUR_TEXT,
        };
    if (look.behind >= 0 && look.text < 0)
        look.text = colour_on(colour_of(t, (guint)look.behind));
    return look;
}

static void apply(LogText *t, GtkTextTag *tag, const GtkTextIter *begin, const GtkTextIter *end) {
    if (tag)
        gtk_text_buffer_apply_tag(t->buffer, tag, begin, end);
}

static void apply_run(LogText *t, const LogRun *run, guint base) {
    Look look = get_look(t, &run->style);
    GtkTextIter begin, end;

    gtk_text_buffer_get_iter_at_offset(t->buffer, &begin, (int)(base + run->begin));
    gtk_text_buffer_get_iter_at_offset(t->buffer, &end, (int)(base + run->end));
    if (look.behind >= 0)
        apply(t, get_tag(t, t->behind, (guint)look.behind, colour_behind), &begin, &end);
    if (look.text >= 0 && look.behind >= 0)
        apply(t, get_tag(t, t->exact, (guint)look.text, colour_exact), &begin, &end);
    else if (look.text >= 0)
        apply(t, get_tag(t, t->readable, (guint)look.text, colour_readable), &begin, &end);
    for (guint i = 0; i < LOG_ATTRIBUTES; i++) {
        gboolean dims = 1u << i == LOG_DIM, coloured = look.text >= 0;
        if (run->style.attributes & 1u << i && !(dims && coloured))
            apply(t, t->attributes[i], &begin, &end);
    }
}

/* Of one stream, from row to row. */
static void mark_errors(LogText *t, const LogBlock *b, guint line) {
    GtkTextIter begin, end;

    for (guint i = 0; i < b->rows->len; i++) {
        if (g_array_index(b->rows, LogBlockRow, i).stream != LOG_STREAM_STDERR)
            continue;
        gtk_text_buffer_get_iter_at_line(t->buffer, &begin, (int)(line + i));
        for (; i + 1 < b->rows->len &&
               g_array_index(b->rows, LogBlockRow, i + 1).stream == LOG_STREAM_STDERR;)
            i++;
        gtk_text_buffer_get_iter_at_line(t->buffer, &end, (int)(line + i + 1));
        apply(t, t->error, &begin, &end);
    }
}

/* ---- matches ---- */

/* Which bytes of a line are a match: the next one from *end on. */
static gboolean next_match(const LogText *t, const char *text, gsize *begin, gsize *end) {
    return log_needle_find(t->needle, text, strlen(text), *end, begin, end);
}

static char *get_line(LogText *t, guint line, GtkTextIter *ret_begin) {
    GtkTextIter end;

    gtk_text_buffer_get_iter_at_line(t->buffer, ret_begin, (int)line);
    end = *ret_begin;
    if (!gtk_text_iter_ends_line(&end))
        gtk_text_iter_forward_to_line_end(&end);
    return gtk_text_iter_get_text(ret_begin, &end);
}

static void mark_bytes(LogText *t, GtkTextTag *tag, const GtkTextIter *line, gsize begin, gsize end,
                       GtkTextIter *ret) {
    GtkTextIter from = *line, to = *line;

    gtk_text_iter_set_line_index(&from, (int)begin);
    gtk_text_iter_set_line_index(&to, (int)end);
    gtk_text_buffer_apply_tag(t->buffer, tag, &from, &to);
    if (ret)
        *ret = from;
}

static void mark_matches(LogText *t, guint line, guint count) {
    GtkTextIter iter;

    if (!t->needle)
        return;
    raise_tags(t);
    for (guint i = line; i < line + count; i++) {
        g_autofree char *text = get_line(t, i, &iter);
        for (gsize begin, end = 0; next_match(t, text, &begin, &end);)
            mark_bytes(t, t->match, &iter, begin, end, NULL);
    }
}

static void unmark(LogText *t, GtkTextTag *tag) {
    GtkTextIter begin, end;

    gtk_text_buffer_get_bounds(t->buffer, &begin, &end);
    gtk_text_buffer_remove_tag(t->buffer, tag, &begin, &end);
}

void log_text_set_needle(LogText *t, const LogNeedle *n) {
    if (t->needle) {
        unmark(t, t->match);
        unmark(t, t->current);
    }
    g_clear_pointer(&t->needle, log_needle_unref);
    if (n)
        t->needle = log_needle_ref(n);
    mark_matches(t, 0, t->lines);
}

gboolean log_text_set_current(LogText *t, guint line, guint number, GtkTextIter *ret) {
    GtkTextIter iter;
    gsize begin, end = 0;

    if (!t->needle || line >= t->lines)
        return FALSE;
    unmark(t, t->current);
    g_autofree char *text = get_line(t, line, &iter);
    for (guint i = 0; next_match(t, text, &begin, &end); i++) {
        if (i < number)
            continue;
        mark_bytes(t, t->current, &iter, begin, end, ret);
        return TRUE;
    }
    return FALSE;
}

/* ---- the text ---- */

static void remove_lines(LogText *t, guint line, guint count) {
    GtkTextIter begin, end;

    if (count == 0)
        return;
    gtk_text_buffer_get_iter_at_line(t->buffer, &begin, (int)line);
    gtk_text_buffer_get_iter_at_line(t->buffer, &end, (int)(line + count));
    gtk_text_buffer_delete(t->buffer, &begin, &end);
    t->lines -= count;
}

static void insert(LogText *t, const LogBlock *b, guint line) {
    GtkTextIter at;

    gtk_text_buffer_get_iter_at_line(t->buffer, &at, (int)line);
    guint base = (guint)gtk_text_iter_get_offset(&at);
    gtk_text_buffer_insert(t->buffer, &at, b->text->str, (int)b->text->len);
    t->lines += b->rows->len;
    for (guint i = 0; i < b->runs->len; i++)
        apply_run(t, &g_array_index(b->runs, LogRun, i), base);
    mark_errors(t, b, line);
    mark_matches(t, line, b->rows->len);
}

void log_text_change(LogText *t, LogChange change, const LogBlock *b, gboolean before) {
    remove_lines(t, t->lines - change.last, change.last);
    remove_lines(t, 0, change.first);
    if (b && b->rows->len > 0)
        insert(t, b, before ? 0 : t->lines);
}

/* ---- */

LogText *log_text_new(GtkTextBuffer *buffer) {
    LogText *t = g_new0(LogText, 1);

    t->buffer = g_object_ref(buffer);
    make_tags(t);
    make_match_tags(t);
    return t;
}

void log_text_free(LogText *t) {
    if (!t)
        return;
    log_needle_unref(t->needle);
    g_object_unref(t->buffer);
    g_free(t);
}
