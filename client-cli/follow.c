#include "client-cli/follow.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "client-cli/output.h"
#include "common/gap-file.h"

/* At a time; stays in the cache of one core. */
#define BUFFER_SIZE (128 * KIB)

typedef struct Follow {
    sd_event *event;
    int log_fd, inotify_fd;
    uint64_t offset; /* of the next byte to copy */
    TaskEnd end;
    bool done;
    int result; /* 0 or -errno, once it is done */
} Follow;

/* stdout may have been made non-blocking by whoever shares it. */
static int wait_for_stdout(void) {
    struct pollfd p = {.fd = STDOUT_FILENO, .events = POLLOUT};

    return poll(&p, 1, -1) < 0 && errno != EINTR ? -errno : 0;
}

static int write_stdout(const char *data, size_t size) {
    while (size > 0) {
        ssize_t n = write(STDOUT_FILENO, data, size);
        if (n >= 0) {
            data += n;
            size -= (size_t)n;
        } else if (errno == EAGAIN) {
            int r = wait_for_stdout();
            if (r < 0)
                return r;
        } else if (errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}

/* What is left out of the log is said in the log, just before the hole. Who comes upon the hole
 * elsewhere has been overtaken by the task, and must be told. */
static void tell_of_gap(int fd, uint64_t from, uint64_t to) {
    if (from > 0 && lseek(fd, (off_t)from - 1, SEEK_HOLE) == (off_t)from)
        return;
    print_error("%" PRIu64 " bytes of the log were left out (log-max) before they could be copied",
                to - from);
}

/* By hand, not by sendfile(2): that would copy NULs when the writer makes a hole at this moment. */
static int copy(int fd, uint64_t *offset) {
    static char buffer[BUFFER_SIZE];

    for (;;) {
        uint64_t at = *offset;
        ssize_t n = gap_file_read(fd, &at, buffer, sizeof(buffer));
        if (n < 0)
            return (int)n;
        if (at != *offset)
            tell_of_gap(fd, *offset, at);
        *offset = at;
        if (n == 0)
            return 0;
        int r = write_stdout(buffer, (size_t)n);
        if (r < 0)
            return r;
        *offset += (uint64_t)n;
    }
}

/* Everything up to the present end of the log. */
static int copy_rest(int fd, uint64_t *offset) {
    int r = copy(fd, offset);

    if (r < 0)
        print_error("cannot copy the log to stdout: %s", strerror(-r));
    return r;
}

static int open_log(sd_bus *bus, uint64_t id) {
    _cleanup_message_ sd_bus_message *reply = NULL;
    int fd, r;

    r = client_call_task(bus, id, &reply, "OpenLog", NULL);
    if (r < 0)
        return r;
    r = sd_bus_message_read(reply, "h", &fd);
    if (r < 0)
        return client_report(NULL, r);
    /* The message owns its own. */
    fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
    if (fd >= 0)
        return fd;
    r = -errno;
    print_error("cannot open the log: %s", strerror(-r));
    return r;
}

int follow_log_once(sd_bus *bus, uint64_t id) {
    _cleanup_close_ int fd = open_log(bus, id);
    uint64_t offset = 0;

    if (fd < 0)
        return fd;
    return copy_rest(fd, &offset);
}

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
    int r = copy_rest(f->log_fd, &f->offset);
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
    int copied = copy_rest(f->log_fd, &f->offset);
    return finish(f, r < 0 ? r : copied);
}

static int watch_log(Follow *f) {
    char path[64];
    int r;

    f->inotify_fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (f->inotify_fd < 0)
        return -errno;
    /* By descriptor: the file may have lost its name. */
    snprintf(path, sizeof(path), "/proc/self/fd/%d", f->log_fd);
    if (inotify_add_watch(f->inotify_fd, path, IN_MODIFY) < 0)
        return -errno;
    r = sd_event_add_io(f->event, NULL, f->inotify_fd, EPOLLIN, on_log_grown, f);
    if (r < 0)
        return r;
    /* Files cannot be waited for, and need not be. */
    r = sd_event_add_io(f->event, NULL, STDOUT_FILENO, EPOLLERR, on_reader_gone, f);
    return r == -EPERM ? 0 : r;
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
    r = copy_rest(f->log_fd, &f->offset);
    if (r < 0)
        return r;
    r = client_loop(f->event, &f->done);
    return r < 0 ? r : f->result;
}

int follow_log(sd_bus *bus, uint64_t id, TaskEnd *ret_end) {
    Follow f = {.inotify_fd = -EBADF};
    int r;

    f.log_fd = open_log(bus, id);
    if (f.log_fd < 0)
        return f.log_fd;
    r = sd_event_new(&f.event);
    if (r < 0)
        print_error("%s", strerror(-r));
    else
        r = run(&f, bus, id);

    sd_bus_detach_event(bus);
    sd_event_unref(f.event);
    f.inotify_fd = close_fd(f.inotify_fd);
    f.log_fd = close_fd(f.log_fd);
    if (r < 0)
        return r;
    *ret_end = f.end;
    return 0;
}
