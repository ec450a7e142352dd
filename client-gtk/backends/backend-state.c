#include "client-gtk/backends/backend-state.h"

#include <glib/gi18n.h>

typedef struct Look {
    const char *state, *icon, *style, *title;
} Look;

static const Look looks[] = {
    {"online", "emblem-ok-symbolic", "success", N_("Online")},
    {"offline", "network-offline-symbolic", "error", N_("Offline")},
    {"unknown", "dialog-question-symbolic", "dim-label", N_("Unknown")},
};

static const Look *look_of(BackendItem *item) {
    const char *state = backend_item_get_text(item, "State");
    guint i = 0;

    while (i + 1 < G_N_ELEMENTS(looks) && !g_str_equal(looks[i].state, state))
        i++;
    return &looks[i];
}

const char *backend_state_title(BackendItem *item) {
    return _(look_of(item)->title);
}

void backend_state_set_icon(GtkImage *image, BackendItem *item) {
    const Look *look = look_of(item);
    const char *classes[] = {look->style, NULL};

    gtk_image_set_from_icon_name(image, look->icon);
    gtk_widget_set_css_classes(GTK_WIDGET(image), classes);
    gtk_widget_set_tooltip_text(GTK_WIDGET(image), _(look->title));
    gtk_accessible_update_property(GTK_ACCESSIBLE(image), GTK_ACCESSIBLE_PROPERTY_LABEL,
                                   _(look->title), -1);
}
