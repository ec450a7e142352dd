#include "client-gtk/start/start-window.h"

#include <glib/gi18n.h>

#include "client-gtk/base/daemon-error.h"
#include "client-gtk/start/command-history.h"
#include "client-gtk/start/daemon-answer.h"
#include "client-gtk/start/start-form.h"
#include "client-gtk/start/task-request.h"

/* So long after the last change, what is wrong with a field is said there: not while somebody is
 * still writing. */
#define PROBLEMS_MSEC 600

struct _StartWindow {
    AdwWindow parent_instance;

    StartForm *form;
    GtkWidget *start;
    GtkRevealer *bar;
    GtkLabel *reason;

    DaemonLink *link;
    GCancellable *cancellable;
    gboolean is_starting;
    char *refusal; /* what the daemon said last, until something is changed */
    char *name;    /* of what is being started */
    char *command; /* for the history */
    guint problems_id;
};

G_DEFINE_FINAL_TYPE(StartWindow, start_window, ADW_TYPE_WINDOW)

enum {
    STARTED,
    N_SIGNALS
};
static guint signals[N_SIGNALS];

static TaskRequest *read_request(StartWindow *self) {
    g_autoptr(GHashTable) values = start_form_get_values(self->form);

    return task_request_new(start_form_get_kind(self->form), values, g_get_real_time());
}

/* ---- why it cannot start ---- */

/* NULL: it can. */
static char *find_reason(StartWindow *self, const TaskRequest *request) {
    const FormProblem *problem =
        request->problems->len > 0 ? g_ptr_array_index(request->problems, 0) : NULL;

    if (self->is_starting)
        return g_strdup(_("Starting…"));
    if (daemon_link_get_state(self->link) == DAEMON_CONNECTING)
        return g_strdup(_("Connecting to the daemon…"));
    if (daemon_link_get_state(self->link) != DAEMON_RUNNING)
        return g_strdup(_("The daemon is not running: start it in the main window."));
    if (problem && problem->is_missing)
        return g_strdup(problem->message);
    if (problem)
        /* Translators: the title of a field, and what is wrong with it. */
        return g_strdup_printf(_("%s: %s"), _(problem->field->title), problem->message);
    return NULL;
}

static void show_reason(StartWindow *self, const char *reason, gboolean is_error) {
    if (reason)
        gtk_label_set_text(self->reason, reason);
    gtk_widget_remove_css_class(GTK_WIDGET(self->reason), is_error ? "dim-label" : "error");
    gtk_widget_add_css_class(GTK_WIDGET(self->reason), is_error ? "error" : "dim-label");
    gtk_revealer_set_reveal_child(self->bar, reason != NULL);
}

static void update(StartWindow *self) {
    g_autoptr(TaskRequest) request = read_request(self);
    g_autofree char *reason = find_reason(self, request);

    gtk_widget_action_set_enabled(GTK_WIDGET(self), "start.start", reason == NULL);
    gtk_widget_set_tooltip_text(self->start, reason);
    gtk_accessible_update_property(GTK_ACCESSIBLE(self->start), GTK_ACCESSIBLE_PROPERTY_DESCRIPTION,
                                   reason ? reason : "", -1);
    show_reason(self, reason ? reason : self->refusal, !reason && self->refusal);
}

/* ---- problems at their fields ---- */

static void show_problems(StartWindow *self, const TaskRequest *request, gboolean missing_too) {
    for (guint i = 0; i < request->problems->len; i++) {
        const FormProblem *problem = g_ptr_array_index(request->problems, i);
        if (missing_too || !problem->is_missing)
            start_form_set_error(self->form, problem->field->name, problem->message);
    }
}

static gboolean on_quiet(gpointer userdata) {
    StartWindow *self = userdata;
    g_autoptr(TaskRequest) request = read_request(self);

    self->problems_id = 0;
    show_problems(self, request, FALSE);
    return G_SOURCE_REMOVE;
}

static void on_changed(StartWindow *self) {
    g_clear_pointer(&self->refusal, g_free);
    g_clear_handle_id(&self->problems_id, g_source_remove);
    self->problems_id = g_timeout_add(PROBLEMS_MSEC, on_quiet, self);
    update(self);
}

/* ---- starting ---- */

static void on_refused(StartWindow *self, const GError *error) {
    g_autofree char *name = daemon_error_name(error), *text = daemon_error_text(error);
    g_autofree char *field = daemon_answer_field(start_form_get_kind(self->form), name, text);

    if (field && start_form_set_error(self->form, field, text))
        start_form_focus(self->form, field);
    g_free(self->refusal);
    self->refusal = g_steal_pointer(&text);
    update(self);
}

static void on_accepted(StartWindow *self, guint64 id) {
    if (self->command) {
        g_autoptr(CommandHistory) history = command_history_new(NULL);
        command_history_add(history, self->command);
    }
    g_signal_emit(self, signals[STARTED], 0, id, self->name);
    gtk_window_close(GTK_WINDOW(self));
}

static void on_start_answered(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(GError) error = NULL;
    StartWindow *self = userdata;
    guint64 id;

    if (dbus_manager_call_start_finish(DBUS_MANAGER(source), &id, NULL, result, &error)) {
        on_accepted(self, id);
        return;
    }
    if (daemon_error_is_cancelled(error))
        return;
    self->is_starting = FALSE;
    gtk_widget_set_sensitive(GTK_WIDGET(self->form), TRUE);
    on_refused(self, error);
}

static void keep_name(StartWindow *self, const char *kind) {
    g_autoptr(GHashTable) values = start_form_get_values(self->form);

    g_free(self->name);
    self->name = task_request_name(kind, values);
    g_free(self->command);
    self->command = g_str_equal(kind, "command") ? g_strdup(form_value(values, "argv")) : NULL;
}

static void send_request(StartWindow *self, const TaskRequest *request) {
    g_clear_pointer(&self->refusal, g_free);
    start_form_clear_errors(self->form);
    keep_name(self, request->kind);
    self->is_starting = TRUE;
    gtk_widget_set_sensitive(GTK_WIDGET(self->form), FALSE);
    dbus_manager_call_start(daemon_link_get_manager(self->link), request->kind, request->options,
                            self->cancellable, on_start_answered, self);
    update(self);
}

/* Also when the button says that it cannot: then to the field that is in the way. */
static void try_start(StartWindow *self) {
    g_autoptr(TaskRequest) request = read_request(self);
    const FormProblem *first;

    if (self->is_starting)
        return;
    if (request->problems->len > 0) {
        first = g_ptr_array_index(request->problems, 0);
        show_problems(self, request, TRUE);
        start_form_focus(self->form, first->field->name);
    } else if (daemon_link_get_state(self->link) == DAEMON_RUNNING)
        send_request(self, request);
}

static void on_start(GtkWidget *widget, const char *action, GVariant *unused) {
    try_start(LONGRUN_START_WINDOW(widget));
}

static gboolean on_try(GtkWidget *widget, GVariant *unused, gpointer userdata) {
    try_start(LONGRUN_START_WINDOW(widget));
    return TRUE;
}

/* ---- the object ---- */

GtkWindow *start_window_new(GtkApplication *app, DaemonLink *link) {
    StartWindow *self = g_object_new(LONGRUN_TYPE_START_WINDOW, "application", app, NULL);

    self->link = g_object_ref(link);
    start_form_set_link(self->form, link);
    g_signal_connect_object(self->link, "notify::state", G_CALLBACK(update), self,
                            G_CONNECT_SWAPPED);
    update(self);
    return GTK_WINDOW(self);
}

/* Not before: what has the focus would be known to screen readers before its window is. */
static void on_map(GtkWidget *widget) {
    GTK_WIDGET_CLASS(start_window_parent_class)->map(widget);
    if (!gtk_window_get_focus(GTK_WINDOW(widget)))
        start_form_focus(LONGRUN_START_WINDOW(widget)->form, "argv");
}

static void dispose(GObject *object) {
    StartWindow *self = LONGRUN_START_WINDOW(object);

    g_cancellable_cancel(self->cancellable);
    g_clear_handle_id(&self->problems_id, g_source_remove);
    g_clear_object(&self->link);
    G_OBJECT_CLASS(start_window_parent_class)->dispose(object);
}

static void finalize(GObject *object) {
    StartWindow *self = LONGRUN_START_WINDOW(object);

    g_clear_object(&self->cancellable);
    g_free(self->refusal);
    g_free(self->name);
    g_free(self->command);
    G_OBJECT_CLASS(start_window_parent_class)->finalize(object);
}

static void add_keys(GtkWidgetClass *widget) {
    gtk_widget_class_add_binding_action(widget, GDK_KEY_Escape, 0, "window.close", NULL);
    gtk_widget_class_add_binding(widget, GDK_KEY_Return, GDK_CONTROL_MASK, on_try, NULL);
    gtk_widget_class_add_binding(widget, GDK_KEY_KP_Enter, GDK_CONTROL_MASK, on_try, NULL);
}

static void start_window_class_init(StartWindowClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    g_type_ensure(LONGRUN_TYPE_START_FORM);
    G_OBJECT_CLASS(class)->dispose = dispose;
    G_OBJECT_CLASS(class)->finalize = finalize;
    widget->map = on_map;
    signals[STARTED] = g_signal_new("started", LONGRUN_TYPE_START_WINDOW, G_SIGNAL_RUN_LAST, 0,
                                    NULL, NULL, NULL, G_TYPE_NONE, 2, G_TYPE_UINT64, G_TYPE_STRING);
    gtk_widget_class_set_template_from_resource(widget,
                                                "/org/longrun/Longrun/start/start-window.ui");
    gtk_widget_class_bind_template_child(widget, StartWindow, form);
    gtk_widget_class_bind_template_child(widget, StartWindow, start);
    gtk_widget_class_bind_template_child(widget, StartWindow, bar);
    gtk_widget_class_bind_template_child(widget, StartWindow, reason);
    gtk_widget_class_install_action(widget, "start.start", NULL, on_start);
    add_keys(widget);
}

static void start_window_init(StartWindow *self) {
    self->cancellable = g_cancellable_new();
    gtk_widget_init_template(GTK_WIDGET(self));
    g_signal_connect_swapped(self->form, "changed", G_CALLBACK(on_changed), self);
    g_signal_connect_swapped(self->form, "entered", G_CALLBACK(try_start), self);
}
