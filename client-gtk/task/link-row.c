#include "client-gtk/task/link-row.h"

#include <glib/gi18n.h>
#include <inttypes.h>

#include "client-gtk/widgets/state-icon.h"

struct _LinkRow {
    AdwActionRow parent_instance;

    GtkImage *icon;
    GtkWidget *arrow;
    TaskLink *link;
};

G_DEFINE_FINAL_TYPE(LinkRow, link_row, ADW_TYPE_ACTION_ROW)

static const char *role_text(TaskRole role) {
    switch (role) {
    case TASK_ROLE_PARENT:
        return _("Parent");
    case TASK_ROLE_RETRY_OF:
        return _("Is repeated by this task");
    case TASK_ROLE_AFTER:
        return _("Must have succeeded before");
    case TASK_ROLE_AFTER_ANY:
        return _("Must have ended before");
    case TASK_ROLE_AFTER_FAILED:
        return _("Must have failed before");
    case TASK_ROLE_CHILD:
        break;
    }
    return NULL;
}

static char *subtitle(TaskLink *link) {
    const char *role = role_text(task_link_get_role(link));
    const char *state = task_link_is_gone(link) ? _("Removed")
                        : task_link_get_state(link) != _TASK_STATE_INVALID
                            ? state_title(task_link_get_state(link))
                            : "";
    g_autofree char *number = g_strdup_printf(_("Task %" PRIu64), task_link_get_id(link));

    return g_strjoin(" · ", role ? role : number, *state ? state : NULL, NULL);
}

static void show(LinkRow *self) {
    const char *label = task_link_get_label(self->link);
    gboolean gone = task_link_is_gone(self->link);
    g_autofree char *below = subtitle(self->link);
    g_autofree char *number = g_strdup_printf(_("Task %" PRIu64), task_link_get_id(self->link));

    adw_preferences_row_set_title(ADW_PREFERENCES_ROW(self), *label ? label : number);
    adw_action_row_set_subtitle(ADW_ACTION_ROW(self), below);
    state_icon_set(self->icon, task_link_get_state(self->link));
    gtk_list_box_row_set_activatable(GTK_LIST_BOX_ROW(self), !gone);
    gtk_widget_set_visible(self->arrow, !gone);
}

static void dispose(GObject *object) {
    LinkRow *self = LONGRUN_LINK_ROW(object);

    if (self->link)
        g_signal_handlers_disconnect_by_data(self->link, self);
    g_clear_object(&self->link);
    G_OBJECT_CLASS(link_row_parent_class)->dispose(object);
}

static void link_row_class_init(LinkRowClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = dispose;
    gtk_widget_class_set_template_from_resource(widget, "/org/longrun/Longrun/task/link-row.ui");
    gtk_widget_class_bind_template_child(widget, LinkRow, icon);
    gtk_widget_class_bind_template_child(widget, LinkRow, arrow);
}

static void link_row_init(LinkRow *self) {
    gtk_widget_init_template(GTK_WIDGET(self));
}

GtkWidget *link_row_new(TaskLink *link) {
    LinkRow *self = g_object_new(LONGRUN_TYPE_LINK_ROW, NULL);

    self->link = g_object_ref(link);
    gtk_actionable_set_action_target(GTK_ACTIONABLE(self), "t", task_link_get_id(link));
    gtk_actionable_set_action_name(GTK_ACTIONABLE(self), "app.show-task");
    g_signal_connect_swapped(link, "changed", G_CALLBACK(show), self);
    show(self);
    return GTK_WIDGET(self);
}
