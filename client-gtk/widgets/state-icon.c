#include "client-gtk/widgets/state-icon.h"

#include <glib/gi18n.h>

typedef struct Look {
    const char *icon, *style, *title;
} Look;

static const Look looks[_TASK_STATE_MAX] = {
    [TASK_WAITING] = {"alarm-symbolic", "dim-label", N_("Waiting")},
    [TASK_QUEUED] = {"view-list-symbolic", "dim-label", N_("Queued")},
    [TASK_STARTING] = {"media-playback-start-symbolic", "accent", N_("Starting")},
    [TASK_RUNNING] = {"media-playback-start-symbolic", "accent", N_("Running")},
    [TASK_PAUSED] = {"media-playback-pause-symbolic", "warning", N_("Paused")},
    [TASK_CANCELLING] = {"media-playback-stop-symbolic", "warning", N_("Cancelling")},
    [TASK_SUCCEEDED] = {"object-select-symbolic", "success", N_("Succeeded")},
    [TASK_FAILED] = {"dialog-error-symbolic", "error", N_("Failed")},
    [TASK_CANCELLED] = {"process-stop-symbolic", "dim-label", N_("Cancelled")},
    [TASK_TIMED_OUT] = {"dialog-warning-symbolic", "error", N_("Timed out")},
    [TASK_INTERRUPTED] = {"dialog-warning-symbolic", "error", N_("Interrupted")},
    [TASK_SKIPPED] = {"media-skip-forward-symbolic", "dim-label", N_("Skipped")},
};
static const Look unknown = {"dialog-question-symbolic", "dim-label", N_("Unknown")};

static const Look *look_of(TaskState state) {
    return state >= 0 && state < _TASK_STATE_MAX ? &looks[state] : &unknown;
}

const char *state_icon_name(TaskState state) {
    return look_of(state)->icon;
}

const char *state_style_class(TaskState state) {
    return look_of(state)->style;
}

const char *state_title(TaskState state) {
    return _(look_of(state)->title);
}

void state_icon_set(GtkImage *image, TaskState state) {
    const char *classes[] = {state_style_class(state), NULL};

    gtk_image_set_from_icon_name(image, state_icon_name(state));
    gtk_widget_set_css_classes(GTK_WIDGET(image), classes);
    gtk_widget_set_tooltip_text(GTK_WIDGET(image), state_title(state));
    gtk_accessible_update_property(GTK_ACCESSIBLE(image), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   state_title(state), -1);
}
