#include "tests/unit/unit.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "common/fd-io.h"

char unit_dir[64];

static char base[32];

int unit_run(Suite *suite) {
    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* In the process that forks the tests: its teardown is run also when a test has crashed. */
static void make_base(void) {
    strcpy(base, "/tmp/longrun-test-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(base));
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    return remove(path);
}

static void remove_base(void) {
    nftw(base, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void make_dir(void) {
    snprintf(unit_dir, sizeof(unit_dir), "%s/XXXXXX", base);
    ck_assert_ptr_nonnull(mkdtemp(unit_dir));
}

void unit_use_dir(TCase *t) {
    tcase_add_unchecked_fixture(t, make_base, remove_base);
    tcase_add_checked_fixture(t, make_dir, NULL);
}

const char *unit_path(const char *name) {
    static char paths[8][4096];
    static size_t next;
    char *path = paths[next++ % ELEMENTSOF(paths)];

    MUST((size_t)snprintf(path, sizeof(paths[0]), "%s/%s", unit_dir, name) < sizeof(paths[0]));
    return path;
}

void unit_write(const char *name, const void *data, size_t size) {
    _cleanup_close_ int fd = open(unit_path(name), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    MUST(fd >= 0);
    MUST(fd_write_full(fd, data, size) == 0);
}

char *unit_read(const char *name, size_t *ret_size) {
    char *text;

    MUST(file_read_all(unit_path(name), 64 * MIB, &text, ret_size) == 0);
    return text;
}

bool unit_exists(const char *name) {
    struct stat st;
    return lstat(unit_path(name), &st) == 0;
}
