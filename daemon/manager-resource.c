#include <errno.h>

#include "common/log.h"
#include "daemon/manager-private.h"

/* Resources come from two places: longrun.conf, and ConfigureResource, which is kept on disk. What
 * was said last holds while the daemon runs; at a start, a resource that is in both is as the file
 * says. */

static int load_one(void *userdata, const char *name, uint32_t capacity) {
    return resource_configure(userdata, name, capacity);
}

static int overlay(ResourceTable *table, const ResourceTable *over) {
    int r = 0;

    for (const Resource *i = NULL; r >= 0 && (i = resource_next(over, i));)
        r = resource_configure(table, i->name, i->capacity);
    return r;
}

int manager_load_resources(Manager *m) {
    int r = store_load_resources(m->store, load_one, &m->kept_resources);

    if (r >= 0)
        r = overlay(&m->scheduler.resources, &m->kept_resources);
    return r < 0 ? r : overlay(&m->scheduler.resources, &m->config.resources);
}

void manager_put_resources(Manager *m) {
    for (const Resource *i = NULL; (i = resource_next(&m->kept_resources, i));)
        if (commit_queue_put_resource(m->commits, i->name, i->capacity) < 0)
            log_warning_errno(-ENOMEM, "Cannot write a resource anew, ignoring");
}

static uint32_t capacity_in(const ResourceTable *table, const char *name) {
    const Resource *r = resource_find(table, name);

    return r ? r->capacity : 0;
}

/* Names of which the file says another number than before; now and before are either way round, so
 * that both those that came and those that went are found. */
static int follow(Manager *m, const ResourceTable *names, const ResourceTable *before) {
    const ResourceTable *now = &m->config.resources;
    int r = 0;

    for (const Resource *i = NULL; r >= 0 && (i = resource_next(names, i));) {
        uint32_t capacity = capacity_in(now, i->name);
        if (capacity == capacity_in(before, i->name))
            continue;
        /* One that has gone from the file is what the next start would make of it. */
        r = resource_configure(&m->scheduler.resources, i->name,
                               capacity ?: capacity_in(&m->kept_resources, i->name));
    }
    return r;
}

void manager_follow_config_resources(Manager *m, const ResourceTable *before) {
    int r;

    manager_take_back_ahead(m);
    r = follow(m, before, before);
    if (r >= 0)
        r = follow(m, &m->config.resources, before);
    if (r < 0)
        log_warning_errno(r, "Cannot take all resources from the configuration");
    manager_schedule(m);
}

static int check_configure(const Manager *m, const char *name, uint32_t capacity, Error *error) {
    const ResourceTable *table = &m->scheduler.resources;
    bool is_there = capacity_in(table, name) > 0;

    if (!is_there && capacity == 0)
        return error_set(error, ERROR_NO_SUCH_RESOURCE,
                         "There is no resource \"%.100s\" that could be removed: ListResources, or "
                         "\"longrun resource\", lists those that there are",
                         name);
    if (is_there)
        return 0;
    if (HASH_COUNT(table->by_name) >= RESOURCES_MAX)
        return error_set(error, ERROR_NOT_PERMITTED,
                         "There are %d resources, and there can be no more: remove one that is not "
                         "needed by giving it a capacity of 0",
                         RESOURCES_MAX);
    return group_name_check("resource", name, error);
}

int manager_configure_resource(void *userdata, const char *name, uint32_t capacity, Error *error) {
    Manager *m = userdata;
    int r = check_configure(m, name, capacity, error);

    if (r >= 0)
        r = commit_queue_put_resource(m->commits, name, capacity);
    if (r < 0)
        return r;
    manager_take_back_ahead(m); /* somebody with a higher priority may have waited for it */
    r = resource_configure(&m->kept_resources, name, capacity);
    if (r >= 0)
        r = resource_configure(&m->scheduler.resources, name, capacity);
    manager_schedule(m);
    return r;
}

const Resource *manager_next_resource(void *userdata, const Resource *r) {
    return resource_next(&((Manager *)userdata)->scheduler.resources, r);
}
