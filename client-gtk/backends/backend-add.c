#include "client-gtk/backends/backend-add.h"

#include <glib/gi18n.h>

#include "client-gtk/backends/backend-field-row.h"
#include "client-gtk/base/daemon-error.h"
#include "client-gtk/widgets/toast.h"

struct _BackendAdd {
    AdwWindow parent_instance;

    AdwPreferencesPage *page;
    DaemonLink *link;
    GCancellable *cancellable;
    GPtrArray *rows; /* BackendFieldRow, in the order of the fields */
    char *name;      /* of the one that is being added, NULL when none is */
};

G_DEFINE_FINAL_TYPE(BackendAdd, backend_add, ADW_TYPE_WINDOW)

static guint signal_added;

/* ---- errors ---- */

static void clear_errors(BackendAdd *self) {
    for (guint i = 0; i < self->rows->len; i++)
        backend_field_row_set_error(self->rows->pdata[i], NULL);
}

static void show_error(BackendAdd *self, const BackendField *field, const char *text) {
    for (guint i = 0; i < self->rows->len; i++) {
        if (backend_field_row_get_field(self->rows->pdata[i]) != field)
            continue;
        backend_field_row_set_error(self->rows->pdata[i], text);
        backend_field_row_focus(self->rows->pdata[i]);
    }
}

/* What is about no field is told as everywhere. */
static void show_failed(BackendAdd *self, const GError *error) {
    g_autofree char *text = daemon_error_text(error);

    if (daemon_error_is(error, "InvalidOption") || daemon_error_is(error, "UnknownOption"))
        show_error(self, backend_field_of_error(text), text);
    else
        toast_error(GTK_WIDGET(self->page), _("Could not add the backend"), error);
}

/* ---- the call ---- */

static void show_actions(BackendAdd *self) {
    gboolean can = daemon_link_get_state(self->link) == DAEMON_RUNNING && !self->name;

    gtk_widget_action_set_enabled(GTK_WIDGET(self), "form.add", can);
}

static void on_added(GObject *manager, GAsyncResult *result, gpointer userdata) {
    g_autoptr(BackendAdd) self = userdata;
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL, *name = g_steal_pointer(&self->name);

    if (dbus_manager_call_add_backend_finish(DBUS_MANAGER(manager), &path, result, &error)) {
        g_signal_emit(self, signal_added, 0, name, path);
        gtk_window_destroy(GTK_WINDOW(self));
    } else if (!daemon_error_is_cancelled(error)) {
        show_actions(self);
        show_failed(self, error);
    }
}

/* FALSE: something is wrong, and shown. The name is no setting. */
static gboolean read_settings(BackendAdd *self, GVariantDict *settings) {
    gboolean good = TRUE;

    for (guint i = 1; i < self->rows->len; i++) {
        const BackendField *field = backend_field_row_get_field(self->rows->pdata[i]);
        g_autofree char *text = backend_field_row_get_text(self->rows->pdata[i]), *wrong = NULL;
        GVariant *value;

        if (backend_field_read(field, text, &value, &wrong)) {
            if (value)
                g_variant_dict_insert_value(settings, field->name, value);
            continue;
        }
        if (good)
            show_error(self, field, wrong);
        good = FALSE;
    }
    return good;
}

static void on_add(GtkWidget *widget, const char *action, GVariant *unused) {
    BackendAdd *self = LONGRUN_BACKEND_ADD(widget);
    g_auto(GVariantDict) settings = G_VARIANT_DICT_INIT(NULL);

    clear_errors(self);
    if (!read_settings(self, &settings))
        return;
    self->name = g_strstrip(backend_field_row_get_text(self->rows->pdata[0]));
    show_actions(self);
    dbus_manager_call_add_backend(daemon_link_get_manager(self->link), self->name,
                                  g_variant_dict_end(&settings), self->cancellable, on_added,
                                  g_object_ref(self));
}

/* ---- the form ---- */

static const char *const group_titles[BACKEND_N_GROUPS] = {
    [BACKEND_GROUP_WHERE] = N_("Backend"), [BACKEND_GROUP_CHECKS] = N_("Checks"),
    [BACKEND_GROUP_POLLS] = N_("Polls"),   [BACKEND_GROUP_SECURITY] = N_("Security"),
    [BACKEND_GROUP_LIMITS] = N_("Limits"),
};

static void add_group(BackendAdd *self, BackendFieldGroup which) {
    AdwPreferencesGroup *group = ADW_PREFERENCES_GROUP(adw_preferences_group_new());

    adw_preferences_group_set_title(group, _(group_titles[which]));
    for (const BackendField *f = backend_fields(); f->name; f++)
        if (f->group == which)
            g_ptr_array_add(self->rows, backend_field_row_new(f, group));
    adw_preferences_page_add(self->page, group);
}

/* ---- the object ---- */

/* Before dispose(): the answer to a call has a reference to it. */
static void on_destroy(GtkWidget *widget) {
    g_cancellable_cancel(LONGRUN_BACKEND_ADD(widget)->cancellable);
}

static void dispose(GObject *object) {
    BackendAdd *self = LONGRUN_BACKEND_ADD(object);

    g_cancellable_cancel(self->cancellable);
    g_clear_object(&self->link);
    G_OBJECT_CLASS(backend_add_parent_class)->dispose(object);
}

static void finalize(GObject *object) {
    BackendAdd *self = LONGRUN_BACKEND_ADD(object);

    g_clear_object(&self->cancellable);
    g_ptr_array_unref(self->rows);
    g_free(self->name);
    G_OBJECT_CLASS(backend_add_parent_class)->finalize(object);
}

static void backend_add_class_init(BackendAddClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = dispose;
    G_OBJECT_CLASS(class)->finalize = finalize;
    signal_added = g_signal_new("added", LONGRUN_TYPE_BACKEND_ADD, G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                NULL, G_TYPE_NONE, 2, G_TYPE_STRING, G_TYPE_STRING);
    gtk_widget_class_set_template_from_resource(widget,
                                                "/org/longrun/Longrun/backends/backend-add.ui");
    gtk_widget_class_bind_template_child(widget, BackendAdd, page);
    gtk_widget_class_install_action(widget, "form.add", NULL, on_add);
    gtk_widget_class_add_binding_action(widget, GDK_KEY_Escape, 0, "window.close", NULL);
}

static void backend_add_init(BackendAdd *self) {
    gtk_widget_init_template(GTK_WIDGET(self));
    self->cancellable = g_cancellable_new();
    self->rows = g_ptr_array_new_with_free_func(g_free);
    for (BackendFieldGroup i = 0; i < BACKEND_N_GROUPS; i++)
        add_group(self, i);
    g_signal_connect(self, "destroy", G_CALLBACK(on_destroy), NULL);
    backend_field_row_focus(self->rows->pdata[0]);
}

GtkWindow *backend_add_new(GtkWindow *parent, DaemonLink *link) {
    BackendAdd *self = g_object_new(LONGRUN_TYPE_BACKEND_ADD, "transient-for", parent, NULL);

    self->link = g_object_ref(link);
    g_signal_connect_object(link, "notify::state", G_CALLBACK(show_actions), self,
                            G_CONNECT_SWAPPED);
    show_actions(self);
    return GTK_WINDOW(self);
}
