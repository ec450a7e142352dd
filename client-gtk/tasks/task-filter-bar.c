#include "client-gtk/tasks/task-filter-bar.h"

#include <glib/gi18n.h>

#include "client-gtk/base/daemon-error.h"
#include "client-gtk/tasks/task-query.h"

struct _TaskFilterBar {
    AdwBin parent_instance;

    GtkDropDown *states, *groups;
    GtkStringList *group_names; /* the first stands for all of them */
    GtkSearchBar *search_bar;
    GtkSearchEntry *search;

    DbusManager *manager;
    GCancellable *cancellable;
    gboolean is_filling; /* changes are our own */
};

G_DEFINE_FINAL_TYPE(TaskFilterBar, task_filter_bar, ADW_TYPE_BIN)

static guint changed_signal;

static const struct {
    const char *title;
    guint states;
} choices[] = {
    {N_("All States"), 0},
    {N_("Not Started"), TASK_STATES_PENDING},
    {N_("Running"), TASK_STATES_AT_WORK},
    {N_("Ended"), TASK_STATES_FINAL},
    {N_("Succeeded"), 1u << TASK_SUCCEEDED},
    {N_("Failed"), TASK_STATES_UNSUCCESSFUL},
    {N_("Cancelled"), 1u << TASK_CANCELLED | 1u << TASK_SKIPPED},
};

/* ---- what is wanted ---- */

static void on_changed(TaskFilterBar *self) {
    if (!self->is_filling)
        g_signal_emit(self, changed_signal, 0);
}

guint task_filter_bar_get_states(TaskFilterBar *self) {
    guint i = gtk_drop_down_get_selected(self->states);

    return i < G_N_ELEMENTS(choices) ? choices[i].states : 0;
}

const char *task_filter_bar_get_group(TaskFilterBar *self) {
    guint i = gtk_drop_down_get_selected(self->groups);

    return i > 0 && i != GTK_INVALID_LIST_POSITION
               ? gtk_string_list_get_string(self->group_names, i)
               : "";
}

const char *task_filter_bar_get_text(TaskFilterBar *self) {
    return gtk_search_bar_get_search_mode(self->search_bar)
               ? gtk_editable_get_text(GTK_EDITABLE(self->search))
               : "";
}

void task_filter_bar_reset(TaskFilterBar *self) {
    self->is_filling = TRUE;
    gtk_drop_down_set_selected(self->states, 0);
    gtk_drop_down_set_selected(self->groups, 0);
    gtk_search_bar_set_search_mode(self->search_bar, FALSE);
    self->is_filling = FALSE;
    on_changed(self);
}

void task_filter_bar_search(TaskFilterBar *self) {
    gtk_search_bar_set_search_mode(self->search_bar, TRUE);
    gtk_widget_grab_focus(GTK_WIDGET(self->search));
}

void task_filter_bar_set_key_capture(TaskFilterBar *self, GtkWidget *widget) {
    gtk_search_bar_set_key_capture_widget(self->search_bar, widget);
}

/* ---- groups ---- */

static guint position_of(GtkStringList *names, const char *name) {
    guint n = g_list_model_get_n_items(G_LIST_MODEL(names));

    for (guint i = 1; i < n; i++)
        if (g_str_equal(gtk_string_list_get_string(names, i), name))
            return i;
    return 0;
}

/* The one that is wanted stays so; where it is gone, all are. */
static void fill_groups(TaskFilterBar *self, const char *const *names) {
    g_autofree char *old = g_strdup(task_filter_bar_get_group(self));
    guint n = g_list_model_get_n_items(G_LIST_MODEL(self->group_names));

    self->is_filling = TRUE;
    gtk_string_list_splice(self->group_names, 1, n - 1, names);
    gtk_drop_down_set_selected(self->groups, *old ? position_of(self->group_names, old) : 0);
    self->is_filling = FALSE;
    if (!g_str_equal(old, task_filter_bar_get_group(self)))
        on_changed(self);
}

static void on_groups(GObject *source, GAsyncResult *result, gpointer userdata) {
    g_autoptr(GVariant) groups = NULL;
    g_autoptr(GError) error = NULL;
    g_autoptr(GStrvBuilder) names = g_strv_builder_new();
    GVariantIter iter;

    /* The list of tasks fails the same way, and says so. */
    if (!dbus_manager_call_list_groups_finish(DBUS_MANAGER(source), &groups, result, &error))
        return;
    g_variant_iter_init(&iter, groups);
    for (GVariant *group; (group = g_variant_iter_next_value(&iter)); g_variant_unref(group)) {
        const char *name;
        if (g_variant_lookup(group, "name", "&s", &name))
            g_strv_builder_add(names, name);
    }
    g_auto(GStrv) list = g_strv_builder_end(names);
    fill_groups(userdata, (const char *const *)list);
}

static void load_groups(TaskFilterBar *self) {
    g_cancellable_cancel(self->cancellable);
    g_object_unref(self->cancellable);
    self->cancellable = g_cancellable_new();
    dbus_manager_call_list_groups(self->manager, self->cancellable, on_groups, self);
}

void task_filter_bar_set_manager(TaskFilterBar *self, DbusManager *manager) {
    g_cancellable_cancel(self->cancellable);
    if (self->manager)
        g_signal_handlers_disconnect_by_data(self->manager, self);
    g_set_object(&self->manager, manager);
    if (!manager)
        return;
    g_signal_connect_swapped(manager, "group-changed", G_CALLBACK(load_groups), self);
    load_groups(self);
}

/* ---- the object ---- */

static void dispose(GObject *object) {
    TaskFilterBar *self = LONGRUN_TASK_FILTER_BAR(object);

    self->is_filling = TRUE;
    task_filter_bar_set_manager(self, NULL);
    adw_bin_set_child(ADW_BIN(self), NULL);
    G_OBJECT_CLASS(task_filter_bar_parent_class)->dispose(object);
}

static void finalize(GObject *object) {
    g_object_unref(LONGRUN_TASK_FILTER_BAR(object)->cancellable);
    G_OBJECT_CLASS(task_filter_bar_parent_class)->finalize(object);
}

static void task_filter_bar_class_init(TaskFilterBarClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = dispose;
    G_OBJECT_CLASS(class)->finalize = finalize;
    changed_signal = g_signal_new("changed", G_TYPE_FROM_CLASS(class), G_SIGNAL_RUN_LAST, 0, NULL,
                                  NULL, NULL, G_TYPE_NONE, 0);
    gtk_widget_class_set_template_from_resource(widget,
                                                "/org/longrun/Longrun/tasks/task-filter-bar.ui");
    gtk_widget_class_bind_template_child(widget, TaskFilterBar, states);
    gtk_widget_class_bind_template_child(widget, TaskFilterBar, groups);
    gtk_widget_class_bind_template_child(widget, TaskFilterBar, group_names);
    gtk_widget_class_bind_template_child(widget, TaskFilterBar, search_bar);
    gtk_widget_class_bind_template_child(widget, TaskFilterBar, search);
    gtk_widget_class_bind_template_callback(widget, on_changed);
}

static void task_filter_bar_init(TaskFilterBar *self) {
    g_autoptr(GtkStringList) titles = gtk_string_list_new(NULL);

    self->cancellable = g_cancellable_new();
    self->is_filling = TRUE;
    gtk_widget_init_template(GTK_WIDGET(self));
    for (gsize i = 0; i < G_N_ELEMENTS(choices); i++)
        gtk_string_list_append(titles, _(choices[i].title));
    gtk_drop_down_set_model(self->states, G_LIST_MODEL(titles));
    gtk_string_list_append(self->group_names, _("All Groups"));
    gtk_search_bar_connect_entry(self->search_bar, GTK_EDITABLE(self->search));
    self->is_filling = FALSE;
}
