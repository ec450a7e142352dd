#pragma once

#include <adwaita.h>

/* Toasts of the window in which a widget is; without one, nothing happens. */

/* Takes toast. */
void toast_show(GtkWidget *from, AdwToast *toast);

void toast_text(GtkWidget *from, const char *text);

/* What went wrong; nothing for a call that was cancelled. what: "Could not cancel", or NULL. */
void toast_error(GtkWidget *from, const char *what, const GError *error);
