#include "client-cli/start-stdin.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client-cli/append.h"
#include "client-cli/client.h"
#include "client-cli/output.h"
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

/* Files of /proc have no size. */
static bool has_bytes(int fd, const struct stat *st) {
    char c;

    return S_ISREG(st->st_mode) && (st->st_size > 0 || pread(fd, &c, 1, 0) == 1);
}

/* "longrun start … < FILE" says what is meant; a file that somebody else is reading, such as the
 * list of a loop in a shell, is none of ours, and of a pipe the end may never come. */
static bool is_meant(struct stat *ret) {
    int flags = fcntl(STDIN_FILENO, F_GETFL);

    return flags >= 0 && (flags & O_ACCMODE) != O_WRONLY && fstat(STDIN_FILENO, ret) >= 0 &&
           lseek(STDIN_FILENO, 0, SEEK_CUR) == 0 && has_bytes(STDIN_FILENO, ret);
}

/* Whether each attempt can have it anew, which is more than what is written once. */
static bool is_there_again(const Invocation *inv, const struct stat *st) {
    _cleanup_free_ char *path = path_of(STDIN_FILENO, st);

    /* Of a file in /proc the size is not known; but it has its name. */
    return !invocation_has(inv, OPT_STDIN_OPEN) &&
           (path || (st->st_size > 0 && st->st_size <= (off_t)START_STDIN_MAX));
}

static int append_own(const Invocation *inv, sd_bus_message *call, StartStdin *ret) {
    bool follows = invocation_has(inv, OPT_FOLLOW);
    struct stat st;

    if (is_meant(&st) && (!follows || is_there_again(inv, &st)))
        return append_file(inv, call, STDIN_FILENO, &st, ret);
    if (!follows)
        return append_rest(call, STDIN_FILENO, "stdin", ret);
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

/* ---- what is left ---- */

void start_stdin_hint(const Invocation *inv) {
    struct stat st;
    int n = 0;

    if (invocation_has(inv, OPT_STDIN) || fstat(STDIN_FILENO, &st) < 0 || !S_ISFIFO(st.st_mode) ||
        ioctl(STDIN_FILENO, FIONREAD, &n) < 0 || n == 0)
        return;
    print_error("stdin is a pipe and is not read; \"--stdin -\" hands it on");
}
