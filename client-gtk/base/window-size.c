#include "client-gtk/base/window-size.h"

#include <fcntl.h>
#include <unistd.h>

#define GROUP "Window"
#define FILE_MAX 4096 /* bytes; whatever else lies there is not ours */
#define SIZE_MIN 200
#define SIZE_MAX_PX 20000

/* ---- from and to the file ---- */

/* The file lies where anybody of the user's programs may put anything: no more of it is read than
 * ours has, and a FIFO does not hold up the window. */
static char *read_file(const char *path, gsize *ret_length) {
    g_autofree char *text = NULL;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    ssize_t n;

    if (fd < 0)
        return NULL;
    text = g_malloc(FILE_MAX + 1);
    n = read(fd, text, FILE_MAX);
    close(fd);
    if (n <= 0)
        return NULL;
    text[n] = 0;
    *ret_length = (gsize)n;
    return g_steal_pointer(&text);
}

static void load_length(GKeyFile *file, const char *key, int *length) {
    int value = g_key_file_get_integer(file, GROUP, key, NULL);

    if (value >= SIZE_MIN && value <= SIZE_MAX_PX)
        *length = value;
}

void window_size_load(WindowSize *size, const char *path) {
    g_autoptr(GKeyFile) file = g_key_file_new();
    gsize length;
    g_autofree char *text = read_file(path, &length);

    if (!text || !g_key_file_load_from_data(file, text, length, G_KEY_FILE_NONE, NULL))
        return;
    load_length(file, "Width", &size->width);
    load_length(file, "Height", &size->height);
    size->maximized = g_key_file_get_boolean(file, GROUP, "Maximized", NULL);
}

void window_size_save(const WindowSize *size, const char *path) {
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_autoptr(GError) error = NULL;
    g_autofree char *text = NULL, *folder = g_path_get_dirname(path);
    gsize length;

    g_key_file_set_integer(file, GROUP, "Width", size->width);
    g_key_file_set_integer(file, GROUP, "Height", size->height);
    g_key_file_set_boolean(file, GROUP, "Maximized", size->maximized);
    text = g_key_file_to_data(file, &length, NULL);
    g_mkdir_with_parents(folder, 0700);
    if (!g_file_set_contents_full(path, text, (gssize)length, G_FILE_SET_CONTENTS_CONSISTENT, 0600,
                                  &error))
        g_message("Cannot keep the size of the window, ignoring: %s", error->message);
}

char *window_size_path(void) {
    return g_build_filename(g_get_user_state_dir(), "longrun-gtk", "window.ini", NULL);
}
