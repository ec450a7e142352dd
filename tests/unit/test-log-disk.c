/* Logs on file systems of their own: one without holes, and one that is full. */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/log-file.h"
#include "tests/unit/unit.h"

#define START UINT64_C(1700000000000000)
#define ID 42
#define EXIT_SKIP 77

static char data[512 * KIB];

/* Gone with the process of the test. */
static void mount_small(const char *type, const char *options) {
    MUST(mount(type, unit_dir, type, MS_NOSUID | MS_NODEV, options) == 0);
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (char)('!' + (i ^ i >> 7 ^ i >> 13) % 90);
}

static void append(LogFile *f, const char *text, size_t size) {
    log_file_append(f, LOG_STREAM_STDOUT, START, text, size);
}

static void expect(const LogFile *f, uint64_t kept, const char *note, uint64_t dropped) {
    size_t size;
    _cleanup_free_ char *log = unit_read("42.log", &size);

    ck_assert_uint_eq(size, kept + strlen(note));
    ck_assert_uint_eq(f->size, size);
    ck_assert_uint_eq(f->dropped, dropped);
    ck_assert_mem_eq(log, data, kept);
    ck_assert_str_eq(log + kept, note);
}

/* ---- no holes: the head alone is kept ---- */

#define FULL "\n[longrun] the log is full (log-max 64.0K): what follows is not kept\n"

static const struct {
    size_t first, second;
    bool full;
} heads[] = {
    {1, 64 * KIB - 1, false}, {64 * KIB, 0, false},          {64 * KIB, 1, true},
    {64 * KIB + 1, 0, true},  {100, 300 * KIB, true},        {300 * KIB, 7, true},
    {30000, 34 * KIB, false}, {64 * KIB - 1, 5 * KIB, true},
};

START_TEST(test_no_holes) {
    size_t total = heads[_i].first + heads[_i].second, kept = MIN(total, (size_t)64 * KIB);
    LogFile f;

    mount_small("ramfs", "mode=0700");
    int fd = open(unit_path("try"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    MUST(fd >= 0 && write(fd, data, 8192) == 8192);
    /* Or the test would show nothing. */
    ck_assert_int_eq(fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096), -1);
    ck_assert_int_eq(errno, EOPNOTSUPP);
    close(fd);

    log_file_init(&f, unit_dir, ID, 64 * KIB);
    append(&f, data, heads[_i].first);
    append(&f, data + heads[_i].first, heads[_i].second);
    expect(&f, kept, heads[_i].full ? FULL : "", total - kept);
    ck_assert_int_eq(f.full, heads[_i].full);
    ck_assert_int_eq(f.error, 0);
    if (heads[_i].full) {
        /* One note, and nothing behind it. */
        append(&f, data, 1000);
        expect(&f, kept, FULL, total - kept + 1000);
    }
    log_file_done(&f);
}
END_TEST

/* What was lost is told of also where there is no room left. */
START_TEST(test_no_holes_and_lost) {
    LogFile f;

    mount_small("ramfs", "mode=0700");
    log_file_init(&f, unit_dir, ID, 64 * KIB);
    append(&f, data, 64 * KIB);
    f.lost = 5;
    f.error = -EIO;
    append(&f, "abc", 3);
    append(&f, "def", 3);
    expect(&f, 64 * KIB, "\n[longrun] 5 bytes were lost: Input/output error\n" FULL, 6);
    ck_assert_uint_eq(f.lost, 0);
    log_file_done(&f);
}
END_TEST

/* The log has room, its index has not: what follows is of no stream that is known. */
START_TEST(test_no_holes_in_the_index) {
    LogIndexEntry last;
    LogFile f;

    mount_small("ramfs", "mode=0700");
    log_file_init(&f, unit_dir, ID, 100 * KIB);
    for (size_t i = 0; i < 10000; i++)
        log_file_append(&f, i % 2 == 0 ? LOG_STREAM_STDOUT : LOG_STREAM_STDERR, START, data + i, 1);
    expect(&f, 10000, "", 0);
    ck_assert_int_eq(f.error, 0);
    ck_assert(f.index_full);
    size_t size, entries = LOG_INDEX_MIN / sizeof(LogIndexEntry);
    _cleanup_free_ char *index = unit_read("42.idx", &size);
    ck_assert_uint_eq(size, (entries + 1) * sizeof(LogIndexEntry));
    memcpy(&last, index + size - sizeof(last), sizeof(last));
    ck_assert_uint_eq(log_index_entry_offset(&last), entries);
    ck_assert_int_eq(log_index_entry_stream(&last), LOG_STREAM_UNKNOWN);
    log_file_done(&f);
}
END_TEST

/* ---- a full disk ---- */

START_TEST(test_full_disk) {
    char note[128];
    LogFile f;

    mount_small("tmpfs", "size=64k,mode=0700");
    /* Somebody else's. */
    unit_write("other", data, 40 * KIB);
    log_file_init(&f, unit_dir, ID, MIB);
    append(&f, data, 100 * KIB);
    ck_assert_int_eq(f.error, -ENOSPC);
    /* A page is the index's. */
    size_t kept = 20 * KIB, lost = 80 * KIB;
    expect(&f, kept, "", lost);
    append(&f, "more", 4);
    expect(&f, kept, "", lost + 4);
    ck_assert_uint_eq(f.lost, lost + 4);

    /* There is room again: first of all that is said. */
    ck_assert_int_eq(unlink(unit_path("other")), 0);
    int n = snprintf(note, sizeof(note),
                     "\n[longrun] %d bytes were lost: No space left on device\n", (int)lost + 4);
    append(&f, "on", 2);
    memcpy(note + n, "on", 3);
    expect(&f, kept, note, lost + 4);
    ck_assert_uint_eq(f.lost, 0);
    log_file_done(&f);
}
END_TEST

/* The cap makes room where the disk has none, and a log that lost bytes has a gap like any other.
 */
START_TEST(test_full_disk_and_gap) {
    LogFile f;

    mount_small("tmpfs", "size=64k,mode=0700");
    log_file_init(&f, unit_dir, ID, 48 * KIB);
    for (int i = 0; i < 20; i++)
        append(&f, data, 10000);
    ck_assert_int_eq(f.error, 0);
    ck_assert_uint_eq(f.size, 200000);
    ck_assert_uint_le(f.kept, 48 * KIB);

    unit_write("other", data, 0);
    int fd = open(unit_path("other"), O_WRONLY | O_CLOEXEC);
    while (write(fd, data, 4096) == 4096)
        ;
    close(fd);
    uint64_t size = f.size;
    for (int i = 0; i < 20; i++)
        append(&f, data, 1000);
    ck_assert_uint_gt(f.size, size);
    unlink(unit_path("other"));
    append(&f, data, 10000);
    ck_assert_uint_eq(f.lost, 0);
    log_file_done(&f);

    _cleanup_close_ int log = open(unit_path("42.log"), O_RDONLY | O_CLOEXEC);
    char buf[4096];
    uint64_t at = 0;
    for (ssize_t n; (n = gap_file_read(log, &at, buf, sizeof(buf))) > 0; at += (uint64_t)n)
        MUST(!memchr(buf, 0, (size_t)n));
    ck_assert_uint_eq(at, f.size);
}
END_TEST

/* Not even a file can be made. */
START_TEST(test_full_from_the_start) {
    LogFile f;

    mount_small("tmpfs", "size=16k,nr_inodes=2,mode=0700");
    unit_write("other", "", 0);
    log_file_init(&f, unit_dir, ID, MIB);
    append(&f, "abc", 3);
    append(&f, "def", 3);
    ck_assert_int_eq(f.error, -ENOSPC);
    ck_assert_uint_eq(f.lost, 6);
    unlink(unit_path("other"));
    append(&f, "ghi", 3); /* for the log, but not for its index */
    ck_assert_uint_eq(f.dropped, 9);
    log_file_done(&f);
    ck_assert_int_eq(mount("tmpfs", unit_dir, "tmpfs", MS_REMOUNT, "size=16k,nr_inodes=5"), 0);
    log_file_init(&f, unit_dir, ID, MIB);
    append(&f, data, 3);
    expect(&f, 3, "", 0);
    log_file_done(&f);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("log-disk");
    TCase *t = tcase_create("log-disk");

    unit_use_dir(t);
    tcase_add_loop_test(t, test_no_holes, 0, ELEMENTSOF(heads));
    tcase_add_test(t, test_no_holes_and_lost);
    tcase_add_test(t, test_no_holes_in_the_index);
    tcase_add_test(t, test_full_disk);
    tcase_add_test(t, test_full_disk_and_gap);
    tcase_add_test(t, test_full_from_the_start);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
        printf("SKIP: cannot mount file systems of its own, that takes root: %s\n",
               strerror(errno));
        return EXIT_SKIP;
    }
    return unit_run(suite_new());
}
