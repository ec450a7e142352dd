/* Where the keeper's cgroup is, and what is written to and read from the files of one: plain
 * folders stand in for them. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "daemon/shim/cgroup.h"
#include "daemon/shim/keeper-cgroup.h"
#include "daemon/shim/shim-procs.h"
#include "tests/unit/unit.h"

#define UNIFIED "31 23 0:28 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
#define LEGACY                                                                                     \
    "31 23 0:28 / /sys/fs/cgroup ro - tmpfs tmpfs rw\n"                                            \
    "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
#define HYBRID LEGACY "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"

static const struct {
    const char *cgroup, *mountinfo, *path;
} places[] = {
    {"0::/a/b.service\n", UNIFIED, "/sys/fs/cgroup/a/b.service"},
    {"0::/\n", UNIFIED, "/sys/fs/cgroup"},
    {"4:memory:/x\n1:name=systemd:/y\n0::/a\n", HYBRID, "/sys/fs/cgroup/unified/a"},
    {"0::/a\n", LEGACY, NULL},
    {"4:memory:/x\n", HYBRID, NULL},
    {"", UNIFIED, NULL},
    {"0::/a\n", "", NULL},
    /* A mount of a part. */
    {"0::/u/a/b\n", "1 1 0:1 /u /cg rw - cgroup2 none rw\n", "/cg/a/b"},
    {"0::/u\n", "1 1 0:1 /u /cg rw - cgroup2 none rw\n", "/cg"},
    {"0::/users/a\n", "1 1 0:1 /u /cg rw - cgroup2 none rw\n", NULL},
    /* The last one lies on top. */
    {"0::/a\n", UNIFIED "50 31 0:38 / /mnt rw - cgroup2 none rw\n", "/mnt/a"},
    {"0::/a\n", "1 1 0:1 / /with\\040blank rw - cgroup2 none rw\n", "/with blank/a"},
    {"0::/a", "1 1 0:1 / /cg rw - cgroup2 none rw", "/cg/a"},
    {"0::/a\n", "noise\n1 1\n - cgroup2 x\n", NULL},
};

START_TEST(test_place) {
    char path[PATH_MAX] = "untouched";

    int r = keeper_cgroup_find(places[_i].cgroup, places[_i].mountinfo, path, sizeof(path));
    ck_assert_int_eq(r, places[_i].path ? 0 : -ENOENT);
    if (places[_i].path)
        ck_assert_str_eq(path, places[_i].path);
}
END_TEST

static int open_dir(void) {
    int fd = open(unit_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    return fd;
}

static const char *const limit_files[] = {"memory.max", "memory.swap.max", "memory.oom.group",
                                          "pids.max", "cpu.weight"};

static void check_file(const char *name, const char *text) {
    size_t size;
    _cleanup_free_ char *found = unit_read(name, &size);

    ck_assert_str_eq(found, text);
}

START_TEST(test_limits) {
    ShimJob job = {.limits = {UINT64_MAX, UINT64_MAX, 1000000, 50}, .cpu_weight = 200};
    ShimProcs p = SHIM_PROCS_NONE;

    for (size_t i = 0; i < ELEMENTSOF(limit_files); i++)
        unit_write(limit_files[i], "", 0);
    p.cgroup_fd = open_dir();
    shim_procs_set_limits(&p, &job);
    ck_assert(p.limits_memory && p.limits_pids);
    check_file("memory.max", "1000000");
    check_file("memory.swap.max", "0");
    check_file("memory.oom.group", "1");
    check_file("pids.max", "50");
    check_file("cpu.weight", "200");
    close(p.cgroup_fd);
}
END_TEST

START_TEST(test_no_limits) {
    ShimJob job = {.limits = {UINT64_MAX, UINT64_MAX, UINT64_MAX, UINT64_MAX}};
    ShimProcs p = SHIM_PROCS_NONE;

    for (size_t i = 0; i < ELEMENTSOF(limit_files); i++)
        unit_write(limit_files[i], "", 0);
    p.cgroup_fd = open_dir();
    shim_procs_set_limits(&p, &job);
    ck_assert(!p.limits_memory && !p.limits_pids);
    for (size_t i = 0; i < ELEMENTSOF(limit_files); i++)
        check_file(limit_files[i], "");
    close(p.cgroup_fd);
}
END_TEST

/* Without the controllers nothing is made, and somebody else has to keep the limits. */
START_TEST(test_no_controllers) {
    ShimJob job = {.limits = {UINT64_MAX, UINT64_MAX, 1000000, 50}, .cpu_weight = 200};
    ShimProcs p = SHIM_PROCS_NONE;

    p.cgroup_fd = open_dir();
    shim_procs_set_limits(&p, &job);
    ck_assert(!p.limits_memory && !p.limits_pids);
    for (size_t i = 0; i < ELEMENTSOF(limit_files); i++)
        ck_assert(!unit_exists(limit_files[i]));
    close(p.cgroup_fd);
}
END_TEST

static const struct {
    const char *events;
    bool ran_out;
} events[] = {
    {"low 0\nhigh 0\nmax 12\noom 1\noom_kill 3\noom_group_kill 1\n", true},
    {"low 0\nhigh 0\nmax 12\noom 0\noom_kill 0\n", false},
    {"low 0\nhigh 0\nmax 0\noom 0\noom_kill 1\n", false}, /* the machine ran out of it */
    {"low 0\nhigh 0\nmax 12\noom 1\noom_kill 0\n", false},
    {"", false},
};

START_TEST(test_ran_out_of_memory) {
    ShimProcs p = SHIM_PROCS_NONE;

    unit_write("memory.events", events[_i].events, strlen(events[_i].events));
    p.cgroup_fd = open_dir();
    ck_assert(!shim_procs_ran_out_of_memory(&p));
    p.limits_memory = true;
    ck_assert(shim_procs_ran_out_of_memory(&p) == events[_i].ran_out);
    close(p.cgroup_fd);
}
END_TEST

START_TEST(test_read) {
    static const char stat[] = "user_usec 1\nusage_usec_x 2\nusage_usec 345\n";
    uint64_t n = 7;

    unit_write("cpu.stat", stat, strlen(stat));
    unit_write("memory.peak", "4096\n", 5);
    unit_write("memory.max", "max\n", 4);
    int fd = open_dir();
    ck_assert_int_eq(cgroup_read_u64(fd, "none", NULL, &n), -ENOENT);
    ck_assert_int_eq(cgroup_read_u64(fd, "memory.max", NULL, &n), -ENOENT);
    ck_assert_int_eq(cgroup_read_u64(fd, "cpu.stat", "usage", &n), -ENOENT);
    ck_assert_uint_eq(n, 7);
    ck_assert_int_eq(cgroup_read_u64(fd, "cpu.stat", "usage_usec", &n), 0);
    ck_assert_uint_eq(n, 345);
    ck_assert_int_eq(cgroup_read_u64(fd, "memory.peak", NULL, &n), 0);
    ck_assert_uint_eq(n, 4096);
    close(fd);
}
END_TEST

static void make_dir(const char *name) {
    ck_assert_int_eq(mkdir(unit_path(name), 0700), 0);
}

START_TEST(test_list) {
    _cleanup_free_ pid_t *pids = NULL;
    int sum = 0;

    unit_write("cgroup.procs", "1\n2\n", 4);
    make_dir("a");
    unit_write("a/cgroup.procs", "", 0);
    make_dir("a/b");
    unit_write("a/b/cgroup.procs", "4\n", 2);
    make_dir("c");
    unit_write("c/cgroup.procs", "8\n", 2);
    int fd = open_dir();
    ck_assert_int_eq(cgroup_list(fd, &pids), 4);
    for (int i = 0; i < 4; i++)
        sum += pids[i];
    ck_assert_int_eq(sum, 15);
    close(fd);
}
END_TEST

START_TEST(test_remove) {
    make_dir("x");
    make_dir("x/a");
    make_dir("x/a/b");
    make_dir("x/c");
    ck_assert_int_eq(cgroup_remove(unit_path("x")), 0);
    ck_assert(!unit_exists("x"));
    ck_assert_int_eq(cgroup_remove(unit_path("x")), 0);
}
END_TEST

static Suite *suite_new(void) {
    Suite *s = suite_create("cgroup-files");
    TCase *t = tcase_create("cgroup-files");

    unit_use_dir(t);
    tcase_add_loop_test(t, test_place, 0, ELEMENTSOF(places));
    tcase_add_test(t, test_limits);
    tcase_add_test(t, test_no_limits);
    tcase_add_test(t, test_no_controllers);
    tcase_add_loop_test(t, test_ran_out_of_memory, 0, ELEMENTSOF(events));
    tcase_add_test(t, test_read);
    tcase_add_test(t, test_list);
    tcase_add_test(t, test_remove);
    suite_add_tcase(s, t);
    return s;
}

int main(void) {
    return unit_run(suite_new());
}
