#include "client-cli/start-stdin.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client-cli/append.h"
#include "client-cli/client.h"
#include "client-cli/interrupt.h"
#include "client-cli/output.h"
#include "client-cli/stdin-writer.h"
#include "common/fd-io.h"
#include "common/parse.h"

#define NO_ROOM_HELP                                                                               \
    "write it while the command runs:\n"                                                           \
    "  longrun start --stdin-open -- COMMAND…, then: … | longrun write --close ID"

void start_stdin_done(StartStdin *s) {
    free(s->text);
    *s = (StartStdin){};
}

/* ---- what it is ---- */

/* The path that leads to the file which is open, or NULL. */
static char *path_of(int fd, const struct stat *st) {
    char link[64], path[PATH_MAX];
    struct stat named;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof(path) - 1);
    if (n <= 0)
        return NULL;
    path[n] = '\0';
    if (path[0] != '/' || stat(path, &named) < 0 || named.st_dev != st->st_dev ||
        named.st_ino != st->st_ino)
        return NULL;
    return must(strdup(path));
}

static const char *name_of(const char *path) {
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

static void describe(StartStdin *s, uint64_t size, const char *name) {
    _cleanup_free_ char *shown = name ? text_display(name) : NULL;
    char buf[FORMAT_MAX];

    if (asprintf(&s->text, "%s%s%s", format_size(buf, size), shown ? " of " : "", strempty(shown)) <
        0)
        s->text = must(NULL);
}

/* ---- what is appended ---- */

/* From the beginning; the place in the file, which others may share, stays where it is. -EFBIG,
 * without a message: it has more than goes with a call. */
static int append_copy(sd_bus_message *call, int fd, const char *name, StartStdin *ret) {
    _cleanup_free_ char *data = must(malloc(START_STDIN_MAX + 1));
    size_t size = 0;

    while (size <= START_STDIN_MAX) {
        ssize_t n = pread(fd, data + size, START_STDIN_MAX + 1 - size, (off_t)size);
        if (n < 0 && errno != EINTR)
            return print_error("cannot read %s: %s", name, strerror(errno));
        if (n == 0)
            break;
        size += n > 0 ? (size_t)n : 0;
    }
    if (size > START_STDIN_MAX)
        return -EFBIG;
    describe(ret, size, name);
    return append_bytes(call, "stdin", data, size);
}

static int append_path(const Invocation *inv, sd_bus_message *call, const char *path,
                       const struct stat *st, StartStdin *ret) {
    if (invocation_has(inv, OPT_STDIN_OPEN))
        return print_error(
            "%s: more than 1M on stdin and --stdin-open do not go together; " NO_ROOM_HELP, path);
    if (st->st_size > (off_t)START_STDIN_MAX)
        describe(ret, (uint64_t)st->st_size, path);
    else
        ret->text = text_display(path);
    return append_string(call, "stdin-file", path);
}

/* It may have grown since, and what is in /proc has no size at all. */
static int append_file(const Invocation *inv, sd_bus_message *call, int fd, const struct stat *st,
                       StartStdin *ret) {
    _cleanup_free_ char *path = path_of(fd, st);

    if (S_ISREG(st->st_mode) && st->st_size <= (off_t)START_STDIN_MAX) {
        int r = append_copy(call, fd, path ? name_of(path) : "a file", ret);
        if (r != -EFBIG)
            return r;
    }
    if (!path)
        return print_error("the file on stdin has more than 1M, and no name any more under which "
                           "the task could open it; " NO_ROOM_HELP);
    return append_path(inv, call, path, st, ret);
}

/* To its end, which the caller has said will come. */
static int append_rest(sd_bus_message *call, int fd, const char *name, StartStdin *ret) {
    _cleanup_free_ char *data = NULL;
    size_t size;
    int r = fd_read_all(fd, START_STDIN_MAX, &data, &size);

    if (r == -EFBIG)
        return print_error("there is more than 1M on %s; " NO_ROOM_HELP, name);
    if (r < 0)
        return print_error("cannot read %s: %s", name, strerror(-r));
    describe(ret, size, NULL);
    return append_bytes(call, "stdin", data, size);
}

/* ---- where it comes from ---- */

/* "longrun start … < FILE" says what is meant; a file that somebody else is reading, such as the
 * list of a loop in a shell, is none of ours, and of a pipe the end may never come. */
static bool is_meant(struct stat *ret) {
    int flags = fcntl(STDIN_FILENO, F_GETFL);

    return flags >= 0 && (flags & O_ACCMODE) != O_WRONLY && fstat(STDIN_FILENO, ret) >= 0 &&
           S_ISREG(ret->st_mode) && ret->st_size > 0 && lseek(STDIN_FILENO, 0, SEEK_CUR) == 0;
}

static int append_own(const Invocation *inv, sd_bus_message *call, StartStdin *ret) {
    struct stat st;

    if (!invocation_has(inv, OPT_FOLLOW))
        return is_meant(&st) ? append_file(inv, call, STDIN_FILENO, &st, ret)
                             : append_rest(call, STDIN_FILENO, "stdin", ret);
    ret->streams = true;
    return invocation_has(inv, OPT_STDIN_OPEN) ? 0 : append_bool(call, "stdin-open", true);
}

static int append_named(const Invocation *inv, const char *name, sd_bus_message *call,
                        StartStdin *ret) {
    _cleanup_close_ int fd = open(name, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return print_error("cannot open %s: %s", name, strerror(errno));
    if (S_ISDIR(st.st_mode))
        return print_error("cannot read %s: %s", name, strerror(EISDIR));
    return S_ISREG(st.st_mode) || S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)
               ? append_file(inv, call, fd, &st, ret)
               : append_rest(call, fd, name, ret);
}

int start_stdin_append(const Invocation *inv, sd_bus_message *call, StartStdin *ret) {
    const char *name = invocation_value(inv, OPT_STDIN);
    struct stat st;

    if (name && streq(name, "-"))
        return append_own(inv, call, ret);
    if (name)
        return append_named(inv, name, call, ret);
    return is_meant(&st) ? append_file(inv, call, STDIN_FILENO, &st, ret) : 0;
}

/* ---- while it runs ---- */

/* What keys do says the one who looks on. That the command reads no more is its own affair, as when
 * it is at the end of a pipe. */
static _Noreturn void stream(uint64_t id, pid_t parent) {
    StdinWriter w = {.may_close = true};
    _cleanup_bus_ sd_bus *bus = NULL;

    interrupt_say_nothing();
    if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || getppid() != parent)
        _exit(EXIT_FAILURE);
    int r = client_connect(&bus);
    if (r >= 0)
        r = stdin_writer_begin(&w, bus, id);
    if (r >= 0)
        r = stdin_writer_copy(&w, STDIN_FILENO);
    if (r >= 0)
        r = stdin_writer_close(&w);
    _exit(r < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
}

pid_t start_stdin_stream(uint64_t id) {
    pid_t parent = getpid(), pid = fork();

    if (pid == 0)
        stream(id, parent);
    if (pid < 0) {
        int error = errno;
        print_error("cannot write to the command: %s", strerror(error));
        return -error;
    }
    return pid;
}

void start_stdin_stop(pid_t pid) {
    if (pid <= 0)
        return;
    kill(pid, SIGTERM);
    while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
        ;
}
