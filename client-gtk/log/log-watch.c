#include "client-gtk/log/log-watch.h"

#include <errno.h>
#include <glib-unix.h>
#include <sys/inotify.h>
#include <unistd.h>

/* Where there is no inotify to be had. */
#define POLL_MS 500

struct LogWatch {
    int notify;
    char *path; /* of the file, whatever it is called by now */
    guint source, poll;
    GSourceFunc changed;
    gpointer userdata;
};

static gboolean on_event(int fd, GIOCondition condition, gpointer userdata) {
    LogWatch *w = userdata;
    char buffer[4096];
    gboolean any = FALSE, ours = FALSE;

    for (gssize n; (n = read(fd, buffer, sizeof(buffer))) > 0; any = TRUE) {
        for (gssize at = 0; at < n;) {
            const struct inotify_event *e = (const void *)(buffer + at);
            ours |= (e->mask & ~(guint32)IN_IGNORED) != 0;
            at += (gssize)(sizeof(*e) + e->len);
        }
    }
    if (any && ours)
        w->changed(w->userdata);
    return G_SOURCE_CONTINUE;
}

static gboolean on_poll(gpointer userdata) {
    LogWatch *w = userdata;

    w->poll = 0;
    w->changed(w->userdata);
    return G_SOURCE_REMOVE;
}

void log_watch_arm(LogWatch *w) {
    if (w->notify >= 0 &&
        inotify_add_watch(w->notify, w->path, IN_MODIFY | IN_ATTRIB | IN_ONESHOT) >= 0)
        return;
    if (w->poll == 0)
        w->poll = g_timeout_add(POLL_MS, on_poll, w);
}

LogWatch *log_watch_new(int fd, GSourceFunc changed, gpointer userdata) {
    LogWatch *w = g_new0(LogWatch, 1);

    w->notify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    w->path = g_strdup_printf("/proc/self/fd/%d", fd);
    w->changed = changed;
    w->userdata = userdata;
    if (w->notify >= 0)
        w->source = g_unix_fd_add(w->notify, G_IO_IN, on_event, w);
    return w;
}

void log_watch_free(LogWatch *w) {
    if (!w)
        return;
    g_clear_handle_id(&w->source, g_source_remove);
    g_clear_handle_id(&w->poll, g_source_remove);
    if (w->notify >= 0)
        close(w->notify);
    g_free(w->path);
    g_free(w);
}
