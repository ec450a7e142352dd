#pragma once

#include <adwaita.h>

#include "client-gtk/base/daemon-link.h"

/* The window: pages of tasks, backends and messages, and on top of them the page of a task. */
#define LONGRUN_TYPE_MAIN_WINDOW (main_window_get_type())
G_DECLARE_FINAL_TYPE(MainWindow, main_window, LONGRUN, MAIN_WINDOW, AdwApplicationWindow)

MainWindow *main_window_new(GtkApplication *app, DaemonLink *link);

void main_window_show_task(MainWindow *self, guint64 id);
