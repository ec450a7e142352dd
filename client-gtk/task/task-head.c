#include "client-gtk/task/task-head.h"

#include <glib/gi18n.h>

#include "client-gtk/task/task-words.h"
#include "client-gtk/widgets/state-icon.h"

struct _TaskHead {
    AdwBin parent_instance;

    GtkImage *icon;
    GtkLabel *label, *state, *status, *end;
    GtkWidget *cancel, *pause, *resume, *retry, *remove;
    AdwButtonContent *cancel_content;
    TaskState shown;
};

G_DEFINE_FINAL_TYPE(TaskHead, task_head, ADW_TYPE_BIN)

static void set_or_hide(GtkLabel *label, const char *text) {
    gtk_label_set_text(label, text);
    gtk_widget_set_visible(GTK_WIDGET(label), *text != '\0');
}

/* Those that mean something in this state; whether they are possible the actions know. */
static void show_buttons(TaskHead *self, TaskProps *props) {
    gboolean final = task_props_is_final(props), paused = task_props_state(props) == TASK_PAUSED;
    gboolean series = task_props_is_series(props);

    gtk_widget_set_visible(self->cancel, !final);
    gtk_widget_set_visible(self->pause, !final && !paused && !series);
    gtk_widget_set_visible(self->resume, paused);
    gtk_widget_set_visible(self->retry, final);
    gtk_widget_set_visible(self->remove, final);
    adw_button_content_set_label(self->cancel_content, series ? _("_End Series") : _("_Cancel"));
}

static gboolean went_wrong(TaskState state) {
    return state == TASK_FAILED || state == TASK_TIMED_OUT || state == TASK_INTERRUPTED;
}

static void show_state(TaskHead *self, TaskProps *props) {
    TaskState state = task_props_state(props);

    if (state == self->shown)
        return;
    self->shown = state;
    state_icon_set(self->icon, state);
    gtk_label_set_text(self->state, state_title(state));
    if (went_wrong(state))
        gtk_widget_add_css_class(self->retry, "suggested-action");
    else
        gtk_widget_remove_css_class(self->retry, "suggested-action");
}

void task_head_show(TaskHead *self, TaskDetails *details) {
    TaskProps *props = task_details_get_props(details);
    g_autofree char *status = task_words_status(props, g_get_real_time());
    g_autofree char *end = task_words_end(props);

    gtk_label_set_text(self->label, task_props_string(props, "Label"));
    show_state(self, props);
    set_or_hide(self->status, status);
    set_or_hide(self->end, end);
    show_buttons(self, props);
}

static void dispose(GObject *object) {
    adw_bin_set_child(ADW_BIN(object), NULL);
    G_OBJECT_CLASS(task_head_parent_class)->dispose(object);
}

static void task_head_class_init(TaskHeadClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = dispose;
    gtk_widget_class_set_template_from_resource(widget, "/org/longrun/Longrun/task/task-head.ui");
    gtk_widget_class_bind_template_child(widget, TaskHead, icon);
    gtk_widget_class_bind_template_child(widget, TaskHead, label);
    gtk_widget_class_bind_template_child(widget, TaskHead, state);
    gtk_widget_class_bind_template_child(widget, TaskHead, status);
    gtk_widget_class_bind_template_child(widget, TaskHead, end);
    gtk_widget_class_bind_template_child(widget, TaskHead, cancel);
    gtk_widget_class_bind_template_child(widget, TaskHead, cancel_content);
    gtk_widget_class_bind_template_child(widget, TaskHead, pause);
    gtk_widget_class_bind_template_child(widget, TaskHead, resume);
    gtk_widget_class_bind_template_child(widget, TaskHead, retry);
    gtk_widget_class_bind_template_child(widget, TaskHead, remove);
}

static void task_head_init(TaskHead *self) {
    self->shown = _TASK_STATE_INVALID;
    gtk_widget_init_template(GTK_WIDGET(self));
}
