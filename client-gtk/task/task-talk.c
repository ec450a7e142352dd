#include "client-gtk/task/task-talk.h"

#include <glib/gi18n.h>
#include <inttypes.h>

#include "client-gtk/base/daemon-error.h"
#include "client-gtk/base/time-text.h"
#include "client-gtk/task/task-note.h"
#include "client-gtk/task/task-words.h"
#include "client-gtk/widgets/toast.h"

struct _TaskTalk {
    AdwBin parent_instance;

    GtkWidget *scroller, *input, *send, *send_to_children, *end_input;
    GtkListBox *list;
    GtkEntry *entry;
    GtkLabel *error;
    TaskDetails *details;
    GCancellable *cancellable;
    gboolean sending;
};

G_DEFINE_FINAL_TYPE(TaskTalk, task_talk, ADW_TYPE_BIN)

static void show(TaskTalk *self);

/* ---- the list ---- */

static char *sender(guint64 from, guint64 own) {
    if (from == 0)
        return g_strdup(_("To the task"));
    if (from == own)
        return g_strdup(_("From the task"));
    return g_strdup_printf(_("From task %" PRIu64), from);
}

static GtkWidget *make_label(const char *text, const char *class) {
    GtkWidget *label = gtk_label_new(text);

    gtk_label_set_xalign(GTK_LABEL(label), 0);
    gtk_label_set_wrap(GTK_LABEL(label), TRUE);
    gtk_label_set_wrap_mode(GTK_LABEL(label), PANGO_WRAP_WORD_CHAR);
    if (class)
        gtk_widget_add_css_class(label, class);
    return label;
}

static GtkWidget *make_row(gpointer item, gpointer userdata) {
    TaskTalk *self = userdata;
    GtkWidget *row = gtk_list_box_row_new(), *box = gtk_box_new(GTK_ORIENTATION_VERTICAL, 3);
    g_autofree char *who = sender(task_note_get_from(item), task_details_get_id(self->details));
    g_autofree char *when = time_text_moment((guint64)task_note_get_time(item), g_get_real_time());
    /* Translators: when and from whom a message came */
    g_autofree char *head = g_strdup_printf(_("%s · %s"), when, who);
    GtkWidget *above = make_label(head, "caption");

    gtk_widget_add_css_class(above, "dim-label");
    gtk_widget_add_css_class(box, "task-note");
    gtk_box_append(GTK_BOX(box), above);
    gtk_box_append(GTK_BOX(box), make_label(task_note_get_text(item), NULL));
    gtk_list_box_row_set_child(GTK_LIST_BOX_ROW(row), box);
    gtk_list_box_row_set_activatable(GTK_LIST_BOX_ROW(row), FALSE);
    return row;
}

/* To the end, when the new row has its place. */
static gboolean scroll_down(GtkWidget *widget, GdkFrameClock *clock, gpointer unused) {
    GtkAdjustment *at = gtk_scrolled_window_get_vadjustment(GTK_SCROLLED_WINDOW(widget));

    gtk_adjustment_set_value(at, gtk_adjustment_get_upper(at));
    return G_SOURCE_REMOVE;
}

static void on_notes(TaskTalk *self) {
    gtk_widget_add_tick_callback(self->scroller, scroll_down, NULL, NULL);
    show(self);
}

/* ---- sending ---- */

static void set_error(TaskTalk *self, const char *text) {
    gtk_label_set_text(self->error, text);
    gtk_widget_set_visible(GTK_WIDGET(self->error), *text != '\0');
    if (*text)
        gtk_widget_add_css_class(GTK_WIDGET(self->entry), "error");
    else
        gtk_widget_remove_css_class(GTK_WIDGET(self->entry), "error");
    gtk_accessible_update_state(GTK_ACCESSIBLE(self->entry), GTK_ACCESSIBLE_STATE_INVALID,
                                *text ? GTK_ACCESSIBLE_INVALID_TRUE : GTK_ACCESSIBLE_INVALID_FALSE,
                                -1);
}

/* What was typed stays until somebody has it. */
static void sent(TaskTalk *self, const GError *error) {
    g_autofree char *text = NULL;

    self->sending = FALSE;
    if (error) {
        text = daemon_error_text(error);
        set_error(self, text);
    } else
        gtk_editable_set_text(GTK_EDITABLE(self->entry), "");
    show(self);
}

static void on_sent(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(GError) error = NULL;

    dbus_task_call_send_finish(DBUS_TASK(source), result, &error);
    if (!error || !daemon_error_is_cancelled(error))
        sent(userdata, error);
}

static void on_sent_to_children(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(GError) error = NULL;
    guint n = 0;

    dbus_task_call_send_to_children_finish(DBUS_TASK(source), &n, result, &error);
    if (error && daemon_error_is_cancelled(error))
        return;
    sent(userdata, error);
    if (!error) {
        g_autofree char *text =
            g_strdup_printf(ngettext("Sent to %u child", "Sent to %u children", n), n);

        toast_text(userdata, text);
    }
}

static const char *begin_sending(TaskTalk *self) {
    const char *text = gtk_editable_get_text(GTK_EDITABLE(self->entry));

    if (!*text || self->sending || !task_details_get_proxy(self->details))
        return NULL;
    self->sending = TRUE;
    set_error(self, "");
    show(self);
    return text;
}

static void on_send(TaskTalk *self) {
    const char *text;

    if (!(task_details_can(self->details) & TASK_CAN_SEND))
        return;
    text = begin_sending(self);
    if (text)
        dbus_task_call_send(task_details_get_proxy(self->details), text, self->cancellable, on_sent,
                            self);
}

static void on_send_to_children(TaskTalk *self) {
    const char *text = begin_sending(self);

    if (text)
        dbus_task_call_send_to_children(task_details_get_proxy(self->details), text,
                                        self->cancellable, on_sent_to_children, self);
}

static void on_edited(TaskTalk *self) {
    set_error(self, "");
    if (self->details)
        show(self);
}

/* ---- the end of the input ---- */

static void on_input_ended(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(GError) error = NULL;
    TaskTalk *self = userdata;

    if (dbus_task_call_close_stdin_finish(DBUS_TASK(source), result, &error))
        task_details_set_stdin_closed(self->details);
    else if (!daemon_error_is_cancelled(error))
        toast_error(GTK_WIDGET(self), _("Could not end the input"), error);
}

static void on_end_input(TaskTalk *self) {
    DbusTask *proxy = task_details_get_proxy(self->details);

    if (proxy)
        dbus_task_call_close_stdin(proxy, self->cancellable, on_input_ended, self);
}

/* ---- the whole ---- */

static void show(TaskTalk *self) {
    TaskProps *props = task_details_get_props(self->details);
    TaskCan can = task_details_can(self->details);
    gboolean typed = *gtk_editable_get_text(GTK_EDITABLE(self->entry)) && !self->sending;
    gboolean notes = g_list_model_get_n_items(task_details_get_notes(self->details)) > 0;
    gboolean takes = !task_props_is_final(props) && !task_props_is_series(props) &&
                     task_can_ever_take_messages(props);
    gboolean any = takes || can & TASK_CAN_SEND_TO_CHILDREN;

    gtk_widget_set_visible(GTK_WIDGET(self), notes || any);
    gtk_widget_set_visible(self->scroller, notes);
    gtk_widget_set_visible(self->input, any);
    gtk_widget_set_sensitive(GTK_WIDGET(self->entry),
                             can & (TASK_CAN_SEND | TASK_CAN_SEND_TO_CHILDREN));
    gtk_widget_set_visible(self->send, takes);
    gtk_widget_set_sensitive(self->send, typed && can & TASK_CAN_SEND);
    gtk_widget_set_visible(self->send_to_children, can & TASK_CAN_SEND_TO_CHILDREN);
    gtk_widget_set_sensitive(self->send_to_children, typed);
    gtk_widget_set_visible(self->end_input, takes && task_props_boolean(props, "StdinOpen"));
    gtk_widget_set_sensitive(self->end_input, can & TASK_CAN_CLOSE_STDIN);
}

void task_talk_show(TaskTalk *self, TaskDetails *details) {
    if (!self->details) {
        GListModel *notes = task_details_get_notes(details);

        self->details = g_object_ref(details);
        gtk_list_box_bind_model(self->list, notes, make_row, self, NULL);
        g_signal_connect_object(notes, "items-changed", G_CALLBACK(on_notes), self,
                                G_CONNECT_SWAPPED);
    }
    show(self);
}

static void dispose(GObject *object) {
    TaskTalk *self = LONGRUN_TASK_TALK(object);

    g_cancellable_cancel(self->cancellable);
    adw_bin_set_child(ADW_BIN(self), NULL);
    g_clear_object(&self->details);
    G_OBJECT_CLASS(task_talk_parent_class)->dispose(object);
}

static void finalize(GObject *object) {
    g_object_unref(LONGRUN_TASK_TALK(object)->cancellable);
    G_OBJECT_CLASS(task_talk_parent_class)->finalize(object);
}

static void task_talk_class_init(TaskTalkClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = dispose;
    G_OBJECT_CLASS(class)->finalize = finalize;
    gtk_widget_class_set_template_from_resource(widget, "/org/longrun/Longrun/task/task-talk.ui");
    gtk_widget_class_bind_template_child(widget, TaskTalk, scroller);
    gtk_widget_class_bind_template_child(widget, TaskTalk, list);
    gtk_widget_class_bind_template_child(widget, TaskTalk, input);
    gtk_widget_class_bind_template_child(widget, TaskTalk, entry);
    gtk_widget_class_bind_template_child(widget, TaskTalk, error);
    gtk_widget_class_bind_template_child(widget, TaskTalk, send);
    gtk_widget_class_bind_template_child(widget, TaskTalk, send_to_children);
    gtk_widget_class_bind_template_child(widget, TaskTalk, end_input);
    gtk_widget_class_bind_template_callback(widget, on_send);
    gtk_widget_class_bind_template_callback(widget, on_send_to_children);
    gtk_widget_class_bind_template_callback(widget, on_end_input);
    gtk_widget_class_bind_template_callback(widget, on_edited);
}

static void task_talk_init(TaskTalk *self) {
    self->cancellable = g_cancellable_new();
    gtk_widget_init_template(GTK_WIDGET(self));
}
