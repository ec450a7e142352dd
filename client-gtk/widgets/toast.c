#include "client-gtk/widgets/toast.h"

#include "client-gtk/base/daemon-error.h"

/* A page lies in an overlay of its window; what is a window itself has one as its content. */
static AdwToastOverlay *find_overlay(GtkWidget *from) {
    GtkWidget *overlay = gtk_widget_get_ancestor(from, ADW_TYPE_TOAST_OVERLAY);

    if (!overlay && ADW_IS_APPLICATION_WINDOW(from))
        overlay = adw_application_window_get_content(ADW_APPLICATION_WINDOW(from));
    else if (!overlay && ADW_IS_WINDOW(from))
        overlay = adw_window_get_content(ADW_WINDOW(from));
    return overlay && ADW_IS_TOAST_OVERLAY(overlay) ? ADW_TOAST_OVERLAY(overlay) : NULL;
}

void toast_show(GtkWidget *from, AdwToast *toast) {
    AdwToastOverlay *overlay = find_overlay(from);

    if (overlay)
        adw_toast_overlay_add_toast(overlay, toast);
    else
        g_object_unref(toast);
}

/* A title is markup, and what the daemon says may have anything in it. */
void toast_text(GtkWidget *from, const char *text) {
    g_autofree char *escaped = g_markup_escape_text(text, -1);

    toast_show(from, adw_toast_new(escaped));
}

void toast_error(GtkWidget *from, const char *what, const GError *error) {
    g_autofree char *text = NULL, *all = NULL;

    if (daemon_error_is_cancelled(error))
        return;
    text = daemon_error_text(error);
    all = what ? g_strdup_printf("%s: %s", what, text) : g_strdup(text);
    toast_text(from, all);
}
