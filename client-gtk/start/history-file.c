#include "client-gtk/start/history-file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client-gtk/start/command-line.h"
#include "common/cleanup.h"

/* ---- reading ---- */

/* The end of the file, when it is larger than that. */
static char *read_end(int fd, off_t size) {
    off_t from = size > HISTORY_BYTES_MAX ? size - HISTORY_BYTES_MAX : 0;
    char *text = g_malloc(HISTORY_BYTES_MAX + 1);
    ssize_t n, length = 0;

    while (length < HISTORY_BYTES_MAX &&
           (n = pread(fd, text + length, (size_t)(HISTORY_BYTES_MAX - length), from + length)) > 0)
        length += n;
    text[length] = '\0';
    return text;
}

static char *read_text(const char *path) {
    _cleanup_close_ int fd = g_open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return g_strdup("");
    return read_end(fd, st.st_size);
}

static gboolean is_line(const char *line) {
    if (!*line || *line == ' ' || strlen(line) > COMMAND_LINE_MAX ||
        !g_utf8_validate(line, -1, NULL))
        return FALSE;
    for (const char *p = line; *p; p++)
        if ((guchar)*p < 0x20 && *p != '\t')
            return FALSE;
    return TRUE;
}

static GStrv newest_first(const char *text) {
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    GPtrArray *kept = g_ptr_array_new();

    for (guint i = g_strv_length(lines); i > 0 && kept->len < HISTORY_LINES_MAX; i--)
        if (is_line(lines[i - 1]))
            g_ptr_array_add(kept, g_strdup(lines[i - 1]));
    g_ptr_array_add(kept, NULL);
    return (GStrv)g_ptr_array_free(kept, FALSE);
}

GStrv history_file_read(const char *path) {
    g_autofree char *text = read_text(path);

    return newest_first(text);
}

/* ---- changing ---- */

/* The folder is locked, since the file is replaced by another one. */
static int lock_folder(const char *path) {
    g_autofree char *folder = g_path_get_dirname(path);
    int fd;

    if (g_mkdir_with_parents(folder, 0700) < 0)
        return -errno;
    fd = g_open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
    if (fd < 0)
        return -errno;
    while (flock(fd, LOCK_EX) < 0)
        if (errno != EINTR)
            break;
    return fd;
}

static GStrv put_first(const char *line, GStrv lines) {
    GPtrArray *all = g_ptr_array_new();
    gsize size = strlen(line) + 1;

    g_ptr_array_add(all, g_strdup(line));
    for (; *lines && all->len < HISTORY_LINES_MAX; lines++) {
        size += strlen(*lines) + 1;
        if (size > HISTORY_BYTES_MAX)
            break;
        if (!g_str_equal(*lines, line))
            g_ptr_array_add(all, g_strdup(*lines));
    }
    g_ptr_array_add(all, NULL);
    return (GStrv)g_ptr_array_free(all, FALSE);
}

static void write_lines(const char *path, GStrv lines) {
    g_autoptr(GString) text = g_string_new(NULL);
    g_autoptr(GError) error = NULL;

    for (guint i = g_strv_length(lines); i > 0; i--)
        g_string_append_printf(text, "%s\n", lines[i - 1]);
    if (!g_file_set_contents_full(path, text->str, (gssize)text->len,
                                  G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error))
        g_info("Cannot write the history, ignoring: %s", error->message);
}

GStrv history_file_add(const char *path, const char *line) {
    _cleanup_close_ int folder = is_line(line) ? lock_folder(path) : -EBADF;
    g_auto(GStrv) lines = history_file_read(path);
    GStrv all;

    if (folder < 0)
        return g_steal_pointer(&lines);
    all = put_first(line, lines);
    write_lines(path, all);
    return all;
}

void history_file_clear(const char *path) {
    _cleanup_close_ int folder = lock_folder(path);

    if (folder >= 0)
        g_unlink(path);
}
