#pragma once

#include <gtk/gtk.h>

#include "client-gtk/base/daemon-link.h"

/* A bar that says that the daemon is not there, and why, with a button that starts it. Of no height
 * while it is there. */
#define LONGRUN_TYPE_ABSENCE_BAR (absence_bar_get_type())
G_DECLARE_FINAL_TYPE(AbsenceBar, absence_bar, LONGRUN, ABSENCE_BAR, GtkWidget)

/* Once. */
void absence_bar_set_link(AbsenceBar *self, DaemonLink *link);
