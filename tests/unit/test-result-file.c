/* The file with a task's result: written whole or not at all, looked at with suspicion, read once.
 */

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "common/cleanup.h"
#include "daemon/exec/result-file.h"
#include "tests/unit/unit.h"

START_TEST(test_path) {
    char buf[16];

    ck_assert_int_eq(result_file_path(buf, sizeof(buf), "/run/t-1"), 0);
    ck_assert_str_eq(buf, "/run/t-1/result");
    ck_assert_int_eq(result_file_path(buf, sizeof(buf), "/run/t-12"), -ENAMETOOLONG);
}
END_TEST

START_TEST(test_write) {
    struct stat st;

    umask(0);
    ck_assert_int_eq(result_file_write(unit_path("run/task-1"), "{\"a\":1}"), 0);
    ck_assert_int_eq(stat(unit_path("run/task-1"), &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0700);
    ck_assert_int_eq(stat(unit_path("run/task-1/result"), &st), 0);
    ck_assert_int_eq(st.st_mode & 07777, 0600);
    ck_assert(!unit_exists("run/task-1/result.part"));
    ck_assert_int_eq(result_file_write(unit_path("run/task-1"), "2"), 0); /* the last one counts */
    _cleanup_free_ char *text = unit_read("run/task-1/result", NULL);
    ck_assert_str_eq(text, "2");
}
END_TEST

/* The disk takes half of it: the result before it is still there. */
START_TEST(test_write_fails) {
    struct rlimit limit, low;

    ck_assert_int_eq(result_file_write(unit_dir, "\"good\""), 0);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &limit);
    low = limit;
    low.rlim_cur = 10;
    setrlimit(RLIMIT_FSIZE, &low);
    int r = result_file_write(unit_dir, "\"longer than ten bytes\"");
    setrlimit(RLIMIT_FSIZE, &limit);
    ck_assert_int_eq(r, -EFBIG);
    ck_assert(!unit_exists("result.part"));
    _cleanup_free_ char *text = unit_read("result", NULL);
    ck_assert_str_eq(text, "\"good\"");
}
END_TEST

START_TEST(test_write_bad) {
    unit_write("file", "", 0);
    ck_assert_int_eq(result_file_write(unit_path("file"), "1"), -ENOTDIR);
    ck_assert_int_eq(mkdir(unit_path("result"), 0700), 0); /* in its place */
    ck_assert_int_eq(result_file_write(unit_dir, "1"), -EISDIR);
    ck_assert(!unit_exists("result.part"));
}
END_TEST

/* ---- what a task has left ---- */

#define TEXT(literal) literal, sizeof(literal) - 1
#define RESULT_MAX 40

static const struct {
    const char *data;
    size_t size;
    int r; /* of the look: 1 = good */
} results[] = {
    {TEXT("{}"), 1},
    {TEXT("[1, 2, {\"a\": null}]\n"), 1},
    {TEXT("  \"text\"  "), 1},
    {TEXT("42"), 1},
    {TEXT("-1.5e3"), 1},
    {TEXT("null"), 1},
    {TEXT("true"), 1},
    {TEXT("\"pri\xc3\xa8re\""), 1},
    {TEXT("\"a string of exactly forty bytes, ja-ja\""), 1},
    {TEXT("\"a string of exactly forty-one byte, ja\"\n"), -EFBIG},
    {TEXT(""), -EBADMSG},
    {TEXT(" "), -EBADMSG},
    {TEXT("{"), -EBADMSG},
    {TEXT("{\"a\":}"), -EBADMSG},
    {TEXT("{} {}"), -EBADMSG},
    {TEXT("{}x"), -EBADMSG},
    {TEXT("plain words"), -EBADMSG},
    {TEXT("nan"), -EBADMSG},
    {TEXT("\"open"), -EBADMSG},
    {TEXT("\"bad \xff\""), -EBADMSG},
    {TEXT("\"half \xc3\""), -EBADMSG},
    {TEXT("{}\0"), -EBADMSG}, /* a D-Bus string has no NUL */
    {TEXT("{}\0{}"), -EBADMSG},
    {TEXT("\0"), -EBADMSG},
};

START_TEST(test_check) {
    unit_write("result", results[_i].data, results[_i].size);
    ck_assert_int_eq(result_file_check(unit_dir, RESULT_MAX), results[_i].r);
    /* What is not good is gone, what is good stays. */
    ck_assert_int_eq(unit_exists("result"), results[_i].r == 1);
    ck_assert_int_eq(result_file_check(unit_dir, RESULT_MAX), results[_i].r == 1);
}
END_TEST

START_TEST(test_read) {
    _cleanup_free_ char *text = NULL;

    unit_write("result", results[_i].data, results[_i].size);
    int r = result_file_read(unit_dir, RESULT_MAX, &text);
    ck_assert_int_eq(r, results[_i].r == 1 ? 0 : results[_i].r);
    if (r < 0)
        ck_assert_ptr_null(text);
    else {
        ck_assert_str_eq(text, results[_i].data);
        ck_assert(unit_exists("result")); /* for a next daemon, until the store has it */
    }
}
END_TEST

START_TEST(test_none) {
    char *text = NULL;

    ck_assert_int_eq(result_file_check(unit_dir, RESULT_MAX), 0);
    ck_assert_int_eq(result_file_check(unit_path("nowhere"), RESULT_MAX), 0);
    ck_assert_int_eq(result_file_read(unit_dir, RESULT_MAX, &text), -ENOENT);
    ck_assert_ptr_null(text);
}
END_TEST

/* A task may leave anything at all in the place of its result. */
START_TEST(test_no_file) {
    unit_write("secret", "\"secret\"", 8);
    ck_assert_int_eq(symlink("secret", unit_path("result")), 0);
    ck_assert_int_eq(result_file_check(unit_dir, RESULT_MAX), -ELOOP);
    ck_assert(!unit_exists("result") && unit_exists("secret"));

    ck_assert_int_eq(mkfifo(unit_path("result"), 0600), 0);
    ck_assert_int_eq(result_file_check(unit_dir, RESULT_MAX), -EINVAL); /* and does not wait */
    ck_assert(!unit_exists("result"));

    ck_assert_int_eq(mkdir(unit_path("result"), 0700), 0);
    ck_assert_int_eq(result_file_check(unit_dir, RESULT_MAX), -EINVAL);
}
END_TEST

/* It could not be read: that is no fault of what is in it. */
START_TEST(test_no_descriptors) {
    struct rlimit limit, none;

    unit_write("result", "{}", 2);
    getrlimit(RLIMIT_NOFILE, &limit);
    none = limit;
    none.rlim_cur = 0;
    setrlimit(RLIMIT_NOFILE, &none);
    int r = result_file_check(unit_dir, RESULT_MAX);
    setrlimit(RLIMIT_NOFILE, &limit);
    ck_assert_int_eq(r, -EMFILE);
    ck_assert(result_file_may_be_good(r));
    ck_assert_int_eq(result_file_check(unit_dir, RESULT_MAX), 1);
    ck_assert(!result_file_may_be_good(-EBADMSG) && !result_file_may_be_good(-EFBIG));
}
END_TEST

/* Brackets without end: the reader has a stack of its own to think of. */
START_TEST(test_deep) {
    _cleanup_free_ char *deep = malloc(200000);

    memset(deep, '[', 100000);
    memset(deep + 100000, ']', 100000);
    unit_write("result", deep, 200000);
    ck_assert_int_eq(result_file_check(unit_dir, MIB), -EBADMSG);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("result-file");
    TCase *t = tcase_create("result-file");

    unit_use_dir(t);
    tcase_add_test(t, test_path);
    tcase_add_test(t, test_write);
    tcase_add_test(t, test_write_fails);
    tcase_add_test(t, test_write_bad);
    tcase_add_loop_test(t, test_check, 0, ELEMENTSOF(results));
    tcase_add_loop_test(t, test_read, 0, ELEMENTSOF(results));
    tcase_add_test(t, test_none);
    tcase_add_test(t, test_no_file);
    tcase_add_test(t, test_no_descriptors);
    tcase_add_test(t, test_deep);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
