#include "client-gtk/log/log-save-bar.h"

#include <glib/gi18n.h>

#include "client-gtk/log/log-save.h"
#include "client-gtk/widgets/toast.h"

struct _LogSaveBar {
    AdwBin parent_instance;

    GtkRevealer *revealer;
    GtkProgressBar *progress;
    GtkFileChooserNative *chooser; /* while it is open */
    LogReader *reader;             /* that is being saved, or will be */
    GCancellable *cancellable;     /* NULL: nothing is being saved */
    char *name;                    /* of the file */
};

G_DEFINE_FINAL_TYPE(LogSaveBar, log_save_bar, ADW_TYPE_BIN)

/* ---- saving ---- */

static void on_progress(guint64 done, guint64 all, gpointer userdata) {
    LogSaveBar *self = userdata;

    if (!self->progress)
        return; /* the window has gone, and the copy does not know yet */
    gtk_progress_bar_set_fraction(self->progress, all > 0 ? (double)done / (double)all : 0);
}

static void on_saved(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(LogSaveBar) self = userdata;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    gboolean ok = log_save_finish(LONGRUN_LOG_READER(source), result, &error);

    g_clear_object(&self->cancellable);
    g_clear_object(&self->reader);
    if (!self->revealer)
        return; /* the window has gone */
    gtk_revealer_set_reveal_child(self->revealer, FALSE);
    /* Translators: %s is the name of a file. */
    text = g_strdup_printf(ok ? _("Saved as “%s”") : _("Could not save “%s”"), self->name);
    if (ok)
        toast_text(GTK_WIDGET(self), text);
    else
        toast_error(GTK_WIDGET(self), text, error);
}

static void save(LogSaveBar *self, GFile *file) {
    g_autofree char *text = NULL;

    g_free(self->name);
    self->name = g_file_get_basename(file);
    self->cancellable = g_cancellable_new();
    text = g_strdup_printf(_("Saving “%s”"), self->name);
    gtk_progress_bar_set_text(self->progress, text);
    gtk_progress_bar_set_fraction(self->progress, 0);
    gtk_revealer_set_reveal_child(self->revealer, TRUE);
    log_save_async(self->reader, file, self->cancellable, on_progress, on_saved,
                   g_object_ref(self));
}

static void on_cancel(LogSaveBar *self) {
    g_cancellable_cancel(self->cancellable);
}

/* ---- where to ---- */

static void on_response(LogSaveBar *self, int response) {
    g_autoptr(GFile) file = gtk_file_chooser_get_file(GTK_FILE_CHOOSER(self->chooser));

    g_clear_object(&self->chooser);
    if (response == GTK_RESPONSE_ACCEPT && file)
        save(self, file);
    else
        g_clear_object(&self->reader);
}

void log_save_bar_ask(LogSaveBar *self, LogReader *reader, guint64 id) {
    GtkRoot *root = gtk_widget_get_root(GTK_WIDGET(self));
    g_autofree char *name = NULL;

    if (self->cancellable || self->chooser)
        return;
    g_set_object(&self->reader, reader);
    self->chooser = gtk_file_chooser_native_new(
        _("Save the Log"), root && GTK_IS_WINDOW(root) ? GTK_WINDOW(root) : NULL,
        GTK_FILE_CHOOSER_ACTION_SAVE, _("_Save"), _("_Cancel"));
    gtk_native_dialog_set_modal(GTK_NATIVE_DIALOG(self->chooser), TRUE);
    name = g_strdup_printf("%" G_GUINT64_FORMAT ".log", id);
    gtk_file_chooser_set_current_name(GTK_FILE_CHOOSER(self->chooser), name);
    g_signal_connect_swapped(self->chooser, "response", G_CALLBACK(on_response), self);
    gtk_native_dialog_show(GTK_NATIVE_DIALOG(self->chooser));
}

/* ---- the object ---- */

/* A copy that is under way is given up. */
static void dispose(GObject *object) {
    LogSaveBar *self = LONGRUN_LOG_SAVE_BAR(object);

    g_cancellable_cancel(self->cancellable);
    if (self->chooser)
        gtk_native_dialog_destroy(GTK_NATIVE_DIALOG(self->chooser));
    g_clear_object(&self->chooser);
    self->revealer = NULL;
    self->progress = NULL;
    adw_bin_set_child(ADW_BIN(self), NULL);
    G_OBJECT_CLASS(log_save_bar_parent_class)->dispose(object);
}

static void finalize(GObject *object) {
    LogSaveBar *self = LONGRUN_LOG_SAVE_BAR(object);

    g_clear_object(&self->reader);
    g_clear_object(&self->cancellable);
    g_free(self->name);
    G_OBJECT_CLASS(log_save_bar_parent_class)->finalize(object);
}

static void log_save_bar_class_init(LogSaveBarClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = dispose;
    G_OBJECT_CLASS(class)->finalize = finalize;
    gtk_widget_class_set_template_from_resource(widget, "/org/longrun/Longrun/log/log-save-bar.ui");
    gtk_widget_class_bind_template_child(widget, LogSaveBar, revealer);
    gtk_widget_class_bind_template_child(widget, LogSaveBar, progress);
    gtk_widget_class_bind_template_callback(widget, on_cancel);
}

static void log_save_bar_init(LogSaveBar *self) {
    gtk_widget_init_template(GTK_WIDGET(self));
}
