/* The kind "checksum" on real files: digests, names, what cannot be read, files that change. */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdarg.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "common/fd-io.h"
#include "daemon/kinds/kinds.h"
#include "tests/unit/fake-task-context.h"

#define SHA256_EMPTY "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define SHA256_ABC "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define SHA256_A "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"

#define BLOCK ((size_t)256 * KIB) /* what the kind reads at once */

/* ---- a tree of files: made before each test forks, removed when all have ended ---- */

static char base[PATH_MAX];

static void make_base(void) {
    strcpy(base, "/tmp/longrun-test-XXXXXX"); /* short: a socket's path has 107 bytes */
    ck_assert_ptr_nonnull(mkdtemp(base));
    ck_assert_int_eq(chmod(base, 0755), 0);
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw) {
    return remove(path);
}

static void remove_base(void) {
    nftw(base, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

/* Path of a file of this test, for the moment: there are eight of them. */
static const char *at(const char *name) {
    static char paths[8][PATH_MAX];
    static size_t next;
    char *path = paths[next++ % ELEMENTSOF(paths)];

    ck_assert_int_lt(snprintf(path, PATH_MAX, "%s/%d%s", base, (int)getpid(), name), PATH_MAX);
    return path;
}

static void put_bytes(const char *name, const void *data, size_t size, int flags) {
    int fd = open(at(name), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0644);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fd_write_full(fd, data, size), 0);
    close(fd);
}

static void put(const char *name, const char *text) {
    put_bytes(name, text, strlen(text), O_TRUNC);
}

static void put_zeros(const char *name, size_t size, int flags) {
    _cleanup_free_ char *zeros = calloc(1, size);

    put_bytes(name, zeros, size, flags);
}

static void make_folder(const char *name) {
    ck_assert_int_eq(mkdir_parents(at(name), 0755), 0);
}

/* ---- running ---- */

/* Params with the paths, NULL at the end; the caller frees them. */
static cJSON *params_new(const char *algorithm, const char *const *paths) {
    cJSON *params = cJSON_CreateObject();
    cJSON *array = cJSON_AddArrayToObject(params, "paths");

    for (; *paths; paths++)
        cJSON_AddItemToArray(array, cJSON_CreateString(*paths));
    if (algorithm)
        cJSON_AddStringToObject(params, "algorithm", algorithm);
    return params;
}

static int run_with(FakeTaskContext *f, const char *algorithm, const char *const *paths) {
    _cleanup_(cJSON_Deletep) cJSON *params = params_new(algorithm, paths);
    _cleanup_free_ char *error = NULL;

    ck_assert_msg(kind_checksum.check(params, &error) == 0, "%s", error);
    int r = kind_checksum.run(&f->context, params);
    ck_assert(r == 0 || !f->complete);
    return r;
}

#define run(f, ...) run_with(f, NULL, (const char *const[]){__VA_ARGS__, NULL})

/* Compares the result with names, below the test's folder, and digests, in order. */
static void expect_result(const FakeTaskContext *f, const char *const (*expected)[2]) {
    _cleanup_(cJSON_Deletep) cJSON *result = cJSON_Parse(f->result);
    const cJSON *entry = result->child;

    for (; (*expected)[0]; expected++, entry = entry->next) {
        ck_assert_msg(entry != NULL, "missing: %s", (*expected)[0]);
        ck_assert_str_eq(entry->string, at((*expected)[0]));
        ck_assert_str_eq(entry->valuestring, (*expected)[1]);
    }
    ck_assert_msg(entry == NULL, "one too many: %s", entry ? entry->string : "");
}

#define expect(f, ...) expect_result(f, (const char *const[][2]){__VA_ARGS__, {NULL, NULL}})

static void expect_event(const FakeTaskContext *f, const char *format, ...) _printf_(2, 3);
static void expect_event(const FakeTaskContext *f, const char *format, ...) {
    char event[2 * PATH_MAX];
    va_list ap;

    va_start(ap, format);
    vsnprintf(event, sizeof(event), format, ap);
    va_end(ap);
    if (fake_task_context_has(f, event))
        return;
    for (size_t i = 0; i < f->n_events; i++)
        fprintf(stderr, "    %s\n", f->events[i]);
    ck_abort_msg("missing: %s", event);
}

/* ---- digests ---- */

START_TEST(test_tree) {
    FakeTaskContext f;

    make_folder("/t/sub/deeper");
    make_folder("/t/void");
    put("/t/sub/deeper/a", "a");
    put("/t/abc", "abc");
    put("/t/sub/empty", "");

    fake_task_context_init(&f);
    ck_assert_int_eq(run(&f, at("/t")), 0);
    expect(&f, {"/t/abc", SHA256_ABC}, {"/t/sub/deeper/a", SHA256_A},
           {"/t/sub/empty", SHA256_EMPTY});
    ck_assert_str_eq(f.message, "3 files, 4B");
    expect_event(&f, "log %s  %s", SHA256_ABC, at("/t/abc"));
    expect_event(&f, "log %s  %s", SHA256_A, at("/t/sub/deeper/a"));
    expect_event(&f, "log %s  %s", SHA256_EMPTY, at("/t/sub/empty"));
    ck_assert_str_eq(f.events[0], "phase scan");
    ck_assert_str_eq(f.events[1], "progress 3/0 bytes");
    ck_assert_str_eq(f.events[2], "status Counting: 1 files, 3B");
    ck_assert_str_eq(f.events[3], "phase hash");
    expect_event(&f, "status %s", at("/t/abc"));
    expect_event(&f, "progress 4/4 bytes");
    ck_assert(f.complete);
    fake_task_context_done(&f);
}
END_TEST

/* Of "abc"; from FIPS 180-4, FIPS 202, RFC 1321, RFC 7693. */
static const struct {
    const char *algorithm, *digest;
} digests[] = {
    {NULL, SHA256_ABC},
    {"sha256", SHA256_ABC},
    {"SHA256", SHA256_ABC},
    {"sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"},
    {"md5", "900150983cd24fb0d6963f7d28e17f72"},
    {"sha512", "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
               "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"},
    {"sha3-256", "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"},
    {"blake2b-512", "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
                    "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"},
};

START_TEST(test_algorithms) {
    FakeTaskContext f;

    make_folder("");
    put("/abc", "abc");
    fake_task_context_init(&f);
    ck_assert_int_eq(run_with(&f, digests[_i].algorithm, (const char *const[]){at("/abc"), NULL}),
                     0);
    expect(&f, {"/abc", digests[_i].digest});
    expect_event(&f, "log %s  %s", digests[_i].digest, at("/abc"));
    fake_task_context_done(&f);
}
END_TEST

/* More than one block, and not a multiple of one: "a" a million times (FIPS 180-2). */
START_TEST(test_many_blocks) {
    _cleanup_free_ char *million = malloc(1000000);
    FakeTaskContext f;

    make_folder("");
    memset(million, 'a', 1000000);
    put_bytes("/million", million, 1000000, 0);
    fake_task_context_init(&f);
    ck_assert_int_eq(run(&f, at("/million")), 0);
    expect(&f, {"/million", "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"});
    ck_assert_uint_eq(f.total, 1000000);
    fake_task_context_done(&f);
}
END_TEST

START_TEST(test_nothing) {
    FakeTaskContext f;

    make_folder("/t");
    fake_task_context_init(&f);
    ck_assert_int_eq(run(&f, at("/t")), 0);
    ck_assert_str_eq(f.result, "{}");
    ck_assert_str_eq(f.message, "0 files, 0B");
    fake_task_context_done(&f);
}
END_TEST

/* ---- which paths ---- */

START_TEST(test_overlap) {
    FakeTaskContext f;

    make_folder("/t/sub");
    put("/t/a", "a");
    put("/t/sub/abc", "abc");
    put("/t/sub/empty", "");
    ck_assert_int_eq(symlink("sub", at("/t/link")), 0);

    fake_task_context_init(&f);
    ck_assert_int_eq(
        run(&f, at("/t/sub/abc"), at("/t/link"), at("//t/./a"), at("/t/sub/"), at("/t"), at("/t")),
        0);
    expect(&f, {"/t/a", SHA256_A}, {"/t/link/abc", SHA256_ABC}, {"/t/link/empty", SHA256_EMPTY},
           {"/t/sub/empty", SHA256_EMPTY}, {"/t/sub/abc", SHA256_ABC});
    fake_task_context_done(&f);
}
END_TEST

START_TEST(test_symlinks) {
    FakeTaskContext f;

    make_folder("/t/sub");
    put("/t/a", "a");
    ck_assert_int_eq(symlink(".", at("/t/sub/loop")), 0);
    ck_assert_int_eq(symlink("y", at("/t/x")), 0);
    ck_assert_int_eq(symlink("x", at("/t/y")), 0);
    ck_assert_int_eq(symlink("a", at("/t/to-a")), 0);
    ck_assert_int_eq(symlink("nowhere", at("/t/dangling")), 0);

    fake_task_context_init(&f);
    ck_assert_int_eq(run(&f, at("/t")), 0);
    expect(&f, {"/t/a", SHA256_A});
    fake_task_context_done(&f);

    /* The same, asked for by name. */
    fake_task_context_init(&f);
    ck_assert_int_eq(run(&f, at("/t/to-a"), at("/t/dangling"), at("/t/x")), -EIO);
    expect(&f, {"/t/to-a", SHA256_A});
    expect_event(&f, "log-error %s: No such file or directory", at("/t/dangling"));
    ck_assert_ptr_nonnull(strstr(f.message, "2 of 3 files could not be read, the first: "));
    fake_task_context_done(&f);
}
END_TEST

static void make_socket(const char *name) {
    struct sockaddr_un sa = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    ck_assert_uint_lt(strlen(at(name)), sizeof(sa.sun_path));
    strcpy(sa.sun_path, at(name));
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
    close(fd);
}

START_TEST(test_special) {
    FakeTaskContext f;

    make_folder("/t");
    put("/t/a", "a");
    ck_assert_int_eq(mkfifo(at("/t/fifo"), 0644), 0);
    make_socket("/t/socket");

    fake_task_context_init(&f);
    ck_assert_int_eq(run(&f, at("/t")), 0);
    expect(&f, {"/t/a", SHA256_A});
    expect_event(&f, "log-error %s: skipped: neither a file nor a folder, not opened",
                 at("/t/fifo"));
    expect_event(&f, "log-error %s: skipped: neither a file nor a folder, not opened",
                 at("/t/socket"));
    ck_assert_str_eq(f.message, "1 file, 1B");
    fake_task_context_done(&f);

    fake_task_context_init(&f);
    ck_assert_int_eq(run(&f, at("/t/fifo"), "/dev/zero"), -EIO);
    ck_assert_str_eq(f.message, "2 of 2 files could not be read, the first: /dev/zero: neither a "
                                "file nor a folder, not opened");
    fake_task_context_done(&f);
}
END_TEST

START_TEST(test_odd_names) {
    static const char *const names[] = {"/t/1\nline",   "/t/2back\\slash", "/t/3\xff", "/t/4\\xff",
                                        "/t/5\xc3\xa9", "/t/6\\\xff\n",    NULL};
    FakeTaskContext f;

    make_folder("/t");
    for (size_t i = 0; names[i]; i++)
        put(names[i], "a");
    fake_task_context_init(&f);
    ck_assert_int_eq(run(&f, at("/t")), 0);

    _cleanup_(cJSON_Deletep) cJSON *result = cJSON_Parse(f.result);
    const char *const keys[] = {"/t/1\nline", "/t/2back\\slash", "/t/3\\xff",
                                "/t/4\\xff",  "/t/5\xc3\xa9",    "/t/6\\\\\\xff\\x0a"};
    for (int i = 0; i < (int)ELEMENTSOF(keys); i++) {
        const char *key = cJSON_GetArrayItem(result, i)->string;
        bool marked = i == 2 || i == 5; /* those that are not valid UTF-8 */
        ck_assert_int_eq(key[0], marked ? '\\' : '/');
        ck_assert_str_eq(key + marked, at(keys[i]));
    }
    ck_assert_int_eq(cJSON_GetArraySize(result), ELEMENTSOF(keys));

    expect_event(&f, "log \\%s  %s", SHA256_A, at("/t/1\\nline"));
    expect_event(&f, "log \\%s  %s", SHA256_A, at("/t/2back\\\\slash"));
    expect_event(&f, "log %s  %s", SHA256_A, at("/t/3\xff"));
    expect_event(&f, "log \\%s  %s", SHA256_A, at("/t/6\\\\\xff\\n"));
    fake_task_context_done(&f);
}
END_TEST

/* ---- what cannot be read ---- */

START_TEST(test_missing) {
    FakeTaskContext f;

    make_folder("");
    put("/a", "a");
    fake_task_context_init(&f);
    ck_assert_int_eq(run(&f, at("/a"), at("/a/b"), at("/gone")), -EIO);
    expect(&f, {"/a", SHA256_A});
    expect_event(&f, "log-error %s: Not a directory", at("/a/b"));
    expect_event(&f, "log-error %s: No such file or directory", at("/gone"));

    char message[2 * PATH_MAX];
    snprintf(message, sizeof(message),
             "2 of 3 files could not be read, the first: %s: Not a directory", at("/a/b"));
    ck_assert_str_eq(f.message, message);
    fake_task_context_done(&f);
}
END_TEST

START_TEST(test_forbidden) {
    FakeTaskContext f;

    make_folder("/t/locked");
    put("/t/a", "a");
    put("/t/b", "b");
    put("/t/locked/c", "c");
    ck_assert_int_eq(chmod(at("/t/b"), 0), 0);
    ck_assert_int_eq(chmod(at("/t/locked"), 0), 0);

    /* To root nothing is forbidden. */
    bool root = geteuid() == 0;
    if (root)
        ck_assert_int_eq(seteuid(65534), 0);
    fake_task_context_init(&f);
    int r = run(&f, at("/t"));
    if (root)
        ck_assert_int_eq(seteuid(0), 0);
    ck_assert_int_eq(chmod(at("/t/locked"), 0755), 0);

    ck_assert_int_eq(r, -EIO);
    expect(&f, {"/t/a", SHA256_A});
    expect_event(&f, "log-error %s: Permission denied", at("/t/b"));
    expect_event(&f, "log-error %s: Permission denied", at("/t/locked"));
    ck_assert_ptr_nonnull(strstr(f.message, "2 of 3 files could not be read, the first: "));
    fake_task_context_done(&f);
}
END_TEST

/* A tree that is deeper than a path can be long ends where paths end, and says so. */
START_TEST(test_deep) {
    char name[201] = {};
    FakeTaskContext f;

    make_folder("/t");
    memset(name, 'd', 200);
    int fd = open(at("/t"), O_RDONLY | O_DIRECTORY | O_CLOEXEC), top = dup(fd);
    for (int i = 0; i < 30; i++) {
        ck_assert_int_eq(mkdirat(fd, name, 0755), 0);
        int next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        ck_assert_int_ge(next, 0);
        close(fd);
        fd = next;
    }
    fake_task_context_init(&f);
    ck_assert_int_eq(run(&f, at("/t")), -EIO);
    const char *logged = fake_task_context_find(&f, "log-error /");
    ck_assert_ptr_nonnull(strstr(logged, "ddd: File name too long"));
    ck_assert_ptr_nonnull(strstr(f.message, "1 of 1 files could not be read"));
    fake_task_context_done(&f);
    close(fd);

    /* Out of the way by halves: nftw(3) knows no longer paths either. */
    for (int depth = 29; depth >= 0; depth--) {
        fd = dup(top);
        for (int i = 0; i < depth; i++) {
            int next = openat(fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
            close(fd);
            fd = next;
        }
        ck_assert_int_eq(unlinkat(fd, name, AT_REMOVEDIR), 0);
        close(fd);
    }
    close(top);
}
END_TEST

START_TEST(test_result_too_large) {
    FakeTaskContext f;

    make_folder("");
    put("/a", "a");
    fake_task_context_init(&f);
    f.result_max = 10;
    ck_assert_int_eq(run(&f, at("/a")), 0);
    ck_assert_ptr_null(f.result);
    ck_assert_ptr_nonnull(strstr(f.message, "the digests are in the log alone"));
    expect_event(&f, "log %s  %s", SHA256_A, at("/a"));
    fake_task_context_done(&f);

    fake_task_context_init(&f);
    f.result_max = 10;
    ck_assert_int_eq(run(&f, at("/a"), at("/gone")), -EIO);
    ck_assert_ptr_nonnull(strstr(f.message, "1 of 2 files could not be read"));
    ck_assert_ptr_nonnull(strstr(f.message, "see result-max"));
    fake_task_context_done(&f);
}
END_TEST

/* ---- files that change, and a cancel; the fake context watches progress ---- */

/* Each block takes longer than the time between two reports, so that each is reported. */
static void slow_disk(void) {
    usleep(60 * 1000);
}

static void grow_and_shrink(FakeTaskContext *f, const char *event) {
    if (streq(event, "phase hash")) {
        put_zeros("/t/grows", BLOCK, O_APPEND);
        ck_assert_int_eq(truncate(at("/t/shrinks"), 10), 0);
        ck_assert_int_eq(unlink(at("/t/vanishes")), 0);
        put_zeros("/t/new", 3 * BLOCK, 0);
    } else if (strncmp(event, "status ", 7) == 0 && streq(event + 7, at("/t/new"))) {
        /* What came while it was read does not count. */
        ck_assert_uint_eq(f->done, 3 * BLOCK);
    } else if (streq(event, "look") && f->total > 0) {
        slow_disk();
        if (f->looks < 12)
            put_zeros("/t/grows", 1000, O_APPEND);
    }
}

START_TEST(test_changing_files) {
    FakeTaskContext f;

    make_folder("/t");
    put_zeros("/t/grows", 2 * BLOCK, 0);
    put_zeros("/t/shrinks", 2 * BLOCK, 0);
    put_zeros("/t/vanishes", BLOCK, 0);
    put_zeros("/t/same", BLOCK, 0);
    fake_task_context_init(&f);
    f.hook = grow_and_shrink;
    ck_assert_int_eq(run(&f, at("/t")), 0);
    ck_assert_uint_eq(f.total, 6 * BLOCK);
    ck_assert(f.complete);
    _cleanup_free_ char *first = strdup(f.result);
    fake_task_context_done(&f);

    /* Nothing changes now: the digests were those of what is there. */
    fake_task_context_init(&f);
    ck_assert_int_eq(run(&f, at("/t")), 0);
    ck_assert_str_eq(f.result, first);
    fake_task_context_done(&f);
}
END_TEST

START_TEST(test_cancel) {
    FakeTaskContext f;

    make_folder("/t");
    put_zeros("/t/a", 4 * BLOCK, 0);
    fake_task_context_init(&f);
    f.cancel_at_look = (unsigned)_i;
    ck_assert_int_eq(run(&f, at("/t")), -ECANCELED);
    ck_assert_str_eq(f.message, "Cancelled");
    ck_assert_ptr_null(f.result);
    ck_assert_uint_le(f.looks, (unsigned)_i + 1);
    fake_task_context_done(&f);
}
END_TEST

/* What takes the file's place after it was found, and before it is opened. */
static const struct {
    const char *what, *reason;
} replacements[] = {
    {"fifo", "Invalid argument"},
    {"folder", "Invalid argument"},
    {"symlink", "Too many levels of symbolic links"},
    {"socket", "No such device or address"},
    {"nothing", "No such file or directory"},
};

static void replace(FakeTaskContext *f, const char *event) {
    const char *what = f->userdata;

    /* Three looks of the scan, one at the folder, and that at the file. */
    if (!streq(event, "look") || f->looks != 5)
        return;
    ck_assert_int_eq(unlink(at("/t/a")), 0);
    if (streq(what, "fifo"))
        ck_assert_int_eq(mkfifo(at("/t/a"), 0644), 0);
    else if (streq(what, "folder"))
        make_folder("/t/a");
    else if (streq(what, "symlink"))
        ck_assert_int_eq(symlink("/dev/zero", at("/t/a")), 0);
    else if (streq(what, "socket"))
        make_socket("/t/a");
}

START_TEST(test_replaced) {
    FakeTaskContext f;

    make_folder("/t");
    put("/t/a", "a");
    fake_task_context_init(&f);
    f.hook = replace;
    f.userdata = (char *)replacements[_i].what;
    ck_assert_int_eq(run(&f, at("/t")), -EIO);
    expect_event(&f, "log-error %s: %s", at("/t/a"), replacements[_i].reason);
    ck_assert_str_eq(f.result, "{}");
    fake_task_context_done(&f);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("kind-checksum");
    TCase *t = tcase_create("files");

    tcase_set_timeout(t, 60);
    tcase_add_unchecked_fixture(t, make_base, remove_base);
    tcase_add_test(t, test_tree);
    tcase_add_loop_test(t, test_algorithms, 0, ELEMENTSOF(digests));
    tcase_add_test(t, test_many_blocks);
    tcase_add_test(t, test_nothing);
    tcase_add_test(t, test_overlap);
    tcase_add_test(t, test_symlinks);
    tcase_add_test(t, test_special);
    tcase_add_test(t, test_odd_names);
    tcase_add_test(t, test_missing);
    tcase_add_test(t, test_forbidden);
    tcase_add_test(t, test_deep);
    tcase_add_test(t, test_result_too_large);
    tcase_add_test(t, test_changing_files);
    tcase_add_loop_test(t, test_cancel, 1, 11);
    tcase_add_loop_test(t, test_replaced, 0, ELEMENTSOF(replacements));
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    SRunner *runner = srunner_create(suite_new());

    srunner_run_all(runner, CK_NORMAL);
    int failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
