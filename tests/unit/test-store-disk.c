/* A disk that is really full, or read-only: a small tmpfs over the folder of the test, in a mount
 * namespace of its own. Takes root. */

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "common/cleanup.h"
#include "common/fd-io.h"
#include "tests/unit/store-rig.h"

static bool enter_namespace(void) {
    return unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

static void setup(void) {
    MUST(enter_namespace());
    MUST(mount("tmpfs", unit_dir, "tmpfs", 0, "size=4M,mode=0700") == 0);
    rig_setup();
    rig_open();
}

/* To the last byte. */
static void fill_disk(void) {
    _cleanup_close_ int fd = open(unit_path("filler"), O_WRONLY | O_CREAT | O_APPEND, 0600);
    static const char block[4096];

    MUST(fd >= 0);
    while (write(fd, block, sizeof(block)) > 0)
        ;
    MUST(errno == ENOSPC);
}

static void make_room(void) {
    MUST(unlink(unit_path("filler")) == 0);
}

START_TEST(test_full_while_running) {
    Task *tasks[200];

    for (size_t i = 0; i < ELEMENTSOF(tasks); i++)
        tasks[i] = rig_ended(i + 1, TASK_FAILED);
    rig_put_many(tasks, 1);
    fill_disk();
    ck_assert_int_eq(rig_commit(rig_batch(tasks + 1, 199)), -ENOSPC);
    ck_assert_int_eq(rig_commit(rig_batch(tasks + 1, 199)), -ENOSPC);
    ck_assert_ptr_nonnull(rig_read_one(1));
    ck_assert_uint_eq(rig_list(&(TaskFilter){.limit = 10})->n, 1);
    make_room();
    rig_put_many(tasks + 1, 199);
    rig_reopen();
    ck_assert_uint_eq(rig_count(&(TaskFilter){})->counts[TASK_FAILED], 200);
    for (size_t i = 0; i < ELEMENTSOF(tasks); i++)
        task_free(tasks[i]);
}
END_TEST

/* After a start on a full disk what is there can be read. */
START_TEST(test_open_full) {
    Task *tasks[200];

    for (size_t i = 0; i < ELEMENTSOF(tasks); i++)
        tasks[i] = unit_task_new(i + 1);
    rig_put_many(tasks, 1);
    rig_close();
    rig_open(); /* the files beside it are made again */
    ck_assert_uint_eq(rig_list(&(TaskFilter){.limit = 10})->n, 0);
    fill_disk();
    ck_assert_int_eq(rig_commit(rig_batch(tasks + 1, 199)), -ENOSPC);
    rig_close();
    _cleanup_error_ Error error = {};
    if (store_open(&rig_store, rig_event, unit_dir, &rig_damaged, &error) < 0) {
        /* There was no room for the files beside it: then the words say so. */
        ck_assert_ptr_nonnull(strstr(error.message, "full"));
        make_room();
        rig_open();
    } else {
        ck_assert_uint_eq(rig_load()->n, 1);
        make_room();
    }
    ck_assert_uint_eq(rig_load()->n, 1);
    rig_put_many(tasks + 1, 199);
    for (size_t i = 0; i < ELEMENTSOF(tasks); i++)
        task_free(tasks[i]);
}
END_TEST

/* No room to put a new one in its place: it is left where it is. */
START_TEST(test_damaged_on_full_disk) {
    rig_close();
    rig_damage(rig_path(""), 0, 100);
    fill_disk();
    _cleanup_free_ char *words = rig_open_refused();
    ck_assert_ptr_nonnull(strstr(words, "full"));
    ck_assert(unit_exists(STORE_FILE));
    ck_assert(!unit_exists(STORE_FILE ".new"));
    make_room();
    rig_open();
    ck_assert_ptr_nonnull(rig_damaged);
}
END_TEST

START_TEST(test_read_only) {
    Task *t = unit_task_new(1);

    rig_put(t);
    rig_close();
    MUST(mount(NULL, unit_dir, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
    _cleanup_free_ char *words = rig_open_refused();
    ck_assert_ptr_nonnull(strstr(words, "Read-only"));
    ck_assert_ptr_nonnull(strstr(words, "writable"));
    MUST(mount(NULL, unit_dir, NULL, MS_REMOUNT, "size=4M") == 0);
    rig_open();
    ck_assert_uint_eq(rig_load()->n, 1);
    task_free(t);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("store-disk");
    TCase *t = tcase_create("store-disk");

    unit_use_dir(t);
    tcase_add_checked_fixture(t, setup, rig_teardown);
    tcase_add_test(t, test_full_while_running);
    tcase_add_test(t, test_open_full);
    tcase_add_test(t, test_damaged_on_full_disk);
    tcase_add_test(t, test_read_only);
    suite_add_tcase(s, t);
    return s;
}

static bool can_mount(void) {
    int status = -1;
    pid_t pid = fork();

    if (pid == 0)
        _exit(!enter_namespace());
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

int main(void) {
    if (!can_mount()) {
        printf("SKIP: it takes root to mount a small disk in a namespace of its own\n");
        return 77;
    }
    return unit_run(suite_new());
}
