#include "client-cli/follow.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "client-cli/output.h"

typedef struct Follow {
    sd_event *event;
    LogSource *source;
    LogView *view;
    int inotify_fd;
    TaskEnd end;
    bool done;
    int result; /* 0 or -errno, once it is done */
} Follow;

static int finish(Follow *f, int r) {
    f->done = true;
    f->result = r;
    return 0;
}

static int on_log_grown(sd_event_source *source, int fd, uint32_t events, void *userdata) {
    Follow *f = userdata;
    char buffer[4096];

    while (read(fd, buffer, sizeof(buffer)) > 0)
        ;
    int r = log_view_pump(f->view, f->source);
    return r < 0 ? finish(f, r) : 0;
}

/* Nobody reads any more: go as if we had written, rather than wait for the next line. */
static int on_reader_gone(sd_event_source *source, int fd, uint32_t events, void *userdata) {
    Follow *f = userdata;

    raise(SIGPIPE);
    return finish(f, -EPIPE);
}

/* The daemon answers when the last process of the task is gone: nothing is added to the log after
 * that, and what was added before is in it. */
static int on_ended(sd_bus_message *reply, void *userdata, sd_bus_error *error) {
    Follow *f = userdata;
    int r = client_read_ends(reply, &f->end, 1);

    /* Without the daemon there may be more in the log than has been copied, too. */
    int shown = log_view_pump(f->view, f->source);
    if (shown >= 0)
        shown = log_view_end(f->view);
    return finish(f, r < 0 ? r : shown);
}

static int watch_log(Follow *f) {
    char path[64];
    int r;

    f->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (f->inotify_fd < 0)
        return -errno;
    /* By descriptor: the file may have lost its name. */
    snprintf(path, sizeof(path), "/proc/self/fd/%d", f->source->log_fd);
    if (inotify_add_watch(f->inotify_fd, path, IN_MODIFY) < 0)
        return -errno;
    r = sd_event_add_io(f->event, NULL, f->inotify_fd, EPOLLIN, on_log_grown, f);
    return r < 0 ? r : client_watch_reader(f->event, on_reader_gone, f);
}

static int run(Follow *f, sd_bus *bus, uint64_t id) {
    int r;

    /* The watch and the question come before the first look: no byte and no end is missed. */
    r = watch_log(f);
    if (r >= 0)
        r = sd_bus_attach_event(bus, f->event, SD_EVENT_PRIORITY_NORMAL);
    if (r < 0) {
        print_error("cannot follow the log: %s", strerror(-r));
        return r;
    }
    r = client_wait_async(bus, id, on_ended, f);
    if (r < 0)
        return r;
    r = log_view_pump(f->view, f->source);
    if (r < 0)
        return r;
    r = client_loop(f->event, &f->done);
    return r < 0 ? r : f->result;
}

int follow_log(sd_bus *bus, uint64_t id, LogSource *source, LogView *view, TaskEnd *ret_end) {
    Follow f = {.source = source, .view = view, .inotify_fd = -EBADF};
    int r;

    r = sd_event_default(&f.event);
    if (r < 0)
        print_error("%s", strerror(-r));
    else
        r = run(&f, bus, id);

    sd_bus_detach_event(bus);
    sd_event_unref(f.event);
    f.inotify_fd = close_fd(f.inotify_fd);
    if (r < 0)
        return r;
    *ret_end = f.end;
    return 0;
}
