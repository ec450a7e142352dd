/* Whole reads and writes, folders with their parents, memory files. */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>

#include "common/cleanup.h"
#include "common/fd-io.h"
#include "tests/unit/unit.h"

static int open_test_file(const char *name, int flags) {
    int fd = open(unit_path(name), flags | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    return fd;
}

/* ---- reading ---- */

static const struct {
    size_t size, max;
    int r;
} reads[] = {
    {0, 0, 0},
    {0, 100, 0},
    {1, 0, -EFBIG},
    {1, 1, 0},
    {10, 9, -EFBIG},
    {10, 10, 0},
    {4095, 4095, 0},
    {4096, 4095, -EFBIG},
    {4096, 4096, 0},
    {4097, 4096, -EFBIG},
    {5000, 100000, 0},
    {100000, 100000, 0},
    {100001, 100000, -EFBIG},
};

START_TEST(test_read) {
    _cleanup_free_ char *data = malloc(reads[_i].size + 1), *text = NULL;
    size_t size = 4711;

    memset(data, 'x', reads[_i].size);
    unit_write("file", data, reads[_i].size);
    ck_assert_int_eq(file_read_all(unit_path("file"), reads[_i].max, &text, &size), reads[_i].r);
    if (reads[_i].r < 0) {
        ck_assert_ptr_null(text);
        ck_assert_uint_eq(size, 4711);
    } else {
        ck_assert_uint_eq(size, reads[_i].size);
        ck_assert_mem_eq(text, data, size);
        ck_assert_int_eq(text[size], '\0');
    }
}
END_TEST

/* Bytes that come one by one, and a signal in between. */
static void *write_slowly(void *userdata) {
    int fd = *(int *)userdata;

    for (int i = 0; i < 5000; i++)
        MUST(write(fd, "x", 1) == 1);
    close(fd);
    return NULL;
}

START_TEST(test_read_pipe) {
    _cleanup_free_ char *text = NULL;
    pthread_t thread;
    size_t size;
    int fds[2];

    ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
    ck_assert_int_eq(pthread_create(&thread, NULL, write_slowly, &fds[1]), 0);
    ck_assert_int_eq(fd_read_all(fds[0], 5000, &text, &size), 0);
    pthread_join(thread, NULL);
    ck_assert_uint_eq(size, 5000);
    ck_assert_uint_eq(strspn(text, "x"), 5000);
    close(fds[0]);
}
END_TEST

START_TEST(test_read_bad) {
    char *text = NULL;

    ck_assert_int_eq(fd_read_all(-1, 10, &text, NULL), -EBADF);
    ck_assert_int_eq(file_read_all(unit_path("none"), 10, &text, NULL), -ENOENT);
    ck_assert_int_eq(file_read_all(unit_dir, 10, &text, NULL), -EINVAL);

    unit_write("file", "abc", 3);
    ck_assert_int_eq(symlink("file", unit_path("link")), 0);
    ck_assert_int_eq(file_read_all(unit_path("link"), 10, &text, NULL), -ELOOP);

    /* Nobody writes to it: a blocking open would wait for ever. */
    ck_assert_int_eq(mkfifo(unit_path("fifo"), 0600), 0);
    ck_assert_int_eq(file_read_all(unit_path("fifo"), 10, &text, NULL), -EINVAL);
    ck_assert_ptr_null(text);
}
END_TEST

/* ---- writing ---- */

static volatile sig_atomic_t alarms;

static void on_alarm(int signal) {
    alarms++;
}

static void *read_slowly(void *userdata) {
    int fd = *(int *)userdata;
    static char data[1 * MIB];
    size_t size = 0;

    /* Nothing is read before the writer was disturbed: when it had put a part into the pipe, and
     * when it could not put in anything more. */
    while (alarms < 5)
        sched_yield();
    for (ssize_t n; (n = read(fd, data + size, 777)) > 0;)
        size += (size_t)n;
    close(fd);
    return memchr(data, 'y', size) ? NULL : (void *)size;
}

/* A pipe that takes less than it is given, and signals that break the writes off. */
START_TEST(test_write_pipe) {
    static char data[1 * MIB];
    struct sigaction action = {.sa_handler = on_alarm}; /* without SA_RESTART */
    struct itimerval often = {.it_interval.tv_usec = 200, .it_value.tv_usec = 200}, never = {};
    pthread_t thread;
    sigset_t set;
    void *read_size;
    int fds[2];

    memset(data, 'x', sizeof(data));
    ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
    sigemptyset(&set);
    sigaddset(&set, SIGALRM);
    pthread_sigmask(SIG_BLOCK, &set, NULL); /* the reader is left alone */
    ck_assert_int_eq(pthread_create(&thread, NULL, read_slowly, &fds[0]), 0);
    pthread_sigmask(SIG_UNBLOCK, &set, NULL);

    sigaction(SIGALRM, &action, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
    int r = fd_write_full(fds[1], data, sizeof(data));
    setitimer(ITIMER_REAL, &never, NULL);
    close(fds[1]);
    pthread_join(thread, &read_size);
    ck_assert_int_eq(r, 0);
    ck_assert_uint_eq((size_t)read_size, sizeof(data));
}
END_TEST

START_TEST(test_write_limit) {
    _cleanup_close_ int fd = open_test_file("file", O_WRONLY | O_CREAT);
    struct rlimit limit, low;
    struct stat st;
    char data[100] = {};

    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    low = limit;
    low.rlim_cur = 60;
    setrlimit(RLIMIT_FSIZE, &low);
    int r = fd_write_full(fd, data, sizeof(data));
    setrlimit(RLIMIT_FSIZE, &limit);
    ck_assert_int_eq(r, -EFBIG);
    ck_assert_int_eq(fstat(fd, &st), 0);
    ck_assert_int_eq(st.st_size, 60);
}
END_TEST

START_TEST(test_write_bad) {
    _cleanup_close_ int fd = open_test_file("file", O_RDONLY | O_CREAT);
    int fds[2];

    signal(SIGPIPE, SIG_IGN);
    ck_assert_int_eq(fd_write_full(fd, "abc", 3), -EBADF);
    ck_assert_int_eq(fd_write_full(fd, "", 0), 0);
    ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
    close(fds[0]);
    ck_assert_int_eq(fd_write_full(fds[1], "abc", 3), -EPIPE);
    close(fds[1]);
}
END_TEST

/* ---- folders ---- */

START_TEST(test_mkdir) {
    static const char *const paths[] = {"a", "a", "a/b/c", "a/b/d/", "a//e///f", "x/y/./z"};
    struct stat st;

    umask(0);
    for (size_t i = 0; i < ELEMENTSOF(paths); i++) {
        ck_assert_int_eq(mkdir_parents(unit_path(paths[i]), 0700), 0);
        ck_assert_int_eq(stat(unit_path(paths[i]), &st), 0);
        ck_assert(S_ISDIR(st.st_mode));
    }
    ck_assert_int_eq(stat(unit_path("a/b"), &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0700);

    ck_assert_int_eq(mkdir(unit_path("wide"), 0755), 0);
    ck_assert_int_eq(mkdir_parents(unit_path("wide/narrow"), 0700), 0);
    ck_assert_int_eq(stat(unit_path("wide"), &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0755); /* not its own */

    ck_assert_int_eq(chdir(unit_dir), 0);
    ck_assert_int_eq(mkdir_parents("relative/too", 0700), 0);
    ck_assert(unit_exists("relative/too"));
    ck_assert_int_eq(mkdir_parents("/", 0700), 0);
}
END_TEST

START_TEST(test_mkdir_bad) {
    _cleanup_free_ char *deep = malloc(5001);

    unit_write("file", "", 0);
    ck_assert_int_eq(mkdir_parents(unit_path("file"), 0700), -ENOTDIR);
    ck_assert_int_eq(mkdir_parents(unit_path("file/below"), 0700), -ENOTDIR);
    ck_assert_int_eq(mkdir_parents("", 0700), -EINVAL);
    ck_assert_int_eq(symlink("nowhere", unit_path("dangling")), 0);
    ck_assert_int_eq(mkdir_parents(unit_path("dangling"), 0700), -ENOENT);

    memset(deep, 'd', 5000);
    deep[0] = '/';
    deep[5000] = '\0';
    ck_assert_int_eq(mkdir_parents(deep, 0700), -ENAMETOOLONG);
    deep[300] = '\0';
    ck_assert_int_eq(mkdir_parents(deep, 0700), -ENAMETOOLONG); /* of one name */
}
END_TEST

/* ---- memory files ---- */

START_TEST(test_memfd) {
    static const char data[] = "nul\0inside";
    _cleanup_free_ char *text = NULL;
    size_t size;
    _cleanup_close_ int fd = memfd_new("test", data, sizeof(data));

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fcntl(fd, F_GETFD) & FD_CLOEXEC, FD_CLOEXEC);
    ck_assert_int_eq(fd_read_all(fd, 100, &text, &size), 0);
    ck_assert_uint_eq(size, sizeof(data));
    ck_assert_mem_eq(text, data, size);

    _cleanup_close_ int empty = memfd_new("empty", NULL, 0);
    ck_assert_int_ge(empty, 0);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("fd-io");
    TCase *t = tcase_create("fd-io");

    unit_use_dir(t);
    tcase_add_loop_test(t, test_read, 0, ELEMENTSOF(reads));
    tcase_add_test(t, test_read_pipe);
    tcase_add_test(t, test_read_bad);
    tcase_add_test(t, test_write_pipe);
    tcase_add_test(t, test_write_limit);
    tcase_add_test(t, test_write_bad);
    tcase_add_test(t, test_mkdir);
    tcase_add_test(t, test_mkdir_bad);
    tcase_add_test(t, test_memfd);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
