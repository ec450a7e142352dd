#include "client-gtk/backends/backend-pane.h"

#include <glib/gi18n.h>

#include "client-gtk/backends/backend-form.h"
#include "client-gtk/backends/backend-state.h"
#include "client-gtk/base/daemon-error.h"
#include "client-gtk/widgets/plot.h"
#include "client-gtk/widgets/toast.h"

#define INTERFACE "org.longrun.Longrun1.Backend"

struct _BackendPane {
    AdwBin parent_instance;

    GtkStack *stack;
    GtkImage *icon;
    GtkLabel *name, *state, *origin;
    GtkWidget *poll, *remove;
    Plot *plot;
    GtkSwitch *polling;
    AdwActionRow *last_update, *next_check, *last_error;
    GtkListBox *settings;

    DaemonLink *link;
    GCancellable *cancellable; /* of calls about this item */
    BackendItem *item;
    GVariant *shown_settings;
    gboolean checking;
};

G_DEFINE_FINAL_TYPE(BackendPane, backend_pane, ADW_TYPE_BIN)

static gboolean is_running(BackendPane *self) {
    return self->link && daemon_link_get_state(self->link) == DAEMON_RUNNING;
}

/* ---- what is shown ---- */

static void add_setting(BackendPane *self, const BackendField *field, GVariant *value) {
    g_autofree char *text = backend_field_show(field, value);
    GtkWidget *row;

    if (!text)
        return;
    row = adw_action_row_new();
    adw_preferences_row_set_use_markup(ADW_PREFERENCES_ROW(row), FALSE);
    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(row), _(field->title));
    adw_action_row_set_subtitle(ADW_ACTION_ROW(row), text);
    gtk_list_box_append(self->settings, row);
}

/* Only when they are others: rows that are made anew each second would lose the focus. */
static void show_settings(BackendPane *self) {
    GVariant *settings = backend_item_get_settings(self->item);
    GtkWidget *row;

    if (settings == self->shown_settings)
        return;
    g_clear_pointer(&self->shown_settings, g_variant_unref);
    while ((row = gtk_widget_get_first_child(GTK_WIDGET(self->settings))))
        gtk_list_box_remove(self->settings, row);
    if (!settings)
        return;
    self->shown_settings = g_variant_ref(settings);
    for (const BackendField *f = backend_fields(); f->name; f++) {
        g_autoptr(GVariant) value = g_variant_lookup_value(settings, f->name, NULL);

        if (value)
            add_setting(self, f, value);
    }
}

static void show_times(BackendPane *self) {
    guint64 latency = backend_item_get_number(self->item, "Latency");
    g_autofree char *last = backend_item_last_update(self->item);
    g_autofree char *took = latency > 0 ? backend_format_latency((double)latency) : g_strdup("");
    g_autofree char *next = backend_format_time(backend_item_get_number(self->item, "NextCheck"));
    const char *error = backend_item_get_text(self->item, "LastError");

    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(self->last_update), last);
    adw_action_row_set_subtitle(self->last_update, took);
    adw_action_row_set_subtitle(self->next_check, *next ? next : _("None is planned"));
    adw_action_row_set_subtitle(self->last_error, error);
    gtk_widget_set_visible(GTK_WIDGET(self->last_error), *error != '\0');
}

static void show_state(BackendPane *self) {
    const char *reason = backend_item_get_text(self->item, "Reason");
    const char *title = backend_state_title(self->item);
    /* Translators: a state and why it is so, as "Offline: connection refused" */
    g_autofree char *text = *reason ? g_strdup_printf(_("%s: %s"), title, reason) : g_strdup(title);

    backend_state_set_icon(self->icon, self->item);
    gtk_label_set_text(self->name, backend_item_get_name(self->item));
    gtk_label_set_text(self->state, text);
}

/* What a file defines would be back with the next reload. */
static void show_origin(BackendPane *self) {
    const char *origin = backend_item_get_origin(self->item);
    g_autofree char *text = g_strdup_printf(
        /* Translators: the path of a file */
        _("This backend comes from %s. To remove it, take it out there, then reload the "
          "configuration."),
        origin);

    gtk_label_set_text(self->origin, text);
    gtk_widget_set_visible(GTK_WIDGET(self->origin), *origin != '\0');
    gtk_widget_set_visible(self->remove, *origin == '\0');
}

static void on_polling(GtkSwitch *polling, GParamSpec *pspec, BackendPane *self);

static void show_polling(BackendPane *self) {
    gboolean polling = backend_item_get_flag(self->item, "Polling");

    g_signal_handlers_block_by_func(self->polling, on_polling, self);
    gtk_switch_set_active(self->polling, polling);
    g_signal_handlers_unblock_by_func(self->polling, on_polling, self);
}

static void show_actions(BackendPane *self) {
    gboolean can = is_running(self) && self->item && backend_item_is_loaded(self->item);
    GtkWidget *widget = GTK_WIDGET(self);

    gtk_widget_action_set_enabled(widget, "backend.check", can && !self->checking);
    gtk_widget_action_set_enabled(widget, "backend.poll", can);
    gtk_widget_action_set_enabled(widget, "backend.remove",
                                  can && !*backend_item_get_origin(self->item));
    gtk_widget_set_sensitive(GTK_WIDGET(self->polling), can);
}

static void show(BackendPane *self) {
    GVariant *settings = backend_item_get_settings(self->item);
    const char *path = "";

    if (settings)
        g_variant_lookup(settings, "poll-path", "&s", &path);
    gtk_widget_set_visible(self->poll, *path != '\0');
    show_state(self);
    show_times(self);
    show_polling(self);
    show_settings(self);
    show_origin(self);
    show_actions(self);
}

/* ---- calls ---- */

typedef struct Call {
    BackendPane *pane;
    BackendItem *item;
    const char *failed; /* what is said when it has failed, not owned */
} Call;

static void call_free(Call *c) {
    g_object_unref(c->pane);
    g_object_unref(c->item);
    g_free(c);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Call, call_free)

static void call(BackendPane *self, const char *method, const char *failed,
                 GAsyncReadyCallback callback) {
    Call *c = g_new(Call, 1);

    *c = (Call){g_object_ref(self), g_object_ref(self->item), failed};
    /* It waits for the server, as long as the settings allow. */
    g_dbus_connection_call(daemon_link_get_connection(self->link), DAEMON_NAME,
                           backend_item_get_path(self->item), INTERFACE, method, NULL, NULL,
                           G_DBUS_CALL_FLAGS_NO_AUTO_START, G_MAXINT, self->cancellable, callback,
                           c);
}

static GVariant *call_finish(const Call *c, GObject *connection, GAsyncResult *result,
                             gboolean *ret_cancelled) {
    g_autoptr(GError) error = NULL;
    GVariant *reply = g_dbus_connection_call_finish(G_DBUS_CONNECTION(connection), result, &error);

    *ret_cancelled = !reply && daemon_error_is_cancelled(error);
    if (!reply)
        toast_error(GTK_WIDGET(c->pane), c->failed, error);
    return reply;
}

static void tell_state(BackendPane *self, BackendItem *item, gboolean online) {
    /* Translators: the name of a backend */
    g_autofree char *text = g_strdup_printf(online ? _("%s is online") : _("%s is offline"),
                                            backend_item_get_name(item));

    toast_text(GTK_WIDGET(self), text);
}

static void on_checked(GObject *connection, GAsyncResult *result, gpointer userdata) {
    g_autoptr(Call) c = userdata;
    gboolean online, cancelled;
    g_autoptr(GVariant) reply = call_finish(c, connection, result, &cancelled);

    if (cancelled)
        return;
    c->pane->checking = FALSE;
    show_actions(c->pane);
    if (!reply || !g_variant_is_of_type(reply, G_VARIANT_TYPE("(b)")))
        return;
    g_variant_get(reply, "(b)", &online);
    tell_state(c->pane, c->item, online);
}

static void on_check(GtkWidget *widget, const char *action, GVariant *unused) {
    BackendPane *self = LONGRUN_BACKEND_PANE(widget);

    self->checking = TRUE;
    show_actions(self);
    call(self, "CheckStatus", _("Could not check"), on_checked);
}

static void on_polled(GObject *connection, GAsyncResult *result, gpointer userdata) {
    g_autoptr(Call) c = userdata;
    gboolean cancelled;
    g_autoptr(GVariant) reply = call_finish(c, connection, result, &cancelled);

    if (reply)
        toast_text(GTK_WIDGET(c->pane), _("Polled"));
}

static void on_poll(GtkWidget *widget, const char *action, GVariant *unused) {
    call(LONGRUN_BACKEND_PANE(widget), "Poll", _("Could not poll"), on_polled);
}

/* The switch is as the daemon has it, also after what went wrong. */
static void on_switched(GObject *connection, GAsyncResult *result, gpointer userdata) {
    g_autoptr(Call) c = userdata;
    gboolean cancelled;
    g_autoptr(GVariant) reply = call_finish(c, connection, result, &cancelled);

    if (!reply && !cancelled)
        show_polling(c->pane);
}

static void on_polling(GtkSwitch *polling, GParamSpec *pspec, BackendPane *self) {
    if (!self->item || !is_running(self))
        return;
    if (gtk_switch_get_active(polling))
        call(self, "StartPolling", _("Could not start polling"), on_switched);
    else
        call(self, "StopPolling", _("Could not stop polling"), on_switched);
}

/* ---- remove ---- */

static void on_removed(GObject *manager, GAsyncResult *result, gpointer userdata) {
    g_autoptr(BackendPane) self = userdata;
    g_autoptr(GError) error = NULL;

    if (!dbus_manager_call_remove_backend_finish(DBUS_MANAGER(manager), result, &error))
        toast_error(GTK_WIDGET(self), _("Could not remove the backend"), error);
}

/* Not the item that is shown: another may be by now. */
static void on_response(AdwMessageDialog *dialog, const char *response, BackendPane *self) {
    const char *name = g_object_get_data(G_OBJECT(dialog), "name");
    DbusManager *manager = self->link ? daemon_link_get_manager(self->link) : NULL;

    if (g_str_equal(response, "remove") && manager)
        dbus_manager_call_remove_backend(manager, name, NULL, on_removed, g_object_ref(self));
}

static void on_remove(GtkWidget *widget, const char *action, GVariant *unused) {
    BackendPane *self = LONGRUN_BACKEND_PANE(widget);
    const char *name = backend_item_get_name(self->item);
    GtkWidget *dialog = adw_message_dialog_new(GTK_WINDOW(gtk_widget_get_root(widget)), NULL, NULL);
    AdwMessageDialog *message = ADW_MESSAGE_DIALOG(dialog);

    /* Translators: the name of a backend */
    adw_message_dialog_format_heading(message, _("Remove “%s”?"), name);
    adw_message_dialog_set_body(message, _("It will no longer be watched. Tasks that wait until it "
                                           "is online will go on waiting."));
    adw_message_dialog_add_responses(message, "cancel", _("Cancel"), "remove", _("Remove"), NULL);
    adw_message_dialog_set_response_appearance(message, "remove", ADW_RESPONSE_DESTRUCTIVE);
    adw_message_dialog_set_close_response(message, "cancel");
    g_object_set_data_full(G_OBJECT(dialog), "name", g_strdup(name), g_free);
    g_signal_connect_object(dialog, "response", G_CALLBACK(on_response), self, 0);
    gtk_window_present(GTK_WINDOW(dialog));
}

/* ---- the object ---- */

BackendItem *backend_pane_get_item(BackendPane *self) {
    return self->item;
}

/* What was asked about the one before is of no interest any more. */
static void forget_item(BackendPane *self) {
    g_cancellable_cancel(self->cancellable);
    g_clear_object(&self->cancellable);
    if (self->item)
        g_signal_handlers_disconnect_by_data(self->item, self);
    g_clear_object(&self->item);
    g_clear_pointer(&self->shown_settings, g_variant_unref);
    self->checking = FALSE;
}

void backend_pane_set_item(BackendPane *self, BackendItem *item) {
    if (item == self->item)
        return;
    forget_item(self);
    gtk_stack_set_visible_child_name(self->stack, item ? "one" : "none");
    plot_set_series(self->plot, item ? backend_item_get_latency(item) : NULL);
    show_actions(self);
    if (!item)
        return;
    self->cancellable = g_cancellable_new();
    self->item = g_object_ref(item);
    g_signal_connect_swapped(item, "changed", G_CALLBACK(show), self);
    show(self);
}

void backend_pane_set_link(BackendPane *self, DaemonLink *link) {
    self->link = g_object_ref(link);
    g_signal_connect_object(link, "notify::state", G_CALLBACK(show_actions), self,
                            G_CONNECT_SWAPPED);
    show_actions(self);
}

static void dispose(GObject *object) {
    BackendPane *self = LONGRUN_BACKEND_PANE(object);

    forget_item(self);
    g_clear_object(&self->link);
    adw_bin_set_child(ADW_BIN(self), NULL);
    G_OBJECT_CLASS(backend_pane_parent_class)->dispose(object);
}

static void bind_children(GtkWidgetClass *widget) {
    gtk_widget_class_bind_template_child(widget, BackendPane, stack);
    gtk_widget_class_bind_template_child(widget, BackendPane, icon);
    gtk_widget_class_bind_template_child(widget, BackendPane, name);
    gtk_widget_class_bind_template_child(widget, BackendPane, state);
    gtk_widget_class_bind_template_child(widget, BackendPane, origin);
    gtk_widget_class_bind_template_child(widget, BackendPane, poll);
    gtk_widget_class_bind_template_child(widget, BackendPane, remove);
    gtk_widget_class_bind_template_child(widget, BackendPane, plot);
    gtk_widget_class_bind_template_child(widget, BackendPane, polling);
    gtk_widget_class_bind_template_child(widget, BackendPane, last_update);
    gtk_widget_class_bind_template_child(widget, BackendPane, next_check);
    gtk_widget_class_bind_template_child(widget, BackendPane, last_error);
    gtk_widget_class_bind_template_child(widget, BackendPane, settings);
}

static void backend_pane_class_init(BackendPaneClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    g_type_ensure(LONGRUN_TYPE_PLOT);
    G_OBJECT_CLASS(class)->dispose = dispose;
    gtk_widget_class_set_template_from_resource(widget,
                                                "/org/longrun/Longrun/backends/backend-pane.ui");
    bind_children(widget);
    gtk_widget_class_install_action(widget, "backend.check", NULL, on_check);
    gtk_widget_class_install_action(widget, "backend.poll", NULL, on_poll);
    gtk_widget_class_install_action(widget, "backend.remove", NULL, on_remove);
}

static void backend_pane_init(BackendPane *self) {
    gtk_widget_init_template(GTK_WIDGET(self));
    plot_set_format(self->plot, backend_format_latency);
    g_signal_connect(self->polling, "notify::active", G_CALLBACK(on_polling), self);
    show_actions(self);
}
