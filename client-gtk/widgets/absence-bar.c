#include "client-gtk/widgets/absence-bar.h"

#include <glib/gi18n.h>

struct _AbsenceBar {
    GtkWidget parent_instance;

    GtkRevealer *revealer;
    GtkLabel *title, *reason;
    GtkWidget *button;
    DaemonLink *link;
};

G_DEFINE_FINAL_TYPE(AbsenceBar, absence_bar, GTK_TYPE_WIDGET)

/* ---- what it says ---- */

static const char *title_of(DaemonState state) {
    switch (state) {
    case DAEMON_NO_BUS:
        return _("There is no session bus");
    case DAEMON_CONNECTING:
        return _("Starting the daemon…");
    case DAEMON_ABSENT:
    case DAEMON_RUNNING:
        break;
    }
    return _("The daemon is not running");
}

/* While it is being started for the first time, and when it is there, there is nothing to tell;
 * started by the button, the bar stays until that has come to something. */
static gboolean is_shown(AbsenceBar *self, DaemonState state) {
    if (state == DAEMON_CONNECTING)
        return gtk_revealer_get_reveal_child(self->revealer);
    return state != DAEMON_RUNNING;
}

static void on_state(AbsenceBar *self) {
    DaemonState state = daemon_link_get_state(self->link);
    const char *reason = daemon_link_get_reason(self->link);
    gboolean shown = is_shown(self, state);

    if (shown) {
        gtk_label_set_text(self->title, title_of(state));
        gtk_label_set_text(self->reason, reason);
        gtk_widget_set_visible(GTK_WIDGET(self->reason), *reason != 0);
        gtk_widget_set_sensitive(self->button, state != DAEMON_CONNECTING);
    }
    gtk_revealer_set_reveal_child(self->revealer, shown);
    /* What is not seen is not to be reached by the keyboard. */
    gtk_widget_set_can_focus(GTK_WIDGET(self), shown);
}

static void on_start(GtkWidget *widget, const char *action, GVariant *unused) {
    daemon_link_open(LONGRUN_ABSENCE_BAR(widget)->link);
}

void absence_bar_set_link(AbsenceBar *self, DaemonLink *link) {
    self->link = g_object_ref(link);
    g_signal_connect_object(link, "notify::state", G_CALLBACK(on_state), self, G_CONNECT_SWAPPED);
    on_state(self);
}

/* ---- the object ---- */

static void dispose(GObject *object) {
    g_clear_object(&LONGRUN_ABSENCE_BAR(object)->link);
    gtk_widget_dispose_template(GTK_WIDGET(object), LONGRUN_TYPE_ABSENCE_BAR);
    G_OBJECT_CLASS(absence_bar_parent_class)->dispose(object);
}

static void absence_bar_class_init(AbsenceBarClass *class) {
    GtkWidgetClass *widget = GTK_WIDGET_CLASS(class);

    G_OBJECT_CLASS(class)->dispose = dispose;
    gtk_widget_class_set_layout_manager_type(widget, GTK_TYPE_BIN_LAYOUT);
    gtk_widget_class_set_template_from_resource(widget,
                                                "/org/longrun/Longrun/widgets/absence-bar.ui");
    gtk_widget_class_bind_template_child(widget, AbsenceBar, revealer);
    gtk_widget_class_bind_template_child(widget, AbsenceBar, title);
    gtk_widget_class_bind_template_child(widget, AbsenceBar, reason);
    gtk_widget_class_bind_template_child(widget, AbsenceBar, button);
    gtk_widget_class_install_action(widget, "bar.start", NULL, on_start);
}

static void absence_bar_init(AbsenceBar *self) {
    gtk_widget_init_template(GTK_WIDGET(self));
}
