#include "client-gtk/task/task-actions.h"

#include <glib/gi18n.h>

#include "client-gtk/base/daemon-error.h"
#include "client-gtk/task/result-keep.h"
#include "client-gtk/task/task-dialogs.h"
#include "client-gtk/task/task-words.h"
#include "client-gtk/widgets/toast.h"

struct _TaskActions {
    GObject parent_instance;

    GtkWidget *page; /* not owned */
    TaskDetails *details;
    GSimpleActionGroup *group;
    GCancellable *cancellable;
    char *label; /* that was asked for last */
};

G_DEFINE_FINAL_TYPE(TaskActions, task_actions, G_TYPE_OBJECT)

/* ---- calls ---- */

/* What a call is for, and what follows when it went well. */
typedef struct Call {
    TaskActions *self;  /* not to be touched when it was cancelled */
    const char *failed; /* "Could not cancel" */
    void (*done)(TaskActions *self, GVariant *reply);
} Call;

static void on_called(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply = g_dbus_proxy_call_finish(G_DBUS_PROXY(source), result, &error);
    g_autofree Call *call = userdata;

    if (!reply && daemon_error_is_cancelled(error))
        return;
    if (!reply) {
        toast_error(call->self->page, call->failed, error);
        return;
    }
    task_details_reload(call->self->details);
    if (call->done)
        call->done(call->self, reply);
}

static void call(TaskActions *self, const char *method, GVariant *arguments, const char *failed,
                 void (*done)(TaskActions *self, GVariant *reply)) {
    DbusTask *proxy = task_details_get_proxy(self->details);
    Call *call;

    if (!proxy)
        return;
    call = g_new(Call, 1);
    *call = (Call){self, failed, done};
    g_dbus_proxy_call(G_DBUS_PROXY(proxy), method, arguments, G_DBUS_CALL_FLAGS_NO_AUTO_START, -1,
                      self->cancellable, on_called, call);
}

/* ---- what runs ---- */

static void on_cancel(GSimpleAction *action, GVariant *unused, gpointer self) {
    call(self, "Cancel", NULL, _("Could not cancel the task"), NULL);
}

static void on_pause(GSimpleAction *action, GVariant *unused, gpointer self) {
    call(self, "Pause", NULL, _("Could not pause the task"), NULL);
}

static void on_resume(GSimpleAction *action, GVariant *unused, gpointer self) {
    call(self, "Resume", NULL, _("Could not resume the task"), NULL);
}

static void on_kill(GSimpleAction *action, GVariant *signal, gpointer self) {
    call(self, "Kill", g_variant_new("(i)", g_variant_get_int32(signal)),
         _("Could not send the signal"), NULL);
}

/* ---- what has ended ---- */

static void retried(TaskActions *self, GVariant *reply) {
    guint64 id;

    g_variant_get_child(reply, 0, "t", &id);
    gtk_widget_activate_action(self->page, "app.show-task", "t", id);
}

static void on_retry(GSimpleAction *action, GVariant *unused, gpointer self) {
    call(self, "Retry", NULL, _("Could not start the task again"), retried);
}

typedef struct Taking {
    TaskActions *self; /* weak; NULL: the page was left */
    guint64 id;
} Taking;

static void on_taken(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autofree Taking *taking = userdata;
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL;
    TaskActions *self = taking->self;

    g_clear_weak_pointer(&taking->self);
    if (dbus_task_call_take_result_finish(DBUS_TASK(source), &text, result, &error))
        result_keep(taking->id, text);
    if (self && text)
        task_details_reload(self->details);
    else if (self)
        toast_error(self->page, _("Could not take the result"), error);
}

/* It can be taken only once: what is on its way is kept also when the page is left meanwhile. */
static void on_take_result(GSimpleAction *action, GVariant *unused, gpointer self) {
    TaskDetails *details = LONGRUN_TASK_ACTIONS(self)->details;
    DbusTask *proxy = task_details_get_proxy(details);
    Taking *taking;

    if (!proxy)
        return;
    taking = g_new0(Taking, 1);
    taking->id = task_details_get_id(details);
    g_set_weak_pointer(&taking->self, self);
    dbus_task_call_take_result(proxy, NULL, on_taken, taking);
}

static void on_removed(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(GError) error = NULL;
    g_autoptr(GVariant) reply =
        g_dbus_connection_call_finish(G_DBUS_CONNECTION(source), result, &error);
    TaskActions *self = userdata;

    if (reply)
        gtk_widget_activate_action(self->page, "win.back", NULL);
    else if (!daemon_error_is_cancelled(error))
        toast_error(self->page, _("Could not remove the task"), error);
}

static void remove_task(TaskActions *self) {
    GDBusProxy *proxy = (GDBusProxy *)task_details_get_proxy(self->details);
    guint64 id = task_details_get_id(self->details);

    if (proxy)
        g_dbus_connection_call(
            g_dbus_proxy_get_connection(proxy), g_dbus_proxy_get_name(proxy), DAEMON_ROOT,
            "org.longrun.Longrun1.Manager", "RemoveTasks",
            g_variant_new("(@at)",
                          g_variant_new_fixed_array(G_VARIANT_TYPE_UINT64, &id, 1, sizeof(id))),
            G_VARIANT_TYPE("(u)"), G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, self->cancellable,
            on_removed, self);
}

static void on_remove(GSimpleAction *action, GVariant *unused, gpointer userdata) {
    TaskActions *self = userdata;
    GtkWidget *dialog = task_dialog_remove(
        self->page, task_props_string(task_details_get_props(self->details), "Label"));

    g_signal_connect_object(dialog, "response::do", G_CALLBACK(remove_task), self,
                            G_CONNECT_SWAPPED);
}

/* ---- what it is called, and when it comes ---- */

static void ask_label(TaskActions *self, const char *label, const char *error);

static void on_labelled(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(GError) error = NULL;
    TaskActions *self = userdata;
    g_autofree char *text = NULL;

    if (dbus_task_call_set_label_finish(DBUS_TASK(source), result, &error))
        task_details_reload(self->details);
    else if (!daemon_error_is_cancelled(error)) {
        text = daemon_error_text(error);
        ask_label(self, self->label, text);
    }
}

static void set_label(TaskActions *self, const char *response, GtkWidget *dialog) {
    DbusTask *proxy = task_details_get_proxy(self->details);

    g_free(self->label);
    self->label = task_dialog_get_text(dialog);
    if (proxy)
        dbus_task_call_set_label(proxy, self->label, self->cancellable, on_labelled, self);
}

static void ask_label(TaskActions *self, const char *label, const char *error) {
    GtkWidget *dialog = task_dialog_rename(self->page, label, error);

    g_signal_connect_object(dialog, "response::do", G_CALLBACK(set_label), self, G_CONNECT_SWAPPED);
}

static void on_rename(GSimpleAction *action, GVariant *unused, gpointer userdata) {
    TaskActions *self = userdata;

    ask_label(self, task_props_string(task_details_get_props(self->details), "Label"), "");
}

static void set_priority(TaskActions *self, const char *response, GtkWidget *dialog) {
    call(self, "SetPriority", g_variant_new("(i)", task_dialog_get_number(dialog)),
         _("Could not set the priority"), NULL);
}

static void on_set_priority(GSimpleAction *action, GVariant *unused, gpointer userdata) {
    TaskActions *self = userdata;
    gint now = task_props_int(task_details_get_props(self->details), "Priority");
    GtkWidget *dialog = task_dialog_priority(self->page, now);

    g_signal_connect_object(dialog, "response::do", G_CALLBACK(set_priority), self,
                            G_CONNECT_SWAPPED);
}

static void on_copy_command(GSimpleAction *action, GVariant *unused, gpointer userdata) {
    TaskActions *self = userdata;
    g_autoptr(GVariant) argv =
        task_props_array(task_details_get_props(self->details), "Argv", "as");
    g_autofree const char **words = argv ? g_variant_get_strv(argv, NULL) : NULL;
    g_autofree char *text = task_words_command(words);

    gdk_clipboard_set_text(gtk_widget_get_clipboard(self->page), text);
    toast_text(self->page, _("Command copied"));
}

/* ---- which are possible ---- */

/* clang-format off */
static const GActionEntry entries[] = {
    {.name = "cancel", .activate = on_cancel},
    {.name = "pause", .activate = on_pause},
    {.name = "resume", .activate = on_resume},
    {.name = "kill", .activate = on_kill, .parameter_type = "i"},
    {.name = "retry", .activate = on_retry},
    {.name = "remove", .activate = on_remove},
    {.name = "rename", .activate = on_rename},
    {.name = "set-priority", .activate = on_set_priority},
    {.name = "take-result", .activate = on_take_result},
    {.name = "copy-command", .activate = on_copy_command},
};

static const struct {
    TaskCan can;
    const char *action;
} needs[] = {
    {TASK_CAN_CANCEL, "cancel"},
    {TASK_CAN_PAUSE, "pause"},
    {TASK_CAN_RESUME, "resume"},
    {TASK_CAN_KILL, "kill"},
    {TASK_CAN_RETRY, "retry"},
    {TASK_CAN_REMOVE, "remove"},
    {TASK_CAN_SET_LABEL, "rename"},
    {TASK_CAN_SET_PRIORITY, "set-priority"},
    {TASK_CAN_TAKE_RESULT, "take-result"},
};
/* clang-format on */

static void enable(TaskActions *self, const char *name, gboolean enabled) {
    GAction *action = g_action_map_lookup_action(G_ACTION_MAP(self->group), name);

    g_simple_action_set_enabled(G_SIMPLE_ACTION(action), enabled);
}

static void on_details(TaskActions *self) {
    TaskProps *props = task_details_get_props(self->details);
    TaskCan can = task_details_can(self->details);

    for (guint i = 0; i < G_N_ELEMENTS(needs); i++)
        enable(self, needs[i].action, (can & needs[i].can) != 0);
    enable(self, "copy-command", g_str_equal(task_props_string(props, "Kind"), "command"));
}

/* ---- the object ---- */

static void dispose(GObject *object) {
    TaskActions *self = LONGRUN_TASK_ACTIONS(object);

    g_cancellable_cancel(self->cancellable);
    if (self->details)
        g_signal_handlers_disconnect_by_data(self->details, self);
    g_clear_object(&self->details);
    G_OBJECT_CLASS(task_actions_parent_class)->dispose(object);
}

static void finalize(GObject *object) {
    TaskActions *self = LONGRUN_TASK_ACTIONS(object);

    g_object_unref(self->cancellable);
    g_object_unref(self->group);
    g_free(self->label);
    G_OBJECT_CLASS(task_actions_parent_class)->finalize(object);
}

static void task_actions_class_init(TaskActionsClass *class) {
    G_OBJECT_CLASS(class)->dispose = dispose;
    G_OBJECT_CLASS(class)->finalize = finalize;
}

static void task_actions_init(TaskActions *self) {
    self->cancellable = g_cancellable_new();
    self->group = g_simple_action_group_new();
}

TaskActions *task_actions_new(GtkWidget *page, TaskDetails *details) {
    TaskActions *self = g_object_new(LONGRUN_TYPE_TASK_ACTIONS, NULL);

    self->page = page;
    self->details = g_object_ref(details);
    g_action_map_add_action_entries(G_ACTION_MAP(self->group), entries, G_N_ELEMENTS(entries),
                                    self);
    gtk_widget_insert_action_group(page, "task", G_ACTION_GROUP(self->group));
    g_signal_connect_swapped(details, "changed", G_CALLBACK(on_details), self);
    on_details(self);
    return self;
}
