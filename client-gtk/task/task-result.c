#include "client-gtk/task/task-result.h"

#include <glib/gi18n.h>

#include "client-gtk/task/result-keep.h"
#include "client-gtk/task/result-text.h"
#include "client-gtk/widgets/toast.h"

/* More than anybody reads here: Copy has all of it. */
#define SHOWN_MAX 65536

struct _TaskResult {
    AdwBin parent_instance;

    GtkWidget *untaken, *taken, *cut;
    GtkTextView *text;
    guint64 id;
    gboolean is_shown;
};

G_DEFINE_FINAL_TYPE(TaskResult, task_result, ADW_TYPE_BIN)

static void show_text(TaskResult *self, const char *result) {
    gboolean cut;
    g_autofree char *text = result_text(result, SHOWN_MAX, &cut);

    self->is_shown = TRUE;
    gtk_text_buffer_set_text(gtk_text_view_get_buffer(self->text), text, -1);
    gtk_widget_set_visible(self->cut, cut);
}

void task_result_show(TaskResult *self, TaskDetails *details) {
    TaskProps *props = task_details_get_props(details);
    const char *result = result_keep_find(task_details_get_id(details));
    gboolean waits = task_props_is_final(props) && task_props_boolean(props, "HasResult");

    self->id = task_details_get_id(details);
    gtk_widget_set_visible(self->untaken, waits && !result);
    gtk_widget_set_visible(self->taken, result != NULL);
    gtk_widget_set_visible(GTK_WIDGET(self), waits || result);
    if (result && !self->is_shown)
        show_text(self, result);
}

static void on_copy(TaskResult *self) {
    const char *result = result_keep_find(self->id);

    if (!result)
        return;
    gdk_clipboard_set_text(gtk_widget_get_clipboard(GTK_WIDGET(self)), result);
    toast_text(GTK_WIDGET(self), _("Result copied"));
}

static void dispose(GObject *object) {
    adw_bin_set_child(ADW_BIN(object), NULL);
    G_OBJECT_CLASS(task_result_parent_class)->dispose(object);
}

static void task_result_class_init(TaskResultClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = dispose;
    gtk_widget_class_set_template_from_resource(widget, "/org/longrun/Longrun/task/task-result.ui");
    gtk_widget_class_bind_template_child(widget, TaskResult, untaken);
    gtk_widget_class_bind_template_child(widget, TaskResult, taken);
    gtk_widget_class_bind_template_child(widget, TaskResult, cut);
    gtk_widget_class_bind_template_child(widget, TaskResult, text);
    gtk_widget_class_bind_template_callback(widget, on_copy);
}

static void task_result_init(TaskResult *self) {
    gtk_widget_init_template(GTK_WIDGET(self));
}
