#include "client-gtk/log/log-bar.h"

struct LogBar {
    GtkScrollbar *bar;
    GtkAdjustment *text, *own;
    gboolean always;
    guint later;
    gboolean telling; /* the bar is told, nobody moves it */
};

static gboolean on_later(gpointer userdata) {
    LogBar *b = userdata;
    double lower = gtk_adjustment_get_lower(b->text), upper = gtk_adjustment_get_upper(b->text),
           page = gtk_adjustment_get_page_size(b->text);

    b->later = 0;
    b->telling = TRUE;
    gtk_adjustment_configure(b->own, gtk_adjustment_get_value(b->text), lower, upper,
                             gtk_adjustment_get_step_increment(b->text),
                             gtk_adjustment_get_page_increment(b->text), page);
    b->telling = FALSE;
    gtk_widget_set_visible(GTK_WIDGET(b->bar), b->always || upper - lower > page);
    return G_SOURCE_REMOVE;
}

/* Before the next frame, or behind this one. */
static void on_text(LogBar *b) {
    if (b->later == 0)
        b->later = g_idle_add_full(G_PRIORITY_HIGH, on_later, b, NULL);
}

static void on_moved(LogBar *b) {
    if (!b->telling)
        gtk_adjustment_set_value(b->text, gtk_adjustment_get_value(b->own));
}

LogBar *log_bar_new(GtkScrollbar *bar, GtkAdjustment *text, gboolean always) {
    LogBar *b = g_new0(LogBar, 1);

    b->bar = g_object_ref(bar);
    b->text = g_object_ref(text);
    b->own = g_object_ref_sink(gtk_adjustment_new(0, 0, 0, 0, 0, 0));
    b->always = always;
    gtk_scrollbar_set_adjustment(bar, b->own);
    g_signal_connect_swapped(text, "changed", G_CALLBACK(on_text), b);
    g_signal_connect_swapped(text, "value-changed", G_CALLBACK(on_text), b);
    g_signal_connect_swapped(b->own, "value-changed", G_CALLBACK(on_moved), b);
    return b;
}

void log_bar_free(LogBar *b) {
    if (!b)
        return;
    g_clear_handle_id(&b->later, g_source_remove);
    g_signal_handlers_disconnect_by_data(b->text, b);
    g_signal_handlers_disconnect_by_data(b->own, b);
    g_object_unref(b->own);
    g_object_unref(b->text);
    g_object_unref(b->bar);
    g_free(b);
}
