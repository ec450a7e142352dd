#include <check.h>
#include <string.h>

#include "tests/bus/fake-daemon.h"

/* The groups and resources of the fake: it does what it is told. */

static Group *find(FakeDaemon *f, const char *name) {
    Group *g;

    HASH_FIND_STR(f->groups, name, g);
    return g;
}

static int configure_group(void *userdata, const char *name, const GroupChange *change,
                           Error *error) {
    FakeDaemon *f = userdata;
    Group *g = find(f, name);

    if (!g) {
        g = group_new(name);
        ck_assert_ptr_nonnull(g);
        HASH_ADD_KEYPTR(hh, f->groups, g->name, strlen(g->name), g);
    }
    f->unset = change->unset;
    if (change->has_max_parallel)
        g->max_parallel = change->max_parallel;
    if (change->has_max_queued)
        g->max_queued = change->max_queued;
    task_spec_free(g->defaults);
    g->defaults = task_spec_copy(change->defaults, 0);
    ck_assert_ptr_nonnull(g->defaults);
    return 0;
}

static int remove_group(void *userdata, const char *name, Error *error) {
    FakeDaemon *f = userdata;
    Group *g = find(f, name);

    if (!g)
        return error_set(error, ERROR_NO_SUCH_GROUP, "no %s", name);
    HASH_DEL(f->groups, g);
    group_free(g);
    return 0;
}

static int order_group(void *userdata, const char *name, GroupOrder order, Error *error) {
    Group *g = find(userdata, name);

    if (!g)
        return error_set(error, ERROR_NO_SUCH_GROUP, "no %s", name);
    g->paused = order == GROUP_PAUSE;
    g->draining = order == GROUP_DRAIN;
    return 0;
}

static const Group *next_group(void *userdata, const Group *g) {
    return g ? g->hh.next : ((FakeDaemon *)userdata)->groups;
}

static int configure_resource(void *userdata, const char *name, uint32_t capacity, Error *error) {
    return resource_configure(&((FakeDaemon *)userdata)->resources, name, capacity);
}

static const Resource *next_resource(void *userdata, const Resource *r) {
    return resource_next(&((FakeDaemon *)userdata)->resources, r);
}

void fake_groups_init(FakeDaemon *f) {
    f->api.configure_group = configure_group;
    f->api.remove_group = remove_group;
    f->api.order_group = order_group;
    f->api.next_group = next_group;
    f->api.configure_resource = configure_resource;
    f->api.next_resource = next_resource;
}

void fake_groups_done(FakeDaemon *f) {
    Group *g, *next;

    HASH_ITER (hh, f->groups, g, next) {
        HASH_DEL(f->groups, g);
        group_free(g);
    }
    resource_table_done(&f->resources);
}
