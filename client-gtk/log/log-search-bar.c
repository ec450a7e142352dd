#include "client-gtk/log/log-search-bar.h"

#include <glib/gi18n.h>

struct _LogSearchBar {
    AdwBin parent_instance;

    GtkSearchBar *bar;
    GtkSearchEntry *entry;
    GtkLabel *tally;
    GtkWidget *previous, *next;
};

G_DEFINE_FINAL_TYPE(LogSearchBar, log_search_bar, ADW_TYPE_BIN)

enum {
    SEARCH,
    STEP,
    CLOSED,
    N_SIGNALS,
};
static guint signals[N_SIGNALS];

/* ---- how it goes ---- */

static char *describe(const LogTally *t) {
    if (t->error)
        return g_strdup(t->error);
    if (t->nothing)
        return g_strdup(_("No matches"));
    if (t->count == 0)
        return g_strdup(t->busy ? _("Searching…") : "");
    if (t->number > 0 && t->count >= LOG_FINDER_MAX)
        /* Translators: the match that is shown, and how many there are at least: "3 of 1000+". */
        return g_strdup_printf(_("%u of %u+"), t->number, t->count);
    if (t->number > 0)
        /* Translators: the match that is shown, and how many there are: "3 of 17". */
        return g_strdup_printf(_("%u of %u"), t->number, t->count);
    if (t->count >= LOG_FINDER_MAX)
        return g_strdup_printf(_("More than %u matches"), t->count);
    return g_strdup_printf(ngettext("%u match", "%u matches", t->count), t->count);
}

void log_search_bar_set_tally(LogSearchBar *self, const LogTally *tally) {
    g_autofree char *text = describe(tally);
    gboolean any = tally->count > 0 || tally->busy;

    gtk_label_set_text(self->tally, text);
    gtk_widget_set_sensitive(self->previous, any);
    gtk_widget_set_sensitive(self->next, any);
    if (tally->nothing)
        gtk_widget_add_css_class(GTK_WIDGET(self->entry), "error");
    else
        gtk_widget_remove_css_class(GTK_WIDGET(self->entry), "error");
}

/* ---- what people do ---- */

static void on_text(LogSearchBar *self) {
    g_signal_emit(self, signals[SEARCH], 0, gtk_editable_get_text(GTK_EDITABLE(self->entry)));
}

static void on_next(LogSearchBar *self) {
    g_signal_emit(self, signals[STEP], 0, TRUE);
}

static void on_previous(LogSearchBar *self) {
    g_signal_emit(self, signals[STEP], 0, FALSE);
}

static void on_stop(LogSearchBar *self) {
    g_signal_emit(self, signals[CLOSED], 0);
}

void log_search_bar_set_open(LogSearchBar *self, gboolean open) {
    gtk_search_bar_set_search_mode(self->bar, open);
    if (open)
        gtk_widget_grab_focus(GTK_WIDGET(self->entry));
    else
        gtk_editable_set_text(GTK_EDITABLE(self->entry), "");
}

/* ---- the object ---- */

static void dispose(GObject *object) {
    adw_bin_set_child(ADW_BIN(object), NULL);
    G_OBJECT_CLASS(log_search_bar_parent_class)->dispose(object);
}

static void log_search_bar_class_init(LogSearchBarClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);
    GType type = G_TYPE_FROM_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = dispose;
    signals[SEARCH] = g_signal_new("search", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                   G_TYPE_NONE, 1, G_TYPE_STRING);
    signals[STEP] = g_signal_new("step", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                                 1, G_TYPE_BOOLEAN);
    signals[CLOSED] =
        g_signal_new("closed", type, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
    gtk_widget_class_set_template_from_resource(widget,
                                                "/org/longrun/Longrun/log/log-search-bar.ui");
    gtk_widget_class_bind_template_child(widget, LogSearchBar, bar);
    gtk_widget_class_bind_template_child(widget, LogSearchBar, entry);
    gtk_widget_class_bind_template_child(widget, LogSearchBar, tally);
    gtk_widget_class_bind_template_child(widget, LogSearchBar, previous);
    gtk_widget_class_bind_template_child(widget, LogSearchBar, next);
    gtk_widget_class_bind_template_callback(widget, on_text);
    gtk_widget_class_bind_template_callback(widget, on_next);
    gtk_widget_class_bind_template_callback(widget, on_previous);
    gtk_widget_class_bind_template_callback(widget, on_stop);
}

static void log_search_bar_init(LogSearchBar *self) {
    gtk_widget_init_template(GTK_WIDGET(self));
    gtk_search_bar_connect_entry(self->bar, GTK_EDITABLE(self->entry));
}
