#include "client-gtk/log/log-scroll.h"

typedef enum Aim {
    AIM_NOTHING,
    AIM_BEGIN,
    AIM_END,
    AIM_TOP,   /* the mark, on top */
    AIM_PLACE, /* the mark, with lines above it */
} Aim;

struct LogScroll {
    GtkTextView *view;
    GtkAdjustment *vertical;
    GtkTextMark *mark;
    LogScrollMoved moved;
    gpointer userdata;

    Aim aim;
    int below_top;     /* of AIM_TOP: pixels of the line that cannot be seen */
    gboolean placing;  /* it is us who moves */
    gboolean changing; /* or the text view */
    double last;

    guint later;
};

/* ---- aims ---- */

static double y_of_mark(LogScroll *s) {
    GtkTextIter at;
    int y, height;

    gtk_text_buffer_get_iter_at_mark(gtk_text_view_get_buffer(s->view), &at, s->mark);
    gtk_text_view_get_line_yrange(s->view, &at, &y, &height);
    return y + gtk_text_view_get_top_margin(s->view);
}

static double value_of_aim(LogScroll *s) {
    double page = gtk_adjustment_get_page_size(s->vertical);

    switch (s->aim) {
    case AIM_BEGIN:
        return 0;
    case AIM_END:
        return gtk_adjustment_get_upper(s->vertical) - page;
    case AIM_TOP:
        return y_of_mark(s) + s->below_top;
    case AIM_PLACE:
        return MAX(y_of_mark(s) - page / 3, 0);
    default:
        return gtk_adjustment_get_value(s->vertical);
    }
}

static void place(LogScroll *s) {
    if (s->placing || s->aim == AIM_NOTHING)
        return;
    s->placing = TRUE;
    gtk_adjustment_set_value(s->vertical, value_of_aim(s));
    s->last = gtk_adjustment_get_value(s->vertical);
    s->placing = FALSE;
}

static gboolean on_later(gpointer userdata) {
    LogScroll *s = userdata;

    s->later = 0;
    place(s);
    return G_SOURCE_REMOVE;
}

/* Nothing may move while a frame is made: before the next one, or behind this one. */
static void place_later(LogScroll *s) {
    if (s->later == 0)
        s->later = g_idle_add_full(G_PRIORITY_HIGH, on_later, s, NULL);
}

static void set_aim(LogScroll *s, Aim aim) {
    s->aim = aim;
    place(s);
}

void log_scroll_to_end(LogScroll *s) {
    set_aim(s, AIM_END);
}

void log_scroll_to_begin(LogScroll *s) {
    set_aim(s, AIM_BEGIN);
}

void log_scroll_release(LogScroll *s) {
    s->aim = AIM_NOTHING;
}

static GtkTextIter iter_at(LogScroll *s, int where) {
    GdkRectangle visible;
    GtkTextIter at;

    gtk_text_view_get_visible_rect(s->view, &visible);
    gtk_text_view_get_line_at_y(s->view, &at, visible.y + where * visible.height, NULL);
    return at;
}

guint log_scroll_line(LogScroll *s, int where) {
    GtkTextIter at = iter_at(s, where);

    return (guint)gtk_text_iter_get_line(&at);
}

void log_scroll_keep_top(LogScroll *s) {
    GtkTextIter top = iter_at(s, 0);

    gtk_text_buffer_move_mark(gtk_text_view_get_buffer(s->view), s->mark, &top);
    s->below_top = (int)(gtk_adjustment_get_value(s->vertical) - y_of_mark(s));
    s->aim = AIM_TOP;
}

static gboolean can_be_seen(LogScroll *s) {
    double value = gtk_adjustment_get_value(s->vertical), y = y_of_mark(s);

    return !s->changing && y >= value && y < value + gtk_adjustment_get_page_size(s->vertical) - 48;
}

/* The text view sees to the other direction. */
void log_scroll_to(LogScroll *s, const GtkTextIter *at) {
    gtk_text_buffer_move_mark(gtk_text_view_get_buffer(s->view), s->mark, at);
    set_aim(s, can_be_seen(s) ? AIM_NOTHING : AIM_PLACE);
    gtk_text_view_scroll_to_mark(s->view, s->mark, 0, FALSE, 0, 0);
}

/* ---- movements ---- */

void log_scroll_begin_change(LogScroll *s) {
    s->changing = TRUE;
}

void log_scroll_end_change(LogScroll *s) {
    place(s);
    s->changing = FALSE;
    s->last = gtk_adjustment_get_value(s->vertical);
}

/* As more is laid out, all that is below moves. */
static void on_layout(GtkAdjustment *vertical, gpointer userdata) {
    LogScroll *s = userdata;

    place_later(s);
    s->last = gtk_adjustment_get_value(vertical);
}

static void on_value(GtkAdjustment *vertical, gpointer userdata) {
    LogScroll *s = userdata;
    double value = gtk_adjustment_get_value(vertical), last = s->last,
           rest =
               gtk_adjustment_get_upper(vertical) - gtk_adjustment_get_page_size(vertical) - value;

    if (s->placing)
        return;
    if (s->changing) {
        place_later(s);
        return;
    }
    s->last = value;
    if (value == last)
        return;
    s->aim = AIM_NOTHING;
    s->moved(value < last && rest > 1   ? LOG_SCROLLED_UP
             : value > last && rest < 1 ? LOG_SCROLLED_TO_END
                                        : LOG_SCROLLED,
             s->userdata);
}

/* ---- the object ---- */

LogScroll *log_scroll_new(GtkTextView *view, GtkAdjustment *vertical, LogScrollMoved moved,
                          gpointer userdata) {
    LogScroll *s = g_new0(LogScroll, 1);
    GtkTextBuffer *buffer = gtk_text_view_get_buffer(view);
    GtkTextIter begin;

    s->view = g_object_ref(view);
    s->vertical = g_object_ref(vertical);
    s->moved = moved;
    s->userdata = userdata;
    gtk_text_buffer_get_start_iter(buffer, &begin);
    s->mark = gtk_text_buffer_create_mark(buffer, NULL, &begin, FALSE);
    g_signal_connect(vertical, "value-changed", G_CALLBACK(on_value), s);
    g_signal_connect(vertical, "changed", G_CALLBACK(on_layout), s);
    return s;
}

void log_scroll_free(LogScroll *s) {
    if (!s)
        return;
    g_clear_handle_id(&s->later, g_source_remove);
    g_signal_handlers_disconnect_by_data(s->vertical, s);
    g_object_unref(s->vertical);
    g_object_unref(s->view);
    g_free(s);
}
