#pragma once

#include <glib.h>

/* Size of a window, from one run to the next: a small file in the user's state directory. */
typedef struct WindowSize {
    int width, height; /* when it is not maximized */
    gboolean maximized;
} WindowSize;

/* What is no size, or would be no good one, leaves size as it is. */
void window_size_load(WindowSize *size, const char *path);

/* Not being able to is logged alone. */
void window_size_save(const WindowSize *size, const char *path);

/* $XDG_STATE_HOME/longrun-gtk/window.ini; free with g_free(). */
char *window_size_path(void);
